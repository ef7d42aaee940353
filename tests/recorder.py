"""Stands in for Pulumi's engine in component tests: remembers every registration and answers with what it was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.engine import program
from localaws.engine.project import Project
from localaws.engine.registration import Registration
from localaws.provider import values

INVOKES: Mapping[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "000000000000", "id": "000000000000"},
}


@dataclass(frozen=True)
class Built:
    """The registrations of a program."""

    resources: list[Registration]
    exports: dict[str, Any]
    warnings: list[str]

    def all(self, kind: str) -> list[Registration]:
        """Every resource of a type, given as a whole (`aws:ec2/vpc:Vpc`) or by its last word (`Vpc`)."""
        return [each for each in self.resources if kind in (each.type, each.type.rpartition(":")[2])]

    def one(self, kind: str, name: str | None = None) -> Registration:
        found = [each for each in self.all(kind) if name in (None, each.name)]
        assert len(found) == 1, f"{kind} {name or ''}: {[each.name for each in found]}"
        return found[0]


class _Echo:
    """Ids and ARNs are made from names; every other output is the input."""

    def register(self, resource: Registration) -> tuple[str, dict[str, Any]]:
        identity = f"{resource.name}-id"
        made = {"arn": f"arn:aws:test:::{resource.name}", "id": identity}
        return identity, {**made, **resource.inputs}

    def invoke(self, token: str, arguments: dict[str, Any], provider: str) -> dict[str, Any]:  # noqa: ARG002
        return INVOKES[token]

    def reference(self, name: str) -> tuple[dict[str, Any], list[str]]:
        raise AssertionError(f"a component refers to stack {name}; only stack programs may")

    def fail(self, urn: str, code: str, message: str) -> Exception:
        return AssertionError(f"{urn}: {code}: {message}")


class Refusing(_Echo):
    """Remembers whether anything but the stack itself was registered."""

    def __init__(self) -> None:
        self.registered: list[str] = []

    def register(self, resource: Registration) -> tuple[str, dict[str, Any]]:
        self.registered.append(resource.urn)
        return super().register(resource)


def build(main: Callable[[], object], folder: Path) -> Built:
    """Run `main` as a stack program. What it did not register is known to be absent, since it has ended."""
    warnings: list[str] = []
    project = Project(stack="test", name="test", environment="test", folder=folder, config={})
    monitor = program.run(project, _Echo(), preview=False, workers=1, warn=warnings.append, main=main)
    return Built(list(monitor.registrations.values()), monitor.stack_outputs, warnings)


def plain(resource: Registration) -> dict[str, Any]:
    """The resource's inputs, secrets shown in clear."""
    return {key: values.unwrap(value) for key, value in resource.inputs.items()}
