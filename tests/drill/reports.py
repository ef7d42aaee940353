"""A report made by hand, for tests of what is drawn and written."""

from datetime import UTC, datetime, timedelta
from typing import Any

from drill.report import model
from drill.verdict import check as verdict_model

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def report(**changes: Any) -> model.Report:
    """A run of 40 s at 50 payments/s: us-east-1 away from 15 s to 35 s, interrupted for 4 s."""
    bins = [
        model.TimelineBin(
            start=5.0 + second,
            ok={} if 10 <= second < 14 else {"us-east-2" if 14 <= second < 33 else "us-east-1": 50},
            failed={"error": 70} if 10 <= second < 14 else {},
        )
        for second in range(40)
    ]
    steps = [
        ("start", None, 0.0, 4.0),
        ("steady state", None, 5.0, 2.0),
        ("take the primary region down", "us-east-1", 15.0, 0.0),
        ("load without the primary region", None, 15.0, 20.0),
        ("bring the primary region back", "us-east-1", 35.0, 0.0),
    ]
    values: dict[str, Any] = {
        "scenario": "region-loss",
        "title": "Lose the primary region",
        "environment": "dev",
        "verdict": "passed",
        "first_broken": None,
        "started_at": STARTED,
        "finished_at": STARTED + timedelta(seconds=50),
        "speed": 5.0,
        "rate": 50.0,
        "duration": 40.0,
        "seed": 1,
        "regions": {"primary": "us-east-1", "secondary": "us-east-2"},
        "outage": model.OutageReport(
            region="us-east-1", kind="reset", at=15.0, healed_at=35.0, calls_refused=9, calls_refused_by={"data:nlb": 9}
        ),
        "traffic": model.TrafficReport(
            sent=2080, ok=1800, failed=280, rto_seconds=4.0, rto_aws_seconds=20.0, longest_gap_seconds=4.1,
            p50_ms=20.0, p99_ms=80.0, by_region={"us-east-1": 850, "us-east-2": 950}, failed_by_outcome={"error": 280},
            failed_before_outage=0, interruptions=[model.InterruptionReport(start=15.0, seconds=4.0)], shed=0,
            latest_arrival_seconds=0.01, offered_per_second=50.0, accepted_per_second=50.0,
            steady_accepted_per_second=50.0, timeline=model.Timeline(start=5.0, end=45.0, bin_seconds=1.0, bins=bins),
        ),
        "payments": model.PaymentsReport(
            acknowledged=1800, in_journal=1800, lost=0, duplicated=0, offered=1800, given_up=0,
            in_journal_by_region={"us-east-1": 1800, "us-east-2": 1800}, unconfirmed=0,
            by_durability={"both-regions": 1800}, evidence=[],
        ),
        "steps": [
            model.StepReport(name=name, region=region, at=at, seconds=seconds, outcome="done", detail="")
            for name, region, at, seconds in steps
        ],
        "limits": model.LimitsReport(rto_limit_seconds=4.4, rto_limit_aws_seconds=22.0, health_checks=[]),
        "checks": [
            verdict_model.CheckReport(name="nothing is lost", kind="objective", expected="0 lost", measured="0 lost",
            met=True)
        ],
        "bounded_by": "the offered rate",
        "resources": model.ResourcesReport(
            cores=2, machine_cores_busy=1.0, processor_share={"server": 0.5}, peak_memory_bytes=10**9, peak_processes=9
        ),
        "deploy_seconds": {"primary": 2.0},
        "not_exercised": ["Database failover"],
        "known_limits": ["One machine"],
    }  # fmt: skip
    return model.Report(**(values | changes))


def recovered(**changes: Any) -> model.Report:
    """The same run with a failover 9 s after the loss and a failback after the return."""
    steps = [
        model.WorkflowStepReport(name=name, at=at, seconds=seconds)
        for name, at, seconds in (
            ("CheckPreconditions", 24.0, 0.2),
            ("DescribeWriter", 24.5, 9.0),
            ("Replay", 33.5, 0.4),
        )
    ]
    failover = model.WorkflowReport(
        machine="failover", region="us-east-2", name="failover-us-east-1-0-0-0", status="succeeded", at=24.0,
        seconds=10.2, held_because=None, failure="", steps=steps, aws_seconds={"writer_change": 45.0},
    )  # fmt: skip
    held = failover.model_copy(update={"name": "failover-2", "held_because": "another run is in progress", "steps": []})
    moments = [
        model.MomentReport(name="the region us-east-1 is lost", at=15.0, aws_seconds=0.0),
        model.MomentReport(name="the failover begins", at=24.0, aws_seconds=45.0, limit_aws_seconds=55.0),
        model.MomentReport(name="the ledger is drained", at=33.9, aws_seconds=94.5),
    ]
    values: dict[str, Any] = {
        "faults": [
            model.FaultReport(
                name="take the primary region down", kind="reset", region="us-east-1", at=15.0, ended_at=35.0
            )
        ],
        "moments": moments,
        "workflows": [failover, held],
        "database": model.DatabaseReport(
            writers=[
                model.WriterReport(region="us-east-1", at=5.0, until=15.0),
                model.WriterReport(region="us-east-2", at=33.0, until=None),
            ],
            lags=[model.LagReport(at=float(at), aws_seconds=float(at)) for at in range(5, 16)],
            written=[model.WrittenReport(region="us-east-1", epoch=0, rows=500)],
            promotion_loss=model.PromotionLossReport(had=500, lost=31, brought_back=31),
            two_writers=[],
        ),
        "control_calls": model.ControlCallsReport(counted=True, total=0, calls=[]),
        "decisions": [
            model.DecisionReport(region="us-east-2", at=24.0, verdict="act", reason="peer-lost", times=1),
        ],
        "second_runs": [{"primary": []}],
    }
    payments = report().payments.model_copy(
        update={"in_ledger_by_region": {"us-east-1": 1800, "us-east-2": 1799}, "missing_in_ledger": 1}
    )
    return report(**({"payments": payments} | values | changes))
