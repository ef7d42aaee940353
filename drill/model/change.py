"""Changes: what a drill does to an environment. Each names the change that undoes it.

A change whose `undo` is None undoes another one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from drill.model.faults import FaultInjector, OutageKind
from drill.model.target import Site
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a change works on."""

    faults: FaultInjector
    site: Site
    kind: OutageKind  # in which regions are lost, unless a scenario says otherwise

    def region(self, place: Place) -> str:
        return self.site.region(place)


class Change(Protocol):
    """Something done to the environment."""

    @property
    def name(self) -> str: ...

    @property
    def place(self) -> Place | None:
        """Where; None if it is done to both regions or neither."""

    @property
    def undo(self) -> "Change | None": ...

    async def do(self, around: Surroundings) -> str:
        """What was done, in a few words. Raises ActionError."""


def plain(change: Change) -> dict[str, Any]:
    """A change as plain data, from which another process can make it again."""
    content: Any = change
    return {"change": type(change).__name__, **asdict(content)}


def from_plain(known: Mapping[str, type[Any]], content: Mapping[str, Any]) -> Change:
    """The change that `plain` wrote; `known` are the classes there are, by name. Raises KeyError for another one."""
    values = {name: value for name, value in content.items() if name != "change"}
    if values.get("place") is not None:
        values["place"] = Place(values["place"])
    if values.get("kind") is not None:
        values["kind"] = OutageKind(values["kind"])
    made: Change = known[content["change"]](**values)
    return made
