"""The verdict: one violated expectation is enough, and the exit status shows its kind."""

from dataclasses import replace
from typing import Any

import pytest

from drill.model.attempts import Attempt, Outcome
from drill.model.status import ControlCall
from drill.observe.progress import FaultPeriod, Progress, Stage
from drill.verdict.interruptions import Interruption
from drill.verdict.result import Awaited
from tests.drill.verdicts import (
    DRAINED_LATE,
    FAILBACK,
    LOST_AT,
    OBJECTIVES,
    SPEED,
    failover,
    judged,
    measured,
    moment,
    verified,
)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as it must be"),
        pytest.param({"interruptions": []}, id="nobody noticed the outage"),
        pytest.param(
            {"interruptions": [Interruption(start=10, end=14), Interruption(start=40, end=40.5)]},
            id="a short hiccup when the region returns",
        ),
        pytest.param(
            {"interruptions": [Interruption(start=10, end=14), Interruption(start=59.5, end=None)]},
            id="a failure so late that nothing steady could follow",
        ),
        pytest.param({"interruptions": [Interruption(start=10, end=14.4004)]}, id="at the limit, to the millisecond"),
        pytest.param({"verification": verified(unconfirmed=3, synthetic=2)}, id="payments nobody was reported of"),
        pytest.param({"runs": (failover(55.0), FAILBACK), "promoted_at": LOST_AT + 117 / SPEED}, id="just in time"),
    ],
)
def test_a_run_that_meets_everything_passes(changes: dict[str, Any]) -> None:
    assert judged(OBJECTIVES, **changes) == ("passed", 0, None)


