"""Measured runs for tests of the verdict: one that meets every objective, and changes to it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drill.model.attempts import Intent, Record
from drill.model.expectation import HealthSettings
from drill.model.objectives import Objectives, Service, TakeOver
from drill.observe.starvation import Starvation
from drill.observe.workflow_runs import RunStep, WorkflowRun
from drill.verdict import verdict
from drill.verdict.interruptions import Interruption
from drill.verdict.reconcile import Verification
from drill.verdict.result import Limits, RunResult
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
        "change": {"at": moment(begun + 2), "state": "started", "method": "promotion"},
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
SWITCHED_OVER = failover(document={"change": {"at": moment(42), "state": "started", "method": "switchover"}})
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


def starving(share: float, *, start: float = -100.0, end: float = 100.0) -> Starvation:
    """This machine had no processor for the run for `share` of the time between two moments of the run."""
    starvation = Starvation()
    starvation.add(start, end, share * (end - start))
    return starvation


DRAINED_LATE = {"runs": (failover(document={"replay": {"at": moment(40 + 60 + 18)}}), FAILBACK)}  # 18 of 15 AWS s
