"""The verdict: one violated expectation is enough, and the exit status shows its kind."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from drill.model.attempts import Attempt, Intent, Outcome, Record
from drill.model.expectation import HealthSettings
from drill.model.objectives import NoTakeOver, Objectives, Service, TakeOver
from drill.model.status import ControlCall
from drill.observe.progress import FaultPeriod, Progress, Stage
from drill.observe.sentinel_log import Decision
from drill.observe.starvation import Starvation
from drill.observe.workflow_runs import RunStep, WorkflowRun
from drill.verdict import verdict
from drill.verdict.interruptions import Interruption
from drill.verdict.reconcile import Verification
from drill.verdict.result import Awaited, Limits, RunResult
from drill.verdict.writers import PromotionLoss
from shared.places import Place

ALL_WELL = Verification(
    acknowledged=100,
    in_journal=100,
    in_journal_by_region={"us-east-1": 100, "us-east-2": 100},
    unconfirmed=0,
    lost=(),
    duplicated=(),
    in_ledger_by_region={"us-east-1": 100, "us-east-2": 100},
)
OBJECTIVES = Objectives(service=Service(moves_to=Place.SECONDARY), take_over=TakeOver(lost=Place.PRIMARY))
LOST_AT, SPEED = 1_000_000.0, 5.0
LIMITS = Limits(
    health_checks=[
        HealthSettings(region="us-east-1", interval_aws_seconds=5, unhealthy_threshold=2, healthy_threshold=2)
    ],
    speed=SPEED,
)
GAVE_UP = Intent(number=1, reference="r", payment_id="p", body={}, offered=0.0, given_up="refused with 400")


def moment(aws_seconds: float) -> str:
    return datetime.fromtimestamp(LOST_AT + aws_seconds / SPEED, UTC).isoformat()


def failover(begun: float = 40.0, **changes: Any) -> WorkflowRun:
    """A failover that the sentinel began `begun` AWS seconds after the loss; the promotion took 60, the rest 8."""
    document = {
        "preconditions": {"met": True, "detected_at": moment(begun - 1)},
        "fence": {"at": moment(begun + 1)},
        "change": {"at": moment(begun + 2), "state": "started", "way": "promotion"},
        "writer": {"at": moment(begun + 64)},
        "replay": {"at": moment(begun + 68), "posted": 12},
        "verification": {"at": moment(begun + 70), "payment_id": "synthetic-1", "posted_after_seconds": 1.0},
    }
    values: dict[str, Any] = {
        "machine": "failover", "region": "us-east-2", "name": "failover-us-east-1-0-0-0", "status": "SUCCEEDED",
        "started": LOST_AT + begun / SPEED, "ended": LOST_AT + (begun + 72) / SPEED,
        "document": document | changes.pop("document", {}),
        "steps": (RunStep(name="Guard", entered=0, left=1), RunStep(name="Fence", entered=1, left=2)),
    }  # fmt: skip
    return WorkflowRun(**(values | changes))


FAILBACK = failover(machine="failback", name="drill-failback-1")
NOTHING_TO_PROMOTE = failover(
    document={"change": {"at": moment(42), "state": "already-writer"}, "replay": {"at": moment(50)}}
)
SWITCHED_OVER = failover(document={"change": {"at": moment(42), "state": "started", "way": "switchover"}})
HELD = failover(
    name="drill-failover-2", document={"preconditions": {"met": False, "reason": "another run is in progress"}}
)


def measured(**changes: Any) -> RunResult:
    good: dict[str, Any] = {
        "speed": SPEED,
        "limits": LIMITS,
        "interruptions": [Interruption(start=10.0, end=14.0)],
        "load_ended": 60.0,
        "failed_before_fault": 0,
        "answered_meanwhile": {"us-east-2": 500},
        "calls_refused": 12,
        "shed": 0,
        "given_up": 0,
        "verification": ALL_WELL,
        "not_restored": None,
        "left_behind": (),
        "unobserved": (),
        "regions": {"primary": "us-east-1", "secondary": "us-east-2"},
        "lost_at": LOST_AT,
        "runs": (failover(), FAILBACK),
        "calls_counted": True,
        "promoted_at": LOST_AT + (42 + 60) / SPEED,
    }
    values = good | changes
    values["record"] = Record(intents=[GAVE_UP] * values.pop("given_up"), shed=values.pop("shed"))
    values["calls_refused_by"] = {"data:nlb": values.pop("calls_refused")}
    return RunResult(**values)


def verified(**changes: Any) -> Verification:
    return replace(ALL_WELL, **changes)


def judged(objectives: Objectives, **changes: Any) -> tuple[str, int, str | None]:
    checks = verdict.checks(objectives, measured(**changes))
    word, first_broken = verdict.verdict(checks)
    return word, verdict.exit_status(checks), first_broken


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


QUIET = Objectives(
    service=Service(interrupted=False, serves_both=True),
    take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-peer-up"})),
    is_lost=False,
)
HOLDS = Decision(at=LOST_AT, region="us-east-2", verdict="hold", reason="witness-peer-up")
CALM: dict[str, Any] = {
    "interruptions": (),
    "answered_meanwhile": {"us-east-1": 9, "us-east-2": 9},
    "calls_refused": 0,
    "runs": (),
    "decisions": (HOLDS,),
}


def test_where_nothing_must_happen_nothing_passes() -> None:
    assert judged(QUIET, **CALM) == ("passed", 0, None)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"runs": (HELD,)},
            "no failover begins: expected no run of a workflow, found failover drill-failover-2 in us-east-2",
        ),
        (
            {"decisions": (replace(HOLDS, reason="cool-down"),)},
            "the sentinel of us-east-2 holds for the expected reason: expected witness-peer-up, found cool-down",
        ),
        (
            {"decisions": (replace(HOLDS, region="us-east-1"),)},
            "the sentinel of us-east-2 holds for the expected reason",
        ),
        ({"decisions": (replace(HOLDS, verdict="act"),)}, "the sentinel of us-east-2 holds for the expected reason"),
        (
            {"interruptions": (Interruption(start=10, end=10.2), Interruption(start=20, end=21.1))},
            "service continues without an interruption: expected none above 1.00 s, found 2, the longest 1.10 s",
        ),
        (
            {"answered_meanwhile": {"us-east-1": 9}},
            "both regions serve their clients: expected answers from both, found 9 from us-east-1, 0 from us-east-2",
        ),
    ],
)
def test_where_nothing_must_happen_everything_fails(changes: dict[str, Any], named: str) -> None:
    word, status, first_broken = judged(QUIET, **(CALM | changes))

    assert first_broken is not None
    assert first_broken.startswith(named)
    assert (word, status) == ("failed", 1)


def with_take_over(**changes: Any) -> Objectives:
    return replace(OBJECTIVES, take_over=TakeOver(lost=Place.PRIMARY, **changes))


@pytest.mark.parametrize(
    ("objectives", "good", "bad", "named"),
    [
        (
            with_take_over(loses_rows=True),
            {"promotion_loss": PromotionLoss(had=90, lost=30, brought_back=30)},
            {"promotion_loss": PromotionLoss(had=90, lost=30, brought_back=29)},
            "the replay restores the rows that the promotion lost: expected rows lost, and all of them restored, found "
            "30 of 90 rows lost, 29 restored",
        ),
        (
            with_take_over(by_switchover=True),
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            {"runs": (failover(), FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            "the database is switched over, and loses no row: expected switchover, 0 rows lost, found promotion, 0 of "
            "90 rows lost",
        ),
        (
            with_take_over(by_switchover=True),
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=1, brought_back=1)},
            "the database is switched over, and loses no row: expected switchover, 0 rows lost, found switchover, 1 of "
            "90 rows lost",
        ),
        (
            with_take_over(by_switchover=True),
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            {"runs": (SWITCHED_OVER, FAILBACK)},
            "the database is switched over, and loses no row: expected switchover, 0 rows lost, found switchover, no "
            "snapshot of the ledger",
        ),
        (
            with_take_over(loses_rows=True),
            {"promotion_loss": PromotionLoss(had=90, lost=1, brought_back=1)},
            {"promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            "the replay restores the rows",
        ),
        (
            with_take_over(by_sentinel=False, requested=2),
            {"runs": (failover(), HELD, FAILBACK)},
            {"runs": (failover(), FAILBACK)},
            "exactly one failover takes place, and succeeds: expected 1 run succeeds of 2 or more that were started",
        ),
        (
            with_take_over(promotes=False),
            {"runs": (NOTHING_TO_PROMOTE, FAILBACK), "promoted_at": None},
            {"runs": (failover(), FAILBACK), "promoted_at": None},
            "the ledger is drained in time, apart from",
        ),
        (
            replace(OBJECTIVES, second_runs=2),
            {"second_runs": ({"primary": [], "global": []},) * 2},
            {"second_runs": ({"primary": [], "global": []}, {"primary": [], "global": ["updated: x"]})},
            "running the stack programs again changes nothing: expected 0 changes, 2 times, found changes: primary 0, "
            "global 0; primary 0, global 1 (updated: x)",
        ),
        (
            replace(OBJECTIVES, second_runs=2),
            {"second_runs": ({"global": []},) * 2},
            {"second_runs": ({"global": []},)},
            "running the stack programs again",
        ),
        (
            replace(OBJECTIVES, poisoned=2),
            {"reported_poison": {"poison-a": "lacks amount", "poison-b": "refused"}},
            {"reported_poison": {"poison-a": "lacks amount"}},
            "entries that cannot be posted become dead letters, with the reason: expected 2 reported, found poison-a",
        ),
        (
            replace(OBJECTIVES, poisoned=1),
            {"reported_poison": {"poison-a": "refused"}},
            {"reported_poison": {"poison-a": ""}},
            "entries that cannot be posted become dead letters",
        ),
    ],
)  # fmt: skip
def test_what_only_some_scenarios_must_show_is_seen_to_fail(
    objectives: Objectives, good: dict[str, Any], bad: dict[str, Any], named: str
) -> None:
    assert judged(objectives, **good) == ("passed", 0, None)

    word, status, first_broken = judged(objectives, **bad)
    assert first_broken is not None
    assert first_broken.startswith(named)
    assert (word, status) == ("failed", 1)


def starving(share: float, *, start: float = -100.0, end: float = 100.0) -> Starvation:
    """This machine had no processor for the run for `share` of the time between two moments of the run."""
    starvation = Starvation()
    starvation.add(start, end, share * (end - start))
    return starvation


DRAINED_LATE = {"runs": (failover(document={"replay": {"at": moment(40 + 60 + 18)}}), FAILBACK)}  # 18 of 15 AWS s


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
