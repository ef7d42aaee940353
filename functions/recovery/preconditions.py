"""Whether a run may go on: one run at a time, no change too soon after another, and the state it was decided on."""

from datetime import datetime, timedelta

from common.clock import timestamp
from common.control.records import ControlRecords, RegionRecord, RegionState
from common.control.writes import last_change, last_run, take_slot

from .context import Surroundings, silence_named
from .models import GuardInput, GuardOutput


def guard(given: GuardInput, around: Surroundings) -> GuardOutput:
    """A run that may not go on is told why; that is an answer, not an error. Raises ReplicaUnavailable, ServiceSilent.

    The run is taken down in the journal, so that of two started at once one goes on.
    """
    records, request = around.control.records(), given.request
    region = _record(records, request.region, around)
    if given.machine == "failover":
        writer_region, why = around.region, _failover_hindrance(given, records, region, around)
    else:
        writer_region = request.writer_region or around.settings.regions.first_writer
        why = _failback_hindrance(given, records, region, writer_region, around)
    finishes = not why and given.machine == "failover" and _has_moved(records, region, around)
    if not why:
        why = _other_run(given.execution, around)
    return GuardOutput(
        go=not why,
        why=why or "preconditions met",
        region=request.region,
        epoch=region.epoch,
        writer_region=writer_region,
        writer_epoch=records.writer.epoch,
        mode=request.mode,
        forced=request.forced,
        finishes=finishes,
        failing_since=request.failing_since,
        detected_at=request.detected_at,
        started_at=given.started_at,
        replay_since=_replay_since(given, records.writer.since if finishes else None, around),
        at=around.moment(),
    )


def _replay_since(given: GuardInput, moved_at: str | None, around: Surroundings) -> str:
    """Long enough before the loss; it may have begun before this run's own request says, but not after the writer
    moved."""
    known = [given.request.failing_since or given.started_at, *([moved_at] if moved_at else [])]
    begin = min(datetime.fromisoformat(moment) for moment in known)
    return timestamp(begin - timedelta(seconds=around.pace.real(around.settings.replay_window_seconds)))


def _record(records: ControlRecords, region: str, around: Surroundings) -> RegionRecord:
    return records.own if region == around.region else records.peer


def _failover_hindrance(
    given: GuardInput, records: ControlRecords, lost: RegionRecord, around: Surroundings
) -> str | None:
    request = given.request
    if request.region != around.settings.peer_region:
        return f"{request.region} is not the other region; start it in the region that is to survive"
    if records.own.state is RegionState.FENCED:
        return "this region is fenced itself"
    ours = _name(given.execution)
    if request.epoch is not None and request.epoch != lost.epoch and lost.by != ours:
        return f"it was decided at epoch {request.epoch} of {request.region}, which is at {lost.epoch} now"
    if request.forced:
        return None
    if _has_moved(records, lost, around):
        if lost.by == ours or _is_unfinished(given.execution, around):
            return None
        return f"{request.region} is fenced and the writer is here already"
    return _too_soon(records, around, ours)


def _has_moved(records: ControlRecords, lost: RegionRecord, around: Surroundings) -> bool:
    return lost.state is RegionState.FENCED and records.writer.region == around.region


def _failback_hindrance(
    given: GuardInput, records: ControlRecords, back: RegionRecord, writer_region: str, around: Surroundings
) -> str | None:
    request = given.request
    known = (around.region, around.settings.peer_region)
    if request.region not in known or writer_region not in known:
        return f"the regions are {' and '.join(known)}"
    if request.region == around.region:
        return f"{request.region} is this region; start it in the one that survived"
    if records.own.state is RegionState.FENCED:
        return "this region is fenced itself"
    if request.epoch is not None and request.epoch != back.epoch and back.by != _name(given.execution):
        return f"it was decided at epoch {request.epoch} of {request.region}, which is at {back.epoch} now"
    if back.state is not RegionState.FENCED and records.writer.region == writer_region and not request.forced:
        return f"{request.region} is not fenced and the writer is where it belongs"
    return None


def _too_soon(records: ControlRecords, around: Surroundings, ours: str) -> str | None:
    moment = last_change(records)
    if moment is None or records.writer.by == ours:
        return None
    passed, wanted = around.pace.since(moment), around.settings.cool_down_seconds
    return f"the last change was {passed:.0f} s ago, {wanted:.0f} s are to pass" if passed < wanted else None


def _is_unfinished(ours: str, around: Surroundings) -> bool:
    """Whether the run that went on last here, of the same machine, came to no good end: this one goes on from there.

    So it does when it is this one, asked again.
    """
    last = last_run(around.local)
    if last is None or last.rpartition(":")[0] != ours.rpartition(":")[0]:
        return False
    return _status(last, around) not in (None, "SUCCEEDED")


def _other_run(execution: str, around: Surroundings) -> str | None:
    """Put this run into the journal's slot for one; why it cannot be put there."""
    since = around.moment()
    holder = take_slot(around.local, execution, since=since, instead_of=None)
    if holder in (None, execution):
        return None
    if _status(str(holder), around) == "RUNNING":
        return f"another run is in progress: {_name(str(holder))}"
    taken = take_slot(around.local, execution, since=since, instead_of=holder) in (None, execution)
    return None if taken else "another run started at the same moment"


def _status(execution: str, around: Surroundings) -> str | None:
    """As Step Functions says it; None of a run that it has forgotten, 90 days after its end."""
    client = around.here("stepfunctions")
    with silence_named("Step Functions"):
        try:
            return str(client.describe_execution(executionArn=execution)["status"])
        except client.exceptions.ExecutionDoesNotExist:
            return None


def _name(execution: str) -> str:
    return execution.rpartition(":")[2]
