"""Lambda's entry: `health.handler.handler`."""

import functools
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws_clients import Clients
from common.control.observe import Control
from common.telemetry import make_logger, traced

from .application import SERVICE, Application
from .settings import Settings


@functools.cache
def _application() -> Application:
    settings = Settings.read(os.environ)
    return Application(settings, Control.of(settings, Clients()), make_logger(SERVICE))


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _application().answer(event, context)


handler = traced(answer, service=SERVICE)

# Lambda sets this variable before it imports us: what is made now is made with the full CPU of the init phase.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _application()
