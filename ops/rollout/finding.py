"""The result of a check of `dr doctor`."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    RIGHT = "right"
    UNKNOWN = "unknown"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    state: State
    what: str
    remedy: str = ""
