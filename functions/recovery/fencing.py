"""The fence round a region: while its control record says so, it takes no traffic and posts nothing."""

from common.control.records import EpochTaken, RegionState

from .context import Surroundings, silence_named
from .errors import EpochPassed, PeerSilent
from .models import FenceInput, FenceOutput, PublishInput, PublishOutput, UnfenceInput, UnfenceOutput


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


# Which region holds the writer, told to all who ask: the control record first, then Parameter Store.


def publish(given: PublishInput, around: Surroundings) -> PublishOutput:
    """The ledgers follow the control record. The parameter is for everything else, and reaches the other region by the
    parameters' own way: a lost region's Parameter Store is never called. Raises EpochPassed, ServiceSilent.
    """
    try:
        change = around.control.set_writer(given.writer_region, epoch=given.epoch, by=given.by)
    except EpochTaken as taken:
        raise EpochPassed(str(taken)) from None
    ssm, name = around.here("ssm"), around.settings.writer_parameter
    with silence_named("Parameter Store"):
        try:
            current = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            current = None
        if current != given.writer_region:
            ssm.put_parameter(Name=name, Value=given.writer_region, Type="String", Overwrite=True)
    return PublishOutput(
        epoch=change.epoch,
        changed=change.changed,
        peer=change.peer,
        parameter="there" if current == given.writer_region else "written",
        at=around.moment(),
    )
