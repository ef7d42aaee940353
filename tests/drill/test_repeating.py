"""The repetition of inconclusive runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from drill.engine.rehearse import Outcome
from drill.model.errors import Inconclusive
from drill.verdict.check import as_inconclusive, check
from drill.verdict.verdict import INCONCLUSIVE
from tests.drill.repeating import conclusive, judged, starved_share
from tests.drill.reports import report

BUSY = "payments are accepted again in time: 9.1 s; this machine was starved of CPU for 6.4 s of it (70%)"
IDLE = "the load kept its schedule: 3 payments shed"


@dataclass(frozen=True)
class Run:
    status: int
    why: str = ""


def repeated(*runs: Run) -> tuple[Run, Sequence[str]]:
    left, slowed = iter(runs), list[str]()
    return conclusive(lambda: next(left), lambda: slowed.append("half the speed")), slowed


@pytest.mark.parametrize("status", [0, 1, 2, 3, 130])
def test_a_verdict_on_the_system_is_not_repeated(status: int) -> None:
    assert repeated(Run(status)) == (Run(status), [])


@pytest.mark.parametrize("status", [0, 1])
def test_an_inconclusive_run_is_repeated_once_at_half_the_speed_and_the_second_one_counts(status: int) -> None:
    assert repeated(Run(INCONCLUSIVE, BUSY), Run(status)) == (Run(status), ["half the speed"])


def test_inconclusive_twice_on_a_starved_machine_skips_the_test_with_the_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"accepted again in time: 9\.1 s"):
        repeated(Run(INCONCLUSIVE, IDLE), Run(INCONCLUSIVE, BUSY))


def test_inconclusive_twice_without_starvation_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match="3 payments shed"):
        repeated(Run(INCONCLUSIVE, BUSY), Run(INCONCLUSIVE, IDLE))


@pytest.mark.parametrize(
    ("why", "share"),
    [
        (BUSY, 0.7),
        ("no steady state; this machine was starved of CPU for 34% of that time: end what else runs on it", 0.34),
        (f"{BUSY}\nthis machine was starved of CPU for 12% of the run", 0.7),
        ("starved of CPU for 4.0 s (5% of the run)", 0.05),
        (IDLE, 0.0),
    ],
)
def test_the_largest_share_that_was_measured_is_found(why: str, share: float) -> None:
    assert starved_share(why) == share


def test_what_ended_a_rehearsal_early_and_what_it_could_not_judge_are_reasons() -> None:
    line = as_inconclusive(check("objective", "in time", "42 s", BUSY, met=False))
    unjudged = report().model_copy(update={"checks": [line], "verdict": "inconclusive"})

    for outcome in (
        Outcome(scenario="x", seconds=1, report=unjudged),
        Outcome(scenario="x", seconds=1, why=str(Inconclusive(BUSY)), without_report=INCONCLUSIVE),
    ):
        with pytest.raises(pytest.skip.Exception, match="70%"):
            judged(outcome)


def test_a_rehearsal_that_was_judged_is_reported() -> None:
    found = report()

    assert judged(Outcome(scenario="x", seconds=1, report=found)) is found
