"""Lambda's entry: `parameter_sync.handler.handler`, called by its queue, by a schedule, and by people."""

import functools
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.telemetry import make_logger, traced

from .application import SERVICE, Application
from .settings import Settings


@functools.cache
def _made() -> Application:
    return Application(Settings.read(os.environ), make_logger(SERVICE))


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _made().answer(event, context)


handler = traced(answer, service=SERVICE)

# As in `payments.handler`: what is made now is made with the full CPU of the init phase.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _made()
