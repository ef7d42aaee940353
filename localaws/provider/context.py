"""One resource on its way through its table entry: the values that expressions see, and the calls it makes."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from localaws.core.errors import TableError
from localaws.provider import calls
from localaws.provider.mapping import conform, evaluate, search
from localaws.provider.table import Entry


class Caller(Protocol):
    """Makes an AWS call: over HTTP, or (for the graph) out of the service model alone."""

    @property
    def synthetic(self) -> bool: ...

    @property
    def account(self) -> str: ...

    def bound(self, urn: str) -> "Caller":
        """The caller for one resource."""
        ...

    def __call__(self, service: str, operation: str, region: str, parameters: dict[str, Any]) -> dict[str, Any]: ...


@dataclass
class Context:
    """A resource's values. `inputs` are plain: secrets open, defaults and the generated name filled in."""

    type: str
    urn: str
    name: str
    entry: Entry
    region: str
    account: str
    folder: Path
    inputs: dict[str, Any]
    tags: dict[str, str]
    call_aws: Caller
    entropy: random.Random
    id: str = ""
    made: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    out: dict[str, Any] = field(default_factory=dict)
    answered: dict[str, Any] = field(default_factory=dict)  # by a lookup: what the creating call answered
    before: dict[str, Any] = field(default_factory=dict)  # an update's former arguments
    operation: str = ""  # the last call, for messages

    @property
    def synthetic(self) -> bool:
        return self.call_aws.synthetic

    def names(self, each: Any = None) -> dict[str, Any]:
        return {
            "context": self,
            "in": self.inputs,
            "id": self.id or None,
            "made": self.made,
            "found": self.found,
            "out": self.out,
            "tags": self.tags or None,
            "region": self.region,
            "account": self.account,
            "name": self.name,
            "each": each,
        }

    def text(self, value: Any) -> Any:
        """`value` with its expressions replaced."""
        return evaluate(value, self.names())

    def get(self, expression: str) -> Any:
        """An expression's value, such as `in.healthCheck.path`."""
        return search(expression, self.names())

    def call(
        self, operation: str, parameters: Mapping[str, Any], *, service: str = "", region: str = ""
    ) -> dict[str, Any]:
        """One AWS call with `parameters` brought into the operation's form. Raises what botocore raises."""
        service = service or self.entry.service
        shape = calls.operation(service, operation).input_shape
        self.operation = f"{service}:{operation}"
        try:
            fitted = conform(dict(parameters), shape, self.entry.rename, self.folder) if shape else {}
        except TableError as error:
            raise TableError(f"{self.type}: {error}") from None
        return self.call_aws(service, operation, region or self.entry.region or self.region, fitted)
