"""An inconclusive run is repeated more slowly, and never counts as a failure of the system."""

import re
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol, TypeVar

import pytest

from drill.engine.rehearse import Outcome
from drill.report.model import Report
from drill.verdict.check import LITTLE_STARVED
from drill.verdict.verdict import INCONCLUSIVE

_STARVED = re.compile(r"starved of CPU for [^%]*?(\d+)%")


class _Ended(Protocol):
    @property
    def status(self) -> int: ...

    @property
    def why(self) -> str: ...


Run = TypeVar("Run", bound=_Ended)


def conclusive(run: Callable[[], Run], slow_down: Callable[[], None]) -> Run:
    """The result of `run`, repeated after `slow_down` where it was inconclusive. Skips or fails the test where it
    still is: see `give_up`."""
    first = run()
    if first.status != INCONCLUSIVE:
        return first
    slow_down()
    second = run()
    if second.status == INCONCLUSIVE:
        give_up(second.why)
    return second


def judged(outcome: Outcome) -> Report:
    """The report of a rehearsal that was repeated already (`drill.engine.rehearse`), if it is conclusive."""
    if outcome.status == INCONCLUSIVE:
        give_up(f"{outcome.why}\n{of_report(outcome.report)}" if outcome.report else outcome.why)
    assert outcome.report is not None, outcome.why
    return outcome.report


def of_report(report: Report) -> str:
    """The reasons that the run was inconclusive."""
    lines = [f"{each.name}: {each.measured}" for each in report.checks if each.inconclusive]
    share = report.resources.starved_share
    return "\n".join([*lines, f"this machine was starved of CPU for {share:.0%} of the run"])


def give_up(why: str) -> NoReturn:
    """Skip the test if this machine was measured to be too busy; fail it otherwise, as nothing excuses the run."""
    if starved_share(why) > LITTLE_STARVED:
        pytest.skip(f"inconclusive twice, since this machine is too busy: {why}")
    pytest.fail(f"inconclusive twice, and this machine was not starved of CPU: {why}")


def starved_share(why: str) -> float:
    """The largest share of a phase or run that was measured as starved."""
    shares: Iterable[float] = (int(found) / 100 for found in _STARVED.findall(why))
    return max(shares, default=0.0)
