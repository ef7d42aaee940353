"""The recovery in the report: moments of failover and failback, runs of the workflows, the database."""

import math
from collections.abc import Iterator

from drill.model.objectives import SENTINEL_AWS_SECONDS
from drill.observe.progress import FaultPeriod, Progress
from drill.observe.workflow_runs import WorkflowRun
from drill.report import model
from drill.scenarios.settings import RehearsalSettings
from drill.verdict.result import RunResult

_LAGS = 200  # points of a curve
OUT_OF_SERVICE, ANSWERED = "its targets are out of service", "the other region answers its first client"
BEGUN, DRAINED = "the failover begins", "the ledger is drained"
PROMOTION_REQUESTED, WRITER_ACCEPTS = "the promotion is requested", "the new writer accepts writes"
SWITCHOVER_REQUESTED = "the switchover is requested"
PUBLISHED, VERIFIED = "the new writer is published", "a payment is verified end to end"
_FAILOVER = {
    "fence": "the lost region is fenced",
    "change": PROMOTION_REQUESTED,
    "writer": WRITER_ACCEPTS,
    "publish": PUBLISHED,
    "replay": DRAINED,
    "verification": VERIFIED,
}
_FAILBACK = {
    "change": SWITCHOVER_REQUESTED,
    "writer": "the writer is back",
    "publish": "the writer is published",
    "unfence": "the region is no longer fenced",
    "replay": "the ledger is drained again",
    "verification": "a payment is verified again",
}


def moment_reports(settings: RehearsalSettings, progress: Progress, result: RunResult) -> list[model.MomentReport]:
    """In order. Empty where no region was lost, and none was left."""
    loss = progress.loss or (progress.disturbed if result.took_over else None)
    if loss is None:
        return []

    def moment(name: str, at: float, limit: float | None = None) -> model.MomentReport:
        aws = (at - loss.at) * settings.speed
        return model.MomentReport(name=name, at=at, aws_seconds=aws, limit_aws_seconds=limit)

    moments = [moment(f"the region {loss.region} is lost" if loss.is_loss else loss.name, loss.at)]
    moments += [moment(name, at, limit) for name, at, limit in _traffic_moved(loss, progress, result)]
    for run in result.runs:
        if run.machine == "failover" and run.went_on:
            limit = SENTINEL_AWS_SECONDS if run.document.get("preconditions", {}).get("detected_at") else None
            moments.append(moment(BEGUN, progress.at(run.started), limit))
            named = {**_FAILOVER, "change": _FAILBACK["change"]} if run.method == "switchover" else _FAILOVER
            moments += [moment(*each) for each in _of(run, named, progress)]
        elif run.machine == "failback":
            moments.append(moment("the failback begins", progress.at(run.started)))
            moments += [moment(*each) for each in _of(run, _FAILBACK, progress)]
            if run.ended is not None and run.status != "SUCCEEDED":
                moments.append(moment("the failback fails", progress.at(run.ended)))
    if result.promoted_at is not None:
        moments.append(moment("the database accepts writes in the other region", progress.at(result.promoted_at)))
    moments += [
        moment(f"the region {fault.region} is reachable again", fault.ended_at)
        for fault in progress.faults
        if fault.is_loss and fault.ended_at is not None
    ]
    again = [fault for fault in progress.faults if fault.is_loss and fault is not loss]
    moments += [moment(f"the region {fault.region} is lost again", fault.at) for fault in again]
    return sorted(moments, key=lambda each: each.at)


def _traffic_moved(
    loss: FaultPeriod, progress: Progress, result: RunResult
) -> Iterator[tuple[str, float, float | None]]:
    unhealthy = [seen.at for seen in progress.seen_unhealthy(loss.at) if seen.region == loss.region]
    if unhealthy:
        yield OUT_OF_SERVICE, min(unhealthy), result.limits.rto_limit_aws_seconds
    elsewhere = [each.ended for each in result.record.attempts if each.ok and each.region != loss.region]
    served = [ended for ended in elsewhere if ended >= result.fault_at]
    before = any(ended < loss.at for ended in elsewhere)
    if served and not before:
        yield ANSWERED, min(served), None


def _of(run: WorkflowRun, names: dict[str, str], progress: Progress) -> Iterator[tuple[str, float]]:
    for step, name in names.items():
        if (at := run.moment(step)) is not None:
            yield name, progress.at(at)


def workflow_reports(progress: Progress, result: RunResult) -> list[model.WorkflowReport]:
    return [
        model.WorkflowReport(
            machine=run.machine,
            region=run.region,
            name=run.name,
            status=run.status.lower(),
            at=progress.at(run.started),
            seconds=None if run.ended is None else run.ended - run.started,
            held_because=run.held_because,
            failure=run.failure,
            steps=[
                model.WorkflowStepReport(
                    name=step.name,
                    at=progress.at(step.entered),
                    seconds=(step.left or run.ended or step.entered) - step.entered,
                )
                for step in run.steps
            ],
            writer_change=str(run.document.get("metrics", {}).get("writer_change", "")),
            aws_seconds=dict(run.document.get("metrics", {}).get("seconds", {})),
        )
        for run in result.runs
    ]


def database_report(progress: Progress, result: RunResult) -> model.DatabaseReport | None:
    if not result.status.databases:
        return None
    begin = result.load_started
    writers = [
        model.WriterReport(
            region=member.region,
            at=max(progress.at(interval.since), begin),
            until=None if interval.until is None else progress.at(interval.until),
        )
        for member in result.status.databases
        for interval in member.writer_intervals
        if interval.until is None or progress.at(interval.until) > begin
    ]
    thin = max(1, math.ceil(len(progress.lags) / _LAGS))
    loss = result.promotion_loss
    return model.DatabaseReport(
        writers=sorted(writers, key=lambda each: each.at),
        lags=[model.LagReport(at=at, aws_seconds=lag) for at, lag in progress.lags[::thin]],
        written=[model.WrittenReport.model_validate(each) for each in result.written],
        promotion_loss=model.PromotionLossReport.model_validate(loss) if loss else None,
        two_writers=list(result.two_writers),
    )
