"""The verdict on a run whose machine was short of CPU time."""

from typing import Any

import pytest

from drill.verdict import verdict
from drill.verdict.interruptions import Interruption
from tests.drill.verdicts import DRAINED_LATE, LOST_AT, OBJECTIVES, judged, measured, starving, verified


@pytest.mark.parametrize(
    ("changes", "share", "word", "printed"),
    [
        pytest.param(DRAINED_LATE, 0.2, "passed", None, id="what was starved does not count"),
        pytest.param(DRAINED_LATE, 0.01, "failed", "found 18.0 AWS s besides", id="a little of it explains nothing"),
        pytest.param(DRAINED_LATE, 0.6, "inconclusive", "starved of CPU for", id="mostly starved"),
        pytest.param({"interruptions": [Interruption(start=10, end=15)]}, 0.2, "passed", None, id="back in time"),
        pytest.param({"interruptions": [Interruption(start=10, end=None)]}, 0.2, "failed", "not restored", id="never"),
        pytest.param({"given_up": 1}, 0.1, "failed", "1 gave up", id="no excuse for clients that gave up"),
        pytest.param({"given_up": 1}, 0.4, "inconclusive", "starved of CPU for 40%", id="clients starved"),
        pytest.param({"not_restored": "0 of 1"}, 0.4, "inconclusive", "starved", id="the rollback starved"),
        pytest.param(
            {"verification": verified(lost=("x",))}, 0.9, "failed", "1 lost", id="what is lost is lost on any machine"
        ),
        pytest.param(
            {"two_writers": ("both",)}, 0.9, "failed", "two regions never write", id="two writers on any machine"
        ),
        pytest.param(
            {"given_up": 1, "verification": verified(lost=("x",))}, 0.4, "failed", "1 lost", id="failed goes first"
        ),
    ],
)
def test_a_starved_machine_is_neither_blamed_on_the_system_nor_an_excuse_for_it(
    changes: dict[str, Any], share: float, word: str, printed: str | None
) -> None:
    found, status, first_broken = judged(
        OBJECTIVES, started=0.0, started_at=LOST_AT, starvation=starving(share), **changes
    )

    assert (found, status) == (word, {"passed": 0, "failed": 1, "inconclusive": 4}[word])
    assert (printed or "") in (first_broken or "")


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        pytest.param({}, False, id="passed"),
        pytest.param(DRAINED_LATE, True, id="late and nothing else"),
        pytest.param({"interruptions": [Interruption(start=10, end=None)]}, True, id="never in the time of the run"),
        pytest.param({"shed": 3}, True, id="inconclusive"),
        pytest.param({**DRAINED_LATE, "shed": 3}, True, id="late and inconclusive"),
        pytest.param({**DRAINED_LATE, "given_up": 1}, False, id="late, and clients gave up"),
        pytest.param({"verification": verified(lost=("x",))}, False, id="lost is lost at any speed"),
    ],
)
def test_a_run_that_missed_times_and_nothing_else_may_pass_at_a_lower_speed(
    changes: dict[str, Any], *, may: bool
) -> None:
    assert verdict.may_pass_slower(verdict.checks(OBJECTIVES, measured(**changes))) is may


def test_only_starvation_during_a_phase_counts_for_it() -> None:
    elsewhere = starving(0.9, start=-100, end=8)

    found, _, _ = judged(OBJECTIVES, started_at=LOST_AT, starvation=elsewhere, **DRAINED_LATE)

    assert found == "failed"
