"""Lambda handler `health.handler.handler`."""

import functools
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws_clients import DynamoDbClients
from common.control.observe import ControlObserver
from common.telemetry import make_logger, traced

from .application import SERVICE, Application
from .settings import Settings


@functools.cache
def _application() -> Application:
    settings = Settings.read(os.environ)
    return Application(settings, ControlObserver.from_settings(settings, DynamoDbClients()), make_logger(SERVICE))


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _application().answer(event, context)


handler = traced(answer, service=SERVICE)

# Lambda sets this variable before the import: the init phase, unlike the first invocation, has a full CPU.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _application()
