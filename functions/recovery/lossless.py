"""A switchover of the database away from a region that is lost for clients, while its database still answers.

Not every loss takes the database: on 20 October 2025 it was DynamoDB of us-east-1 that could not be reached, for almost
three hours [DYNAMODB-9]. Then a switchover loses nothing, where a promotion loses what was not replicated. A region
that is really lost costs this step at most `leaving_answer_seconds`.
"""

from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from .context import RecoveryContext, leaving_deadline
from .database import find_member, reader_refusal
from .errors import ServiceUnavailable
from .models import NoInput, SwitchoverProgress, SwitchoverProgressInput, WriterChange


def try_switchover(_: NoInput, ctx: RecoveryContext) -> WriterChange:
    """Start a switchover to the own region if the other region's database answers. That it is not possible is a result
    with its reason, not an error. Raises MemberNotFound, and ServiceUnavailable for the own region's RDS."""
    member = find_member(ctx, ctx.region, caller=ctx.region)
    if member.changing:
        return WriterChange(state="in-progress", method=member.change, at=ctx.now())
    if member.is_writer:
        return WriterChange(state="already-writer", method="none", at=ctx.now())
    obstacle = _within_deadline(ctx) or _start(member.arn, ctx)
    if obstacle:
        return WriterChange(state="not-possible", method="none", reason=obstacle, at=ctx.now())
    return WriterChange(state="started", method="switchover", at=ctx.now())


def describe_switchover(request: SwitchoverProgressInput, ctx: RecoveryContext) -> SwitchoverProgress:
    """Whether the switchover has moved the writer here, or is given up: RDS has abandoned it, or `switchover_seconds`
    have passed. The state machine polls it. Raises MemberNotFound."""
    waited = ctx.pace.since(request.since)
    refusal = reader_refusal(ctx.region, ctx)
    if refusal is None:
        return SwitchoverProgress(state="done", reason=f"the member in {ctx.region} accepts writes", at=ctx.now())
    try:
        member = find_member(ctx, ctx.region, caller=ctx.region)
    except ServiceUnavailable as error:
        is_over, reason = False, str(error)
    else:
        is_over = not member.changing and not member.is_writer and waited > ctx.settings.change_seen_seconds
        reason = "RDS has abandoned the switchover" if is_over else refusal
    if not is_over and waited > ctx.settings.switchover_seconds:
        is_over, reason = True, f"after {waited:.0f} s: {reason}"
    return SwitchoverProgress(state="given-up" if is_over else "in-progress", reason=reason, at=ctx.now())


def _within_deadline(ctx: RecoveryContext) -> str | None:
    """The reason that the other region's database cannot take part in a switchover; None if it can.

    Each call has a timeout, but neither does a name that is not resolved, nor a response that trickles.
    """
    deadline = leaving_deadline(ctx.settings, ctx.pace)
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leaving-database")
    try:
        return worker.submit(_leaving_obstacle, ctx).result(timeout=deadline)
    except TimeoutError:
        return f"the database in {ctx.settings.peer_region} does not answer within {deadline:.1f} s"
    finally:
        worker.shutdown(wait=False)


def _leaving_obstacle(ctx: RecoveryContext) -> str | None:
    """The data plane first: no control plane of a lost region is called."""
    region = ctx.settings.peer_region
    if refusal := reader_refusal(region, ctx, quick=True):
        return refusal
    try:
        found = ctx.quick_client("rds", region).describe_db_clusters(DBClusterIdentifier=ctx.cluster_arn(region))
    except (ClientError, BotoCoreError) as error:
        return f"RDS in {region} does not describe its member: {_code(error)}"
    status = found["DBClusters"][0]["Status"]
    return None if status == "available" else f"the member in {region} is {status}"


def _start(target: str, ctx: RecoveryContext) -> str | None:
    """Request the switchover in the writer's region. Returns why it was not accepted; after a timeout it may have
    been, which the promotion finds out."""
    region = ctx.settings.peer_region
    name = {"GlobalClusterIdentifier": ctx.settings.global_cluster, "TargetDbClusterIdentifier": target}
    try:
        ctx.quick_client("rds", region).switchover_global_cluster(**name)
    except (ClientError, BotoCoreError) as error:
        return f"RDS in {region} does not start a switchover: {_code(error)}"
    return None


def _code(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
