"""Changes of the control records: fence a region, unfence it, override the own fence, publish the writer.

While a region's record has the state `fenced`, it serves no traffic and posts nothing.
"""

from typing import Literal

from common.control.records import EpochTaken, RegionState
from common.control.rules import Vouched

from .context import RecoveryContext, service_errors
from .errors import EpochConflict, PeerUnreachable
from .models import (
    FenceInput,
    FenceOutput,
    OverrideFenceInput,
    ParameterInput,
    ParameterOutput,
    PublishInput,
    PublishOutput,
    UnfenceInput,
    UnfenceOutput,
)


def fence(request: FenceInput, ctx: RecoveryContext) -> FenceOutput:
    """Fence the lost region, in the own replica first. Raises EpochConflict, and ReplicaUnavailable for the own
    replica."""
    try:
        change = ctx.control.set_state(request.region, RegionState.FENCED, epoch=request.epoch, by=request.by)
    except EpochTaken as taken:
        raise EpochConflict(str(taken)) from None
    at = ctx.now()
    return FenceOutput(
        epoch=change.epoch,
        changed=change.changed,
        peer=change.peer,
        peer_fenced_since=at if change.peer_in_sync else None,
        at=at,
    )


def unfence(request: UnfenceInput, ctx: RecoveryContext) -> UnfenceOutput:
    """Return the region to service. Raises EpochConflict, and PeerUnreachable if its own replica does not hold the
    change yet; also ReplicaUnavailable for the own replica."""
    try:
        change = ctx.control.set_state(request.region, RegionState.ACTIVE, epoch=request.epoch, by=request.by)
    except EpochTaken as taken:
        raise EpochConflict(str(taken)) from None
    if not change.peer_in_sync:
        raise PeerUnreachable(f"the replica in {request.region} does not hold its return to service yet: {change.peer}")
    return UnfenceOutput(epoch=change.epoch, changed=change.changed, at=ctx.now())


def override_fence(request: OverrideFenceInput, ctx: RecoveryContext) -> UnfenceOutput:
    """Return the own region to service while the region that fenced it is lost, under the name of the operator who
    forces the failover. The lost region need not hold the change. Raises EpochConflict, and ReplicaUnavailable for the
    own replica."""
    try:
        change = ctx.control.set_state(ctx.region, RegionState.ACTIVE, epoch=request.epoch, by=request.by)
    except EpochTaken as taken:
        raise EpochConflict(str(taken)) from None
    return UnfenceOutput(epoch=change.epoch, changed=change.changed, at=ctx.now())


def publish(request: PublishInput, ctx: RecoveryContext) -> PublishOutput:
    """Set the writer's region in the control record, which the ledgers follow. Raises EpochConflict, and
    ReplicaUnavailable for the own replica."""
    try:
        change = ctx.control.set_writer(request.writer_region, epoch=request.epoch, by=request.by)
    except EpochTaken as taken:
        raise EpochConflict(str(taken)) from None
    begins_chain = request.vouched is not Vouched.NOTHING or request.may_be_fenced
    if begins_chain and request.writer_region == ctx.region and not ctx.observer.vouch():
        raise EpochConflict(f"the memory of {ctx.region} is being changed; its ledger could not be cleared to post")
    return PublishOutput(epoch=change.epoch, changed=change.changed, peer=change.peer, at=ctx.now())


def publish_parameter(request: ParameterInput, ctx: RecoveryContext) -> ParameterOutput:
    """Set the writer's region in a parameter, for programs that do not read the control record.

    Optional: no step of a recovery reads it, so it comes after the proof and fails no run. `parameter_sync` copies it
    to the other region, so a lost region's Parameter Store is never called. Raises ServiceUnavailable.
    """
    ssm, name = ctx.own_client("ssm"), ctx.settings.writer_parameter
    with service_errors("Parameter Store"):
        try:
            current = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            current = None
        if current != request.writer_region:
            ssm.put_parameter(Name=name, Value=request.writer_region, Type="String", Overwrite=True)
    state: Literal["written", "unchanged"] = "unchanged" if current == request.writer_region else "written"
    return ParameterOutput(parameter=state, at=ctx.now())
