"""Health of both regions' endpoints, and whether a region is ready for a failback."""

from datetime import timedelta

from common.backlog import BacklogUnavailable
from common.control.records import RegionState
from common.health_endpoints import FENCED, OK, probe_health
from common.table_replica import ReplicaUnavailable

from .context import RecoveryContext, service_errors
from .database import find_member
from .errors import RegionNotReady, ReplayFailed
from .ledger_replay import replay
from .models import PreflightInput, PreflightOutput, ReplayInput

_PROBE_SECONDS = 5.0
_LAG_WINDOW = timedelta(minutes=5)
_LAG_PERIOD = 60
_REPLAY_SECONDS = 30.0  # AWS seconds in which the ledger has to catch up; the task itself has 60


def probe_endpoints(ctx: RecoveryContext, region: str) -> dict[str, str]:
    """Health by endpoint of `region`, as `common.health_endpoints.probe_health` returns it. Raises EndpointsNotFound
    and ServiceUnavailable."""
    deadline = max(ctx.pace.real(_PROBE_SECONDS), ctx.settings.answer_seconds)
    return {name: probe_health(url, deadline_seconds=deadline) for name, url in ctx.endpoints(region).urls().items()}


def preflight(request: PreflightInput, ctx: RecoveryContext) -> PreflightOutput:
    """Check that both regions are healthy, that the future writer has little replication lag, and that nothing is left
    to post before the writer moves. Raises RegionNotReady with all problems, MemberNotFound, EndpointsNotFound,
    ServiceUnavailable, and ReplicaUnavailable for the own replica.
    """
    problems = []
    endpoints = {}
    for region, accepted in ((ctx.region, {OK}), (request.region, {OK, FENCED})):
        for endpoint, health in probe_endpoints(ctx, region).items():
            endpoints[f"{region} {endpoint}"] = health
            if health not in accepted:
                problems.append(f"{endpoint} of {region} reports {health}")
    member = find_member(ctx, request.writer_region, caller=ctx.region)
    problems += _journal_problems(request.region, ctx) or backlog_problems(ctx, moves=not member.is_writer)
    if not member.connected:
        problems.append(f"the database in {request.writer_region} is not replicating from the writer")
    lag = None if member.is_writer else _reader_lag(ctx, request.writer_region, member.arn)
    if lag is not None and lag > (limit := ctx.settings.lag_limit_seconds):
        problems.append(f"the database in {request.writer_region} is {lag:.1f} s behind; the limit is {limit:.1f} s")
    if problems:
        raise RegionNotReady("; ".join(problems))
    return PreflightOutput(endpoints=endpoints, reader_lag_seconds=lag, at=ctx.now())


def _journal_problems(region: str, ctx: RecoveryContext) -> list[str]:
    """Whether the region's replica has received the newest control records."""
    try:
        theirs = ctx.control.records_at_peer()
    except ReplicaUnavailable as error:
        return [f"the journal in {region} does not answer: {error.reason}"]
    ours = ctx.control.records()
    if theirs.peer.epoch < ours.peer.epoch or theirs.writer.epoch < ours.writer.epoch:
        return [f"the journal in {region} has not received the newest control records"]
    if ours.peer.state is RegionState.UNKNOWN:
        return [f"the control record of {region} is invalid"]
    return []


def backlog_problems(ctx: RecoveryContext, *, moves: bool) -> list[str]:
    """Whether the backlogs hold payments that the writer's ledger cannot post before the writer moves.

    Without `moves`, the database's writer is in its future region. After a failback that was interrupted during its
    switchover, no ledger can post until another one publishes the writer's region.
    """
    if not moves:
        return []
    try:
        for backlog in ctx.backlogs:
            backlog.extent()
    except BacklogUnavailable as error:
        return [str(error)]
    writer = ctx.control.records().writer.region
    if writer is None:
        return []
    try:
        replayed = replay(ReplayInput(writer_region=writer, seconds=_REPLAY_SECONDS), ctx)
    except ReplayFailed as error:
        # A writer that may not post is what some failbacks end; the next writer reads the same backlogs.
        return [] if error.is_paused else [str(error)]
    if not replayed.done:
        return [
            f"the ledger in {writer} is behind: it has just posted {replayed.posted} payments, and has more to post"
        ]
    return []


def _reader_lag(ctx: RecoveryContext, region: str, cluster: str) -> float | None:
    """The reader's maximum replication lag of the last minutes, in seconds; None if CloudWatch has no data.

    AuroraGlobalDBReplicationLag, in milliseconds, is published in the reader's region [AURORA-16].
    """
    now = ctx.pace.now()
    with service_errors(f"CloudWatch in {region}"):
        found = ctx.client("cloudwatch", region).get_metric_statistics(
            Namespace="AWS/RDS",
            MetricName="AuroraGlobalDBReplicationLag",
            Dimensions=[{"Name": "DBClusterIdentifier", "Value": cluster.rpartition(":")[2]}],
            StartTime=now - _LAG_WINDOW,
            EndTime=now,
            Period=_LAG_PERIOD,
            Statistics=["Maximum"],
        )
    points = [float(each["Maximum"]) for each in found["Datapoints"]]
    return max(points) / 1000 if points else None
