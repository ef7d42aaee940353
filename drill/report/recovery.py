"""The recovery as its report has it: the moments of a failover and a failback, the workflows' runs, the database."""

import math
from collections.abc import Iterator, Sequence

from drill.model.attempts import Attempt
from drill.model.objectives import SENTINEL_AWS_SECONDS
from drill.observe.progress import Fault, Progress
from drill.observe.workflow_runs import WorkflowRun
from drill.report import model
from drill.report.traffic import rounded
from drill.scenarios.settings import RehearsalSettings
from drill.verdict.result import Found

_LAGS = 200  # points of a curve
BEGUN, DRAINED = "the failover begins", "the ledger is drained"
_FAILOVER = {
    "fence": "the lost region is fenced",
    "change": "the promotion is asked for",
    "writer": "the new writer is known to write",
    "publish": "the new writer is published",
    "replay": DRAINED,
    "verification": "a payment is proved end to end",
}
_FAILBACK = {
    "change": "the switchover is asked for",
    "writer": "the writer is back",
    "publish": "the writer is published",
    "unfence": "the region is no longer fenced",
    "replay": "the ledger is drained again",
    "verification": "a payment is proved again",
}


def promoted_at(found: Found) -> float | None:
    """When the failover's new writer took writes, by the database itself (Unix time)."""
    run = _took_over(found)
    asked = run.moment("change") if run else None
    if run is None or asked is None:
        return None
    begun = [
        interval.since
        for member in found.status.databases
        if member.region == run.region
        for interval in member.writer_intervals
        if interval.since >= asked
    ]
    return min(begun, default=None)


def _took_over(found: Found) -> WorkflowRun | None:
    return next((run for run in found.runs if run.machine == "failover" and run.went_on), None)


def moment_reports(
    settings: RehearsalSettings, progress: Progress, found: Found, after: Sequence[Attempt]
) -> list[model.MomentReport]:
    """In order. Empty where no region was lost."""
    loss = progress.loss
    if loss is None:
        return []

    def moment(name: str, at: float, limit: float | None = None) -> model.MomentReport:
        aws = rounded((at - loss.at) * settings.speed)
        return model.MomentReport(name=name, at=rounded(at), aws_seconds=aws, limit_aws_seconds=limit)

    moments = [moment(f"the region {loss.region} is lost", loss.at)]
    moments += [moment(name, at, limit) for name, at, limit in _traffic_moved(loss, progress, found, after)]
    for run in found.runs:
        if run.machine == "failover" and run.went_on:
            limit = SENTINEL_AWS_SECONDS if run.document.get("preconditions", {}).get("detected_at") else None
            moments.append(moment(BEGUN, progress.at(run.started), limit))
            moments += [moment(*each) for each in _of(run, _FAILOVER, progress)]
        elif run.machine == "failback":
            moments.append(moment("the failback begins", progress.at(run.started)))
            moments += [moment(*each) for each in _of(run, _FAILBACK, progress)]
            if run.ended is not None and run.status != "SUCCEEDED":
                moments.append(moment("the failback gives up", progress.at(run.ended)))
    if (promoted := promoted_at(found)) is not None:
        moments.append(moment("the database takes writes in the other region", progress.at(promoted)))
    moments += [
        moment(f"the region {fault.region} is reachable again", fault.ended_at)
        for fault in progress.faults
        if fault.is_loss and fault.ended_at is not None
    ]
    again = [fault for fault in progress.faults if fault.is_loss and fault is not loss]
    moments += [moment(f"the region {fault.region} is lost again", fault.at) for fault in again]
    return sorted(moments, key=lambda each: each.at)


def _traffic_moved(
    loss: Fault, progress: Progress, found: Found, after: Sequence[Attempt]
) -> Iterator[tuple[str, float, float | None]]:
    unhealthy = [
        seen.at
        for seen in progress.seen
        if seen.what == "targets" and seen.region == loss.region and seen.state == "unhealthy" and seen.at >= loss.at
    ]
    if unhealthy:
        yield "its targets are out of service", min(unhealthy), found.limits.rto_aws_seconds
    served = [each.ended for each in after if each.ok and each.region != loss.region]
    before = any(each.region != loss.region for each in found.load.record.attempts if each.ok and each.ended < loss.at)
    if served and not before:
        yield "the other region answers its first client", min(served), None


def _of(run: WorkflowRun, names: dict[str, str], progress: Progress) -> Iterator[tuple[str, float]]:
    for step, name in names.items():
        if (at := run.moment(step)) is not None:
            yield name, progress.at(at)


def workflow_reports(progress: Progress, found: Found) -> list[model.WorkflowReport]:
    return [
        model.WorkflowReport(
            machine=run.machine,
            region=run.region,
            name=run.name,
            status=run.status.lower(),
            at=rounded(progress.at(run.started)),
            seconds=None if run.ended is None else rounded(run.ended - run.started),
            held_because=run.held_because,
            failure=run.failure,
            steps=[
                model.WorkflowStepReport(
                    name=step.name,
                    at=rounded(progress.at(step.entered)),
                    seconds=rounded((step.left or run.ended or step.entered) - step.entered),
                )
                for step in run.steps
            ],
            aws_seconds=dict(run.document.get("metrics", {}).get("seconds", {})),
        )
        for run in found.runs
    ]


def database_report(progress: Progress, found: Found) -> model.DatabaseReport | None:
    if not found.status.databases:
        return None
    begin = found.load.started or 0.0
    writers = [
        model.WriterReport(
            region=member.region,
            at=rounded(max(progress.at(interval.since), begin)),
            until=None if interval.until is None else rounded(progress.at(interval.until)),
        )
        for member in found.status.databases
        for interval in member.writer_intervals
        if interval.until is None or progress.at(interval.until) > begin
    ]
    thin = max(1, math.ceil(len(progress.lags) / _LAGS))
    loss = found.promotion_loss
    return model.DatabaseReport(
        writers=sorted(writers, key=lambda each: each.at),
        lags=[model.LagReport(at=rounded(at), aws_seconds=rounded(lag)) for at, lag in progress.lags[::thin]],
        written=[model.WrittenReport(region=each.region, epoch=each.epoch, rows=each.rows) for each in found.written],
        promotion_loss=model.PromotionLossReport(had=loss.had, lost=loss.lost, brought_back=loss.brought_back)
        if loss
        else None,
        two_writers=list(found.two_writers),
    )


def decision_reports(progress: Progress, found: Found) -> list[model.DecisionReport]:
    return [
        model.DecisionReport(
            region=each.region,
            at=rounded(progress.at(each.at)),
            verdict=each.verdict,
            reason=each.reason,
            times=each.times,
        )
        for each in found.decisions
    ]
