"""The database's writer: moved with or without loss, and waited for.

Every call goes to a region that lives: promotion to the survivor's own, a switchover to the current writer's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.control.rules import Witness, may_name_itself_writer

from .context import Surroundings, silence_named
from .errors import DatabaseUnready, MemberMissing, WriterNotInTime
from .models import Nothing, SwitchInput, WriterChange, WriterInput, WriterOutput

# RDS's words while a writer is being changed (API RDS.FailoverState, GlobalCluster.Status).
_CHANGING = frozenset({"pending", "failing-over", "switching-over"})
# Faults that say "not in this state": RDS is still busy with something (API RDS.FailoverGlobalCluster, Errors).
_BUSY = frozenset({"InvalidGlobalClusterStateFault", "InvalidDBClusterStateFault"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """A region's member of the global cluster, as one region's RDS sees it."""

    arn: str
    is_writer: bool
    connected: bool  # its replication runs; a writer's always
    changing: bool  # a change of writer is under way


def promote(_: Nothing, around: Surroundings) -> WriterChange:
    """Make the own region's member the writer, whatever that loses. Raises MemberMissing, DatabaseUnready."""
    return _change(around, caller=around.region, target=around.region, lossless=False)


def switch(given: SwitchInput, around: Surroundings) -> WriterChange:
    """Hand the writer over without loss, called where it is now. Raises MemberMissing, DatabaseUnready."""
    peer = around.settings.peer_region
    caller = peer if given.writer_region == around.region else around.region
    return _change(around, caller=caller, target=given.writer_region, lossless=True)


def find_member(around: Surroundings, region: str, *, caller: str) -> Member:
    """Raises MemberMissing, ServiceSilent."""
    rds = around.client("rds", caller)
    with silence_named(f"RDS in {caller}"):
        found = rds.describe_global_clusters(GlobalClusterIdentifier=around.settings.global_cluster)
    described = found["GlobalClusters"][0]
    state = described.get("FailoverState") or {}
    changing = described["Status"] in _CHANGING or state.get("Status") in _CHANGING
    for member in described["GlobalClusterMembers"]:
        if _region(member["DBClusterArn"]) == region:
            synchronised = member.get("SynchronizationStatus", "connected") == "connected"
            writes = bool(member["IsWriter"])
            return Member(
                arn=member["DBClusterArn"], is_writer=writes, connected=writes or synchronised, changing=changing
            )
    raise MemberMissing(f"global cluster {around.settings.global_cluster} has no member in {region}")


def _change(around: Surroundings, *, caller: str, target: str, lossless: bool) -> WriterChange:
    member = find_member(around, target, caller=caller)
    if member.changing:
        return WriterChange(state="in-progress", at=around.moment())
    if member.is_writer:
        return WriterChange(state="already", at=around.moment())
    rds: Any = around.client("rds", caller)
    name = {"GlobalClusterIdentifier": around.settings.global_cluster, "TargetDbClusterIdentifier": member.arn}
    try:
        if lossless:
            rds.switchover_global_cluster(**name)
        else:
            rds.failover_global_cluster(**name, AllowDataLoss=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _BUSY:
            raise DatabaseUnready(f"RDS in {caller} refused to move the writer to {target}: {code}") from error
        # A call that was answered late may have been tried again.
        if not find_member(around, target, caller=caller).changing:
            raise DatabaseUnready(f"RDS in {caller} cannot move the writer to {target} now: {code}") from error
        return WriterChange(state="in-progress", at=around.moment())
    except BotoCoreError as error:
        raise DatabaseUnready(f"RDS in {caller} did not answer: {type(error).__name__}") from error
    return WriterChange(state="started", at=around.moment())


def wait_for_writer(given: WriterInput, around: Surroundings) -> WriterOutput:
    """One look: whether the region's member is a writer that answers, and may be named one.

    Raises WriterNotInTime when the run has looked for too long, or RDS has given the change up.
    """
    down_since, down_at = _chain_of_down(given, around)
    waited = around.pace.since(given.since)
    hindrance = _not_nameable(given, down_since, around) or _not_writing(given.region, waited, around)
    if hindrance and waited > around.settings.writer_wait_seconds:
        raise WriterNotInTime(f"after {waited:.0f} s: {hindrance}")
    return WriterOutput(
        ready=not hindrance,
        why=hindrance or f"the member in {given.region} writes",
        down_since=down_since,
        down_at=down_at,
        at=around.moment(),
    )


def _chain_of_down(given: WriterInput, around: Surroundings) -> tuple[str | None, str | None]:
    """Since when the witness has said nothing but "down" of the lost region, and when it last did.

    A gap between two questions as long as a lease breaks the chain: the lost region may have heard an "up" meanwhile.
    """
    if given.lost is None or around.ask_peers_witness() is not Witness.DOWN:
        return None, None
    now = around.moment()
    gap = _machine_seconds(given.down_at, now) if given.down_at else None
    unbroken = gap is not None and gap < around.settings.times.lease
    return (given.down_since if unbroken and given.down_since else now), now


def _not_nameable(given: WriterInput, down_since: str | None, around: Surroundings) -> str | None:
    """Why the region may not be named the writer yet: the lost one could still be posting."""
    if given.lost is None or given.forced or around.control.records().writer.region == given.region:
        return None
    now = around.moment()
    nameable = may_name_itself_writer(
        seconds_known=_machine_seconds(given.peer_knows_since, now) if given.peer_knows_since else 0.0,
        seconds_down=_machine_seconds(down_since, now) if down_since else 0.0,
        times=around.settings.times,
    )
    return None if nameable else f"it is not certain yet that {given.lost} has stopped writing"


def _not_writing(region: str, waited: float, around: Surroundings) -> str | None:
    """Why the region's member takes no writes yet. The database itself is asked last: RDS may say so too early.

    Until the writer has moved only the own region's RDS is asked: what is brought back may be lost again.
    """
    member = find_member(around, region, caller=around.region)
    if member.changing:
        return "the change of writer is under way"
    if not member.is_writer:
        if waited > around.settings.change_seen_seconds:
            raise WriterNotInTime(f"the change of writer to {region} was given up: it is a reader, and nothing changes")
        return f"the member in {region} is a reader"
    rds = around.client("rds", region)
    with silence_named(f"RDS in {region}"):
        status = rds.describe_db_clusters(DBClusterIdentifier=member.arn)["DBClusters"][0]["Status"]
    if status != "available":
        return f"the member in {region} is {status}"
    try:
        run_sql(around, member, "SELECT 1")
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        return f"the member in {region} does not answer: {code}"
    return None


def run_sql(around: Surroundings, member: Member, statement: str, **parameters: str) -> list[list[Any]]:
    """The rows of a statement, by the Data API of the member's region. Raises botocore's errors."""
    answer = around.client("rds-data", _region(member.arn)).execute_statement(
        resourceArn=member.arn,
        secretArn=_secret_arn(around, _region(member.arn)),
        database=around.settings.database_name,
        sql=statement,
        parameters=[{"name": name, "value": {"stringValue": value}} for name, value in parameters.items()],
    )
    return [[next(iter(value.values())) for value in row] for row in answer.get("records", [])]


def _secret_arn(around: Surroundings, region: str) -> str:
    """The Data API takes ARNs, and a replica's ends in characters of its own."""
    found = around.client("secretsmanager", region).describe_secret(SecretId=around.settings.database_secret)
    return str(found["ARN"])


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _machine_seconds(earlier: str, later: str) -> float:
    """The rules of who may post count in the cells' own seconds, not in AWS's."""
    return (_moment(later) - _moment(earlier)).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
