"""A check and its verdict, as the report holds them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["passed", "failed", "inconclusive"]
CheckKind = Literal["objective", "plan", "way back"]


class StrictModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CheckReport(StrictModel):
    """One expectation. One that is missed fails the run, unless missing it is `inconclusive`."""

    name: str
    kind: CheckKind
    expected: str
    measured: str
    met: bool
    inconclusive: bool = False  # not met, which says nothing of the system; most often, this machine was too slow
