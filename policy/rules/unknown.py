"""Values that a preview cannot know yet: AWS gives them when the thing is made.

A rule needs no case for them. One that must know such a value ends with NotKnownYet and is asked again when it is
known; one that only asks whether two things are connected gets its answer from `Later`.
"""

from typing import Any, NoReturn


class NotKnownYet(Exception):
    """A rule cannot judge before something is deployed."""


class Unknown:
    """A value no one can tell yet."""

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
    """An output of the resource with this URN. Two of the same resource are taken for the same output: an input is
    connected to a resource by one of them."""

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
