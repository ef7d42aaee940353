"""The fence round a region: while its control record says so, it takes no traffic and posts nothing."""

from common.control_record import EpochTaken, RegionState

from .errors import EpochPassed, PeerSilent
from .models import FenceInput, FenceOutput, UnfenceInput, UnfenceOutput
from .surroundings import Surroundings


def fence(given: FenceInput, around: Surroundings) -> FenceOutput:
    """Fence the lost region, here first. Raises EpochPassed, ReplicaUnavailable for the own replica."""
    try:
        change = around.control.set_state(given.region, RegionState.FENCED, epoch=given.epoch, by=given.by)
    except EpochTaken as taken:
        raise EpochPassed(str(taken)) from None
    at = around.moment()
    return FenceOutput(
        epoch=change.epoch,
        changed=change.changed,
        peer=change.peer,
        peer_knows_since=at if change.peer_knows else None,
        at=at,
    )


def unfence(given: UnfenceInput, around: Surroundings) -> UnfenceOutput:
    """Let the region serve again. Raises EpochPassed, and PeerSilent if that region does not know it yet."""
    try:
        change = around.control.set_state(given.region, RegionState.ACTIVE, epoch=given.epoch, by=given.by)
    except EpochTaken as taken:
        raise EpochPassed(str(taken)) from None
    if not change.peer_knows:
        raise PeerSilent(f"{given.region} could not be told that it is active again: {change.peer}")
    return UnfenceOutput(epoch=change.epoch, changed=change.changed, at=around.moment())
