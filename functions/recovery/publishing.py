"""Which region holds the writer, told to all who ask: the control record first, then Parameter Store."""

from common.control_record import EpochTaken

from .errors import EpochPassed
from .models import PublishInput, PublishOutput
from .surroundings import Surroundings, silence_named


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
