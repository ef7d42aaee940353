"""Preconditions of an execution: no other one in progress, the cool-down has passed, the epochs are unchanged."""

from common.control.records import ControlRecords, RegionRecord, RegionState
from common.control.rules import Vouched
from common.control.writes import last_change, last_run, take_slot

from .context import RecoveryContext, service_errors
from .database import find_member
from .models import PreconditionsInput, PreconditionsOutput
from .verification import new_key

# AWS seconds in which an execution that has taken the run slot counts as running, although Step Functions does not find
# it: DescribeExecution is eventually consistent [SFN-7].
_SLOT_SETTLES_SECONDS = 60.0


def check_preconditions(given: PreconditionsInput, ctx: RecoveryContext) -> PreconditionsOutput:
    """Whether the execution may proceed. A violated precondition is a result with its reason, not an error.

    An execution that may proceed takes the run slot in the journal, so that of two started at once only one does.
    Raises ReplicaUnavailable, MemberNotFound and ServiceUnavailable.
    """
    records, request = ctx.control.records(), given.request
    region = _record(records, request.region, ctx)
    if given.machine == "failover":
        writer_region, violation = ctx.region, _failover_violation(given, records, region, ctx)
    else:
        writer_region = request.writer_region or ctx.settings.regions.first_writer
        violation = _failback_violation(given, records, region, writer_region, ctx)
    resumes = not violation and given.machine == "failover" and _has_moved(records, region, ctx)
    violation = violation or _take_run_slot(given.execution, ctx)
    return PreconditionsOutput(
        met=not violation,
        reason=violation or "preconditions met",
        region=request.region,
        epoch=region.epoch,
        writer_region=writer_region,
        writer_epoch=records.writer.epoch,
        mode=request.mode,
        by=request.by,
        own_fenced=records.own.state is RegionState.FENCED,
        own_epoch=records.own.epoch,
        vouched=Vouched.PEER_DOWN if request.forced else Vouched.NOTHING,
        may_be_fenced=ctx.observer.observe(fresh=True).view.may_be_fenced,
        resumes=resumes,
        verification_key=new_key(),
        failing_since=request.failing_since,
        detected_at=request.detected_at,
        started_at=given.started_at,
        at=ctx.now(),
    )


def _record(records: ControlRecords, region: str, ctx: RecoveryContext) -> RegionRecord:
    return records.own if region == ctx.region else records.peer


def _failover_violation(
    given: PreconditionsInput, records: ControlRecords, lost: RegionRecord, ctx: RecoveryContext
) -> str | None:
    request = given.request
    if request.region != ctx.settings.peer_region:
        return f"{request.region} is not the other region; start the failover in the surviving region"
    if records.own.state is RegionState.FENCED and not request.forced:
        return f"this region is fenced itself; if {request.region} is down, force the failover: MODE=forced"
    ours = _name(given.execution)
    if request.epoch is not None and request.epoch != lost.epoch and lost.by != ours:
        return f"the failover was decided at epoch {request.epoch} of {request.region}, which is now at {lost.epoch}"
    if request.forced:
        return None
    if _has_moved(records, lost, ctx):
        if lost.by == ours or _is_unfinished(given.execution, ctx):
            return None
        return f"{request.region} is already fenced and the writer is already here"
    return _too_soon(records, ctx, ours)


def _has_moved(records: ControlRecords, lost: RegionRecord, ctx: RecoveryContext) -> bool:
    return lost.state is RegionState.FENCED and records.writer.region == ctx.region


def _failback_violation(
    given: PreconditionsInput, records: ControlRecords, back: RegionRecord, writer_region: str, ctx: RecoveryContext
) -> str | None:
    request = given.request
    known = (ctx.region, ctx.settings.peer_region)
    if request.region not in known or writer_region not in known:
        return f"the regions are {' and '.join(known)}"
    if request.region == ctx.region:
        return f"{request.region} is this region; start the failback in the surviving region"
    if records.own.state is RegionState.FENCED:
        return "this region is fenced itself"
    if request.epoch is not None and request.epoch != back.epoch and back.by != _name(given.execution):
        return f"the failback was decided at epoch {request.epoch} of {request.region}, which is now at {back.epoch}"
    if back.state is not RegionState.FENCED and records.writer.region == writer_region and not request.forced:
        return f"{request.region} is not fenced and the writer is already in {writer_region}"
    if request.mode == "return" and not find_member(ctx, writer_region, caller=ctx.region).is_writer:
        return f"the database's writer is not in {writer_region}: finish the failback that was interrupted"
    return None


def _too_soon(records: ControlRecords, ctx: RecoveryContext, ours: str) -> str | None:
    moment = last_change(records)
    if moment is None or records.writer.by == ours:
        return None
    passed, cool_down = ctx.pace.since(moment), ctx.settings.cool_down_seconds
    return f"the last change was {passed:.0f} s ago; the cool-down is {cool_down:.0f} s" if passed < cool_down else None


def _is_unfinished(ours: str, ctx: RecoveryContext) -> bool:
    """Whether the execution that holds the run slot is of the same state machine and did not succeed, so that this one
    resumes it. True as well if it is this one, when the step is retried.
    """
    last = last_run(ctx.local)
    if last is None or last.rpartition(":")[0] != ours.rpartition(":")[0]:
        return False
    return _status(last, ctx) not in (None, "SUCCEEDED")


def _take_run_slot(execution: str, ctx: RecoveryContext) -> str | None:
    """Take the journal's run slot for `execution`. Returns why not, None if it holds the slot."""
    since = ctx.now()
    held = take_slot(ctx.local, execution, since=since, instead_of=None)
    if held is None or held.execution == execution:
        return None
    status = _status(held.execution, ctx)
    if status == "RUNNING" or (status is None and ctx.pace.since(held.since) < _SLOT_SETTLES_SECONDS):
        return f"another execution is in progress: {_name(held.execution)}"
    held = take_slot(ctx.local, execution, since=since, instead_of=held.execution)
    return None if held is None or held.execution == execution else "another execution started at the same time"


def _status(execution: str, ctx: RecoveryContext) -> str | None:
    """The status in Step Functions; None for an execution that it has deleted, 90 days after its end."""
    client = ctx.own_client("stepfunctions")
    with service_errors("Step Functions"):
        try:
            return str(client.describe_execution(executionArn=execution)["status"])
        except client.exceptions.ExecutionDoesNotExist:
            return None


def _name(execution: str) -> str:
    return execution.rpartition(":")[2]
