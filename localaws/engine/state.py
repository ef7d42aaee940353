"""The state of the deployed stacks: resources and outputs by stack, in memory and as a JSON file.

Secret values reach the file only encrypted, with a key that only this process has: the embedded AWS keeps
its own state in memory too, so a file has no use after the run that wrote it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet


@dataclass(kw_only=True)
class Record:
    """One deployed resource; inputs and outputs frozen (`values.freeze`)."""

    urn: str
    type: str
    name: str
    id: str
    region: str
    provider: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    tags: dict[str, str]
    dependencies: list[str]
    protect: bool = False
    retain: bool = False
    deleted_with: str = ""
    complete: bool = True  # False: the resource exists, but a later step of its creation failed


@dataclass(kw_only=True)
class StackState:
    """One stack: its resources in the order of their creation, and the outputs of its last run."""

    reference: str  # organization/dr-primary/dev
    resources: dict[str, Record] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: list[str] = field(default_factory=list)
    deployed: bool = False


class State:
    """The stacks of one environment. With a folder, each is also kept in `<folder>/state/<stack>.json` (mode 0600)."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder / "state" if folder else None
        self._key = Fernet(Fernet.generate_key())
        self.environment = ""
        self.stacks: dict[str, StackState] = {}

    def claim(self, environment: str) -> None:
        """Raise ValueError if this state already belongs to another environment."""
        if self.environment not in ("", environment):
            raise ValueError(f"state holds environment {self.environment}; {environment} needs a state of its own")
        self.environment = environment

    def take(self, other: "State") -> None:
        """Hold what another process made of a copy of this state."""
        self.environment, self.stacks = other.environment, other.stacks

    def find(self, reference: str) -> StackState | None:
        """The stack deployed under a reference such as organization/dr-primary/dev."""
        return next((stack for stack in self.stacks.values() if stack.deployed and stack.reference == reference), None)

    def save(self, stack: str) -> None:
        """Write one stack's file, whole or not at all; remove it once the stack is gone."""
        if self._folder is None:
            return
        if stack not in self.stacks:
            (self._folder / f"{stack}.json").unlink(missing_ok=True)
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = json.dumps(self._seal(asdict(self.stacks[stack])), indent=1, sort_keys=True)
        partial = self._folder / f".{stack}.json"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        partial.replace(self._folder / f"{stack}.json")

    def _seal(self, value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"$secret"}:
                return {"$sealed": self._key.encrypt(json.dumps(value["$secret"]).encode()).decode()}
            return {key: self._seal(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._seal(item) for item in value]
        return value


def deletion_order(resources: Mapping[str, Record]) -> list[Record]:
    """Dependents before what they depend on, otherwise the last created first."""
    dependents: dict[str, list[str]] = {urn: [] for urn in resources}
    for record in resources.values():
        for urn in record.dependencies:
            if urn in dependents:
                dependents[urn].append(record.urn)
    ordered: dict[str, Record] = {}
    entered: set[str] = set()
    left = list(resources)
    while left:
        urn = left[-1]
        if urn in entered:
            left.pop()
            ordered.setdefault(urn, resources[urn])
        else:
            entered.add(urn)
            left += [each for each in dependents[urn] if each not in entered]
    return list(ordered.values())


# What a run did.


@dataclass
class Changes:
    """URNs by what happened to them."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.created) + len(self.updated) + len(self.deleted)

    def extend(self, other: "Changes") -> None:
        self.created += other.created
        self.updated += other.updated
        self.deleted += other.deleted
