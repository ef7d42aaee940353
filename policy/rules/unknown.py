"""Values that are unknown in a preview, because AWS assigns them when it creates the resource.

A rule needs no special case for them. Using such a value raises NotKnownYet, and the rule is checked again once the
value is known; comparing two of them for a connection between resources works with `Later`.
"""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

Item = TypeVar("Item")


class NotKnownYet(Exception):
    """A rule needs a value that is unknown until the resource is deployed."""


def judged(items: Iterable[Item], judge: Callable[[Item], list[str]]) -> list[str]:
    """The violations of those items that can be judged now; the update judges the others."""
    violations = []
    for item in items:
        try:
            violations += judge(item)
        except NotKnownYet:
            continue
    return violations


class Unknown:
    """A value that is unknown, and of unknown origin."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise NotKnownYet

    __lt__ = __gt__ = __le__ = __ge__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse

    def __eq__(self, other: object) -> bool:
        raise NotKnownYet

    def __hash__(self) -> int:
        raise NotKnownYet

    def __bool__(self) -> bool:
        raise NotKnownYet

    def __str__(self) -> str:
        raise NotKnownYet

    def __format__(self, _: str) -> str:
        return "(known after deployment)"


class Later(Unknown):
    """An unknown output of the resource with this URN.

    Two of one resource compare equal, as if they were the same output: an input refers to a resource by one output.
    """

    def __init__(self, urn: str) -> None:
        self.urn = urn

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Later):
            return self.urn == other.urn
        if other is None:
            return False
        raise NotKnownYet

    def __hash__(self) -> int:
        return hash(self.urn)

    def __bool__(self) -> bool:
        return True
