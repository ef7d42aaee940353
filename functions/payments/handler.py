"""Lambda handler `payments.handler.handler`."""

import functools
import os
import threading
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.telemetry import make_logger, traced

from .application import SERVICE, Application
from .settings import Settings

_lock = threading.Lock()


@functools.cache
def _cached() -> Application:
    return Application(Settings.read(os.environ), make_logger(SERVICE))


def _application() -> Application:
    with _lock:  # functools.cache alone would let two concurrent first calls create two
        return _cached()


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _application().answer(event, context)


handler = traced(answer, service=SERVICE)

# Lambda sets this variable before the import. The init phase has a full CPU; the first invocation has only the
# function's share of one, while a client waits.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _application()
