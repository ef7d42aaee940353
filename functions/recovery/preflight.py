"""What the regions' doors say of them, and whether a region can take its part back."""

from datetime import timedelta

from common.control.records import RegionState
from common.health_endpoints import FENCED, OK, health_of
from common.table_replica import ReplicaUnavailable

from .context import Surroundings, silence_named
from .database import find_member
from .errors import RegionNotReady
from .models import PreflightInput, PreflightOutput

_DOOR_SECONDS = 5.0
_LAG_WINDOW = timedelta(minutes=5)
_LAG_PERIOD = 60


def look_at_doors(around: Surroundings, region: str) -> dict[str, str]:
    """By door, what it says. Raises DoorsUnknown and ServiceSilent."""
    deadline = max(around.pace.real(_DOOR_SECONDS), around.settings.answer_seconds)
    return {door: health_of(url, deadline_seconds=deadline) for door, url in around.doors(region).urls().items()}


def preflight(given: PreflightInput, around: Surroundings) -> PreflightOutput:
    """Both regions must be well, and what is to become the writer must be close behind. Raises RegionNotReady."""
    problems = []
    doors = {}
    for region, wanted in ((around.region, {OK}), (given.region, {OK, FENCED})):
        for door, word in look_at_doors(around, region).items():
            doors[f"{region} {door}"] = word
            if word not in wanted:
                problems.append(f"{door} of {region} says {word}")
    problems += _journal_problems(given.region, around)
    member = find_member(around, given.writer_region, caller=around.region)
    if not member.connected:
        problems.append(f"the database in {given.writer_region} does not follow the writer")
    lag = None if member.is_writer else _reader_lag(around, given.writer_region, member.arn)
    if lag is not None and lag > (limit := around.settings.lag_limit_seconds):
        problems.append(f"the database in {given.writer_region} is {lag:.1f} s behind, {limit:.1f} s are allowed")
    if problems:
        raise RegionNotReady("; ".join(problems))
    return PreflightOutput(doors=doors, reader_lag_seconds=lag, at=around.moment())


def _journal_problems(region: str, around: Surroundings) -> list[str]:
    """The region must have received what was decided without it."""
    try:
        theirs = around.control.records_at_peer()
    except ReplicaUnavailable as silence:
        return [f"the journal in {region} is silent: {silence.reason}"]
    ours = around.control.records()
    if theirs.peer.epoch < ours.peer.epoch or theirs.writer.epoch < ours.writer.epoch:
        return [f"the journal in {region} has not received the newest control records"]
    if ours.peer.state is RegionState.UNKNOWN:
        return [f"the control record of {region} is not understood"]
    return []


def _reader_lag(around: Surroundings, region: str, cluster: str) -> float | None:
    """The reader's lag in its region's own metrics, the largest of the last minutes; None if there is no figure.

    AuroraGlobalDBReplicationLag, in milliseconds [AURORA-16].
    """
    now = around.pace.now()
    with silence_named(f"CloudWatch in {region}"):
        found = around.client("cloudwatch", region).get_metric_statistics(
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
