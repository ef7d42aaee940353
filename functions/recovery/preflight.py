"""Health of both regions' endpoints, and whether a region is ready for a failback."""

from botocore.exceptions import BotoCoreError, ClientError

from common.backlog import BacklogUnavailable
from common.control.records import RegionState
from common.health_endpoints import FENCED, OK, probe_health
from common.table_replica import ReplicaUnavailable

from .context import RecoveryContext
from .database import find_member, run_sql
from .errors import RegionNotReady, ReplayFailed
from .ledger_replay import replay
from .models import PreflightInput, PreflightOutput, ReplayInput

_PROBE_SECONDS = 5.0
_REPLAY_SECONDS = 30.0  # AWS seconds in which the ledger has to catch up; the task itself has 60
# Each member's region and lag in milliseconds, by engine; the writer's own is -1 or 0 [AURORA-21].
LAG_QUERIES = {
    "aurora-postgresql": "SELECT aws_region, CAST(durability_lag_in_msec AS bigint) FROM aurora_global_db_status()",
    "aurora-mysql": """SELECT aws_region, CAST(durability_lag_in_milliseconds AS signed)
        FROM information_schema.aurora_global_db_status""",
}


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
    lag, behind = (None, None) if member.is_writer else reader_lag(request.writer_region, ctx)
    if behind:
        problems.append(behind)
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


def reader_lag(reader: str, ctx: RecoveryContext) -> tuple[float | None, str | None]:
    """The lag of the member in `reader` in seconds, as the writer reports it, and the reason if it prevents a failback.

    Not CloudWatch's figure, which may be minutes old and does not exist where no member has reported [AURORA-16]. An
    unknown lag is a problem: the pause of writes during the switchover would last as long as it.
    """
    writer = ctx.settings.peer_region if reader == ctx.region else ctx.region
    unknown = f"the replication lag of the database in {reader} is unknown"
    try:
        rows = run_sql(ctx, writer, LAG_QUERIES[ctx.settings.database_engine])
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        return None, f"{unknown}: the writer in {writer} does not answer: {code}"
    # The Data API returns NULL as the boolean of `isNull`.
    found = [shown for region, shown in rows if region == reader and not isinstance(shown, bool) and shown >= 0]
    if not found:
        return None, f"{unknown}: the writer in {writer} shows none"
    # The database measures in seconds of its machine.
    lag, limit = max(found) / 1000 * ctx.pace.speed, ctx.settings.lag_limit_seconds
    return lag, f"the database in {reader} is {lag:.1f} s behind; the limit is {limit:.1f} s" if lag > limit else None