@pytest.mark.parametrize(
    ("changes", "word", "status", "named"),
    [
        (
            {"verification": verified(lost=("x is absent",), in_journal=99)},
            "failed",
            1,
            "no acknowledged payment is lost: expected 0 lost, found 1",
        ),
        ({"verification": verified(duplicated=("x was paid 2 times",))}, "failed", 1, "no payment is made twice"),
        (
            {"verification": verified(missing_in_ledger=("x has no row",))},
            "failed",
            1,
            "every payment is in the ledger of both members",
        ),
        ({"verification": verified(journals_differ=("x",))}, "failed", 1, "both regions hold the same data"),
        ({"verification": verified(ledgers_differ=("x",))}, "failed", 1, "both regions hold the same data"),
        ({"verification": verified(unannounced=("x",))}, "failed", 1, "every posted payment is announced"),
        (
            {"two_writers": ("us-east-1 and us-east-2 both posted",)},
            "failed",
            1,
            "two regions never write the ledger at the same time: expected never, found us-east-1 and us-east-2 both "
            "posted",
        ),
        (
            {"interruptions": [Interruption(start=10.0, end=14.401)]},
            "failed",
            1,
            "payments are accepted again in time: expected at most 4.400 s, found 4.401 s",
        ),
        (
            {"interruptions": [Interruption(start=10.0, end=None)]},
            "failed",
            1,
            "payments are accepted again in time: expected at most 4.400 s, found not restored",
        ),
        (
            {"interruptions": [Interruption(start=10, end=12), Interruption(start=40, end=45)]},
            "failed",
            1,
            "service stays restored",
        ),
        (
            {"interruptions": [Interruption(start=10, end=12), Interruption(start=50, end=None)]},
            "failed",
            1,
            "service stays restored",
        ),
        ({"answered_meanwhile": {"us-east-1": 3}}, "failed", 1, "traffic moves to the other region by itself"),
        ({"given_up": 2}, "failed", 1, "every client gets an answer in the end: expected 0 gave up, found 2"),
        ({"failed_before_fault": 1}, "failed", 1, "nothing failed before the fault"),
        ({"calls_refused": 0}, "inconclusive", 4, "the region was really down"),
        ({"shed": 3}, "inconclusive", 4, "the load kept its schedule"),
        ({"unobserved": ("at 3 s no answer",)}, "inconclusive", 4, "the system was observed throughout"),
        ({"not_restored": "targets: 0 of 1"}, "failed", 3, "the steady state returns"),
        ({"left_behind": ("postgres (12)",)}, "failed", 3, "no process is left behind"),
        (
            {"not_restored": "x", "verification": verified(lost=("x",))},
            "failed",
            3,
            "no acknowledged payment is lost",
        ),
        ({"shed": 3, "given_up": 1}, "failed", 1, "every client gets an answer in the end"),
        (
            {"runs": ()},
            "failed",
            1,
            "exactly one failover takes place, and succeeds: expected 1 run succeeds, found no run",
        ),
        (
            {"runs": (failover(), replace(failover(), name="again"), FAILBACK)},
            "failed",
            1,
            "exactly one failover takes place, and succeeds",
        ),
        (
            {"runs": (failover(status="FAILED", failure="Declined"), FAILBACK)},
            "failed",
            1,
            "exactly one failover takes place, and succeeds: expected 1 run succeeds, found failover-us-east-1-0-0-0 "
            "failed Declined",
        ),
        ({"calls_counted": False}, "failed", 1, "no control plane is called: not the lost"),
        (
            {
                "control_calls": (
                    ControlCall(
                        caller="function",
                        region="us-east-1",
                        service="rds",
                        operation="FailoverGlobalCluster",
                        plane="control",
                        count=2,
                    ),
                )
            },
            "failed",
            1,
            "no control plane is called: not the lost region's, not Route 53's, not Global Accelerator's: expected 0 "
            "calls, found 2 calls: 2 x rds FailoverGlobalCluster in us-east-1 by function",
        ),
        (
            {"runs": (failover(55.1), FAILBACK), "promoted_at": LOST_AT + 117.1 / SPEED},
            "failed",
            1,
            "the sentinel starts the failover in time: expected at most 55 AWS s after the loss, found 55.1 AWS s",
        ),
        (
            {"runs": (failover(document={"preconditions": {"met": True, "detected_at": None}}), FAILBACK)},
            "failed",
            1,
            "the sentinel starts the failover in time",
        ),
        (
            {"runs": (failover(document={"fence": {}}), FAILBACK)},
            "failed",
            1,
            "the lost region is fenced before the database moves: expected fenced first, found not fenced",
        ),
        (
            {"runs": (failover(document={"fence": {"at": moment(50)}}), FAILBACK)},
            "failed",
            1,
            "the lost region is fenced before the database moves: expected fenced first, found 8.0 AWS s after",
        ),
        (
            {"runs": (failover(document={"replay": {"at": moment(40 + 60 + 15.2)}}), FAILBACK)},
            "failed",
            1,
            "the ledger is drained in time, apart from the promotion",
        ),
        ({"promoted_at": None}, "failed", 1, "the ledger is drained in time, apart from the promotion"),
        (
            {"runs": (failover(document={"replay": {}}), FAILBACK)},
            "failed",
            1,
            "the ledger is drained in time: expected drained, found not drained",
        ),
        (
            {"runs": (failover(document={"change": {"at": moment(42), "state": "already-writer"}}), FAILBACK)},
            "failed",
            1,
            "the database's writer moves: expected started, found already",
        ),
        ({"runs": (failover(document={"verification": {}}), FAILBACK)}, "failed", 1, "a payment verifies the recovery"),
        ({"runs": (failover(),)}, "failed", 1, "the failback succeeds: expected 1 succeeded, found none was started"),
        (
            {"runs": (failover(), replace(FAILBACK, status="FAILED", failure="RegionNotReady"))},
            "failed",
            1,
            "the failback succeeds: expected 1 succeeded, found failed RegionNotReady",
        ),
        (
            {
                "awaited": (
                    Awaited(name="the ledger catches up", limit=15, seconds=15.2, met=False, evidence="3 of 9 posted"),
                )
            },
            "failed",
            1,
            "the ledger catches up: expected within 75 AWS s, found not in time: 3 of 9 posted",
        ),
    ],
)
def test_each_broken_expectation_shows_in_verdict_status_and_name(
    changes: dict[str, Any], word: str, status: int, named: str
) -> None:
    found, exit_status, first_broken = judged(OBJECTIVES, **changes)

    assert first_broken is not None
    assert first_broken.startswith(named)
    assert (found, exit_status) == (word, status)


def test_a_run_in_which_nobody_was_acknowledged_proves_nothing() -> None:
    assert judged(OBJECTIVES, verification=verified(acknowledged=0, in_journal=0))[0] == "failed"


def test_without_times_only_the_outcome_of_a_failover_is_judged() -> None:
    late = {**DRAINED_LATE, "interruptions": [Interruption(start=1.0, end=None)]}

    assert judged(OBJECTIVES, **late)[0] == "failed"
    assert judged(replace(OBJECTIVES, timed=False), **late)[0] == "passed"
    assert judged(replace(OBJECTIVES, timed=False), runs=())[0] == "failed"


def test_answers_during_every_fault_count_and_those_between_them_do_not() -> None:
    progress = Progress(
        title="two losses",
        stages=[Stage(name="load", at=1.0)],
        faults=[
            FaultPeriod(name="first", region=None, kind="reset", at=10.0, ended_at=20.0),
            FaultPeriod(name="second", region=None, kind="reset", at=40.0, ended_at=50.0),
        ],
    )
    result = measured()
    answers = {5: "us-east-1", 15: "us-east-1", 30: "us-east-2", 45: "us-east-2", 55: "us-east-1"}
    result.record.attempts += [
        Attempt(intent=0, sent=sent, seconds=0.1, outcome=Outcome.OK, region=region) for sent, region in answers.items()
    ]

    result.conclude(progress, OBJECTIVES, "load")

    assert result.answered_meanwhile == {"us-east-1": 1, "us-east-2": 1}
