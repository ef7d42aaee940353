"""Lambda handler `ledger.handler.handler`."""

import functools
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.telemetry import make_logger, traced

from .application import SERVICE, Application
from .settings import Settings


@functools.cache
def _cached() -> Application:
    return Application(Settings.read(os.environ), make_logger(SERVICE))


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _cached().answer(event, context)


handler = traced(answer, service=SERVICE)

# As in `payments.handler`: the init phase has a full CPU.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _cached()
