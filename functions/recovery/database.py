"""The writer of the Aurora global database: promotion, switchover, and whether the new writer is ready.

Every call goes to a region that is alive: a promotion to the survivor's RDS, a switchover to the current writer's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.control.rules import Vouched, Witness, may_claim_writer

from .context import RecoveryContext, service_errors
from .errors import DatabaseNotReady, MemberNotFound, ServiceUnavailable, WriterTimeout
from .models import Method, PromoteInput, SwitchoverInput, WriterChange, WriterInput, WriterOutput

# Statuses while RDS changes the writer (API RDS.FailoverState, GlobalCluster.Status).
_CHANGING = frozenset({"pending", "failing-over", "switching-over", "cancelling"})
# Faults for "not in this state": another operation is still in progress (API RDS.FailoverGlobalCluster, Errors).
_BUSY = frozenset({"InvalidGlobalClusterStateFault", "InvalidDBClusterStateFault"})

# Whether the member is a reader, by engine [AURORA-24].
_IS_READER = {"aurora-postgresql": "SELECT pg_is_in_recovery()", "aurora-mysql": "SELECT @@innodb_read_only"}


@dataclass(frozen=True, kw_only=True)
class Member:
    """A region's member of the global cluster, as one region's RDS describes it."""

    arn: str
    is_writer: bool
    connected: bool  # it is replicating; always true for a writer
    change: Method  # of the writer, in progress

    @property
    def changing(self) -> bool:
        """Whether a change of the writer is in progress."""
        return self.change != "none"


def promote(request: PromoteInput, ctx: RecoveryContext) -> WriterChange:
    """Make the own region's member the writer, with data loss allowed.

    Whether RDS accepts it while a switchover is in progress is not documented [AURORA-25]. If it refuses, the step is
    retried until the switchover has moved the writer here, or RDS has abandoned it. Raises MemberNotFound,
    DatabaseNotReady and ServiceUnavailable.
    """
    change = _change(ctx, caller=ctx.region, target=ctx.region, method="promotion")
    if change.state == "already-writer" and request.after_switchover:
        return change.model_copy(update={"method": "switchover"})
    return change


def switch_over(request: SwitchoverInput, ctx: RecoveryContext) -> WriterChange:
    """Move the writer without data loss, by a call in its current region. Raises MemberNotFound, DatabaseNotReady and
    ServiceUnavailable."""
    peer = ctx.settings.peer_region
    caller = peer if request.writer_region == ctx.region else ctx.region
    return _change(ctx, caller=caller, target=request.writer_region, method="switchover")


def find_member(ctx: RecoveryContext, region: str, *, caller: str) -> Member:
    """The member in `region`, as RDS in `caller` describes it. Raises MemberNotFound and ServiceUnavailable."""
    rds = ctx.client("rds", caller)
    with service_errors(f"RDS in {caller}"):
        found = rds.describe_global_clusters(GlobalClusterIdentifier=ctx.settings.global_cluster)
    described = found["GlobalClusters"][0]
    change = _change_in_progress(described)
    for member in described["GlobalClusterMembers"]:
        if _region(member["DBClusterArn"]) == region:
            synchronised = member.get("SynchronizationStatus", "connected") == "connected"
            writes = bool(member["IsWriter"])
            return Member(arn=member["DBClusterArn"], is_writer=writes, connected=writes or synchronised, change=change)
    raise MemberNotFound(f"global cluster {ctx.settings.global_cluster} has no member in {region}")


def _change_in_progress(global_cluster: Mapping[str, Any]) -> Method:
    """By its FailoverState, which is empty while the writer does not change, and by its status."""
    state = global_cluster.get("FailoverState") or {}
    if not {global_cluster["Status"], state.get("Status")} & _CHANGING:
        return "none"
    loses = state.get("IsDataLossAllowed", global_cluster["Status"] == "failing-over")
    return "promotion" if loses else "switchover"


def _change(ctx: RecoveryContext, *, caller: str, target: str, method: Method) -> WriterChange:
    member = find_member(ctx, target, caller=caller)
    if member.change == method or (member.changing and method == "switchover"):
        return WriterChange(state="in-progress", method=member.change, at=ctx.now())
    if member.is_writer:
        return WriterChange(state="already-writer", method="none", at=ctx.now())
    rds: Any = ctx.client("rds", caller)
    name = {"GlobalClusterIdentifier": ctx.settings.global_cluster, "TargetDbClusterIdentifier": member.arn}
    try:
        if method == "switchover":
            rds.switchover_global_cluster(**name)
        else:
            rds.failover_global_cluster(**name, AllowDataLoss=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _BUSY:
            raise DatabaseNotReady(f"RDS in {caller} rejected the change of writer to {target}: {code}") from error
        # The first attempt may have succeeded although it was retried.
        if find_member(ctx, target, caller=caller).change != method:
            raise DatabaseNotReady(f"RDS in {caller} cannot move the writer to {target} now: {code}") from error
        return WriterChange(state="in-progress", method=method, at=ctx.now())
    except BotoCoreError as error:
        raise DatabaseNotReady(f"RDS in {caller} did not answer: {type(error).__name__}") from error
    return WriterChange(state="started", method=method, at=ctx.now())


def describe_writer(request: WriterInput, ctx: RecoveryContext) -> WriterOutput:
    """Whether the region's member is a writer that accepts statements, and may be published as the writer.

    The state machine polls it. Raises WriterTimeout after `writer_wait_seconds`, or when RDS has abandoned the change;
    also MemberNotFound and ServiceUnavailable.
    """
    down_since, down_at = _witness_down(request, ctx)
    waited = ctx.pace.since(request.since)
    obstacle = _unsafe_to_publish(request, down_since, ctx) or _not_writing(request.region, waited, ctx)
    if obstacle and waited > ctx.settings.writer_wait_seconds:
        raise WriterTimeout(f"after {waited:.0f} s: {obstacle}")
    return WriterOutput(
        ready=not obstacle,
        reason=obstacle or f"the member in {request.region} accepts writes",
        down_since=down_since,
        down_at=down_at,
        at=ctx.now(),
    )


def _witness_down(request: WriterInput, ctx: RecoveryContext) -> tuple[str | None, str | None]:
    """Since when the witness has answered only "down" for the lost region, and when it last did.

    A gap of a lease between two queries breaks the chain: the lost region may have read an "up" meanwhile.
    """
    if request.lost is None or ctx.query_peer_witness() is not Witness.DOWN:
        return None, None
    if not ctx.observer.observe().view.is_checked:
        return None, None  # cut off from outside, where a resolver may keep an old answer
    now = ctx.now()
    gap = _real_seconds(request.down_at, now) if request.down_at else None
    unbroken = gap is not None and gap < ctx.settings.times.lease
    return (request.down_since if unbroken and request.down_since else now), now


def _unsafe_to_publish(request: WriterInput, down_since: str | None, ctx: RecoveryContext) -> str | None:
    """The reason that the region may not be published as the writer yet: the lost region could still be posting."""
    if request.lost is None:
        return None
    is_settled = request.vouched is Vouched.NOTHING and not request.may_be_fenced
    if is_settled and ctx.control.records().writer.region == request.region:
        return None
    now = ctx.now()
    safe = may_claim_writer(
        seconds_fenced=_real_seconds(request.fenced_at, now) if request.fenced_at else 0.0,
        seconds_peer_fenced=_real_seconds(request.peer_fenced_since, now) if request.peer_fenced_since else 0.0,
        seconds_down=_real_seconds(down_since, now) if down_since else 0.0,
        may_be_fenced=request.may_be_fenced,
        vouched=request.vouched,
        times=ctx.settings.times,
    )
    return None if safe else f"it is not certain yet that {request.lost} has stopped writing"


def _not_writing(region: str, waited: float, ctx: RecoveryContext) -> str | None:
    """The reason that the region's member does not accept writes yet; None if it does.

    The database decides. RDS only explains a "no": it may report a change of writer too early, and how long it shows
    "failing-over" with a region that is lost is not documented. The other region is called only once the own region's
    RDS shows that the writer has moved there: it is being restored, and may be lost again.

    Raises WriterTimeout if RDS has abandoned the change.
    """
    refusal = reader_refusal(region, ctx) if region == ctx.region else None
    if region == ctx.region and refusal is None:
        return None
    try:
        member = find_member(ctx, region, caller=ctx.region)
    except ServiceUnavailable as error:
        return f"{refusal or f'the member in {region} was not queried'}; {error}"
    if region != ctx.region and member.is_writer:
        refusal = reader_refusal(region, ctx)
        if refusal is None:
            return None
    if member.changing:
        return "the change of writer is in progress"
    if not member.is_writer:
        if waited > ctx.settings.change_seen_seconds:
            raise WriterTimeout(
                f"the change of writer to {region} was abandoned: it is a reader, and no change is in progress"
            )
        return f"the member in {region} is a reader"
    return refusal


def reader_refusal(region: str, ctx: RecoveryContext, *, quick: bool = False) -> str | None:
    """The reason that the region's member is no writer, by a statement; None if it is one. `quick`: the region may be
    lost."""
    try:
        rows = (_run_quickly if quick else run_sql)(ctx, region, _IS_READER[ctx.settings.database_engine])
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        return f"the member in {region} does not answer: {code}"
    return f"the member in {region} is a reader" if rows[0][0] else None


def run_sql(ctx: RecoveryContext, region: str, statement: str, **parameters: str) -> list[list[Any]]:
    """The rows of a statement, through the RDS Data API of the region; every parameter is text. Raises botocore's
    errors."""
    found = ctx.client("secretsmanager", region).describe_secret(SecretId=ctx.settings.database_secret)
    return _execute(ctx, region, ctx.client, found["ARN"], statement, parameters)


def _run_quickly(ctx: RecoveryContext, region: str, statement: str) -> list[list[Any]]:
    """With calls of data planes only: none of a lost region's control planes may be needed. GetSecretValue is one,
    DescribeSecret is not; the value is not used."""
    found = ctx.quick_client("secretsmanager", region).get_secret_value(SecretId=ctx.settings.database_secret)
    return _execute(ctx, region, ctx.quick_client, found["ARN"], statement, {})


def _execute(
    ctx: RecoveryContext,
    region: str,
    client: Callable[[str, str], Any],
    secret_arn: str,
    statement: str,
    parameters: Mapping[str, str],
) -> list[list[Any]]:
    """`secret_arn`: the Data API requires an ARN, and a replica secret's ends in characters of its own."""
    result = client("rds-data", region).execute_statement(
        resourceArn=ctx.cluster_arn(region),
        secretArn=secret_arn,
        database=ctx.settings.database_name,
        sql=statement,
        parameters=[{"name": name, "value": {"stringValue": value}} for name, value in parameters.items()],
    )
    return [[next(iter(value.values())) for value in row] for row in result.get("records", [])]


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _real_seconds(earlier: str, later: str) -> float:
    """Real seconds: the control rules use the cells' own clocks, not AWS seconds."""
    return (_moment(later) - _moment(earlier)).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
