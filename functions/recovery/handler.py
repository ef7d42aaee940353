"""Lambda handler `recovery.handler.handler`, invoked by the state machines with an operation and its input."""

import functools
import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.telemetry import flush, make_logger, make_metrics, traced

from .context import RecoveryContext, make_context
from .operations import perform
from .settings import Settings

SERVICE = "recovery"
# The task token of an approval allows to answer it, so it stays out of the log.
_NOT_LOGGED = frozenset({"token"})


@functools.cache
def _cached() -> tuple[RecoveryContext, Logger, EphemeralMetrics]:
    settings = Settings.read(os.environ)
    return make_context(settings), make_logger(SERVICE), make_metrics(SERVICE, settings.metrics_namespace)


def recover(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    ctx, logger, metrics = _cached()
    logger.set_correlation_id(context.aws_request_id)
    operation = str(event.get("operation"))
    request = {key: value for key, value in event.items() if key not in _NOT_LOGGED}
    began = time.perf_counter()
    try:
        result = perform(event, ctx)
    except Exception as error:
        logger.error(
            "operation failed",
            event="operation-failed",
            operation=operation,
            request=request,
            error=type(error).__name__,
            reason=str(error),
        )
        metrics.add_metric(name="RecoveryStepsFailed", unit=MetricUnit.Count, value=1)
        raise
    else:
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        logger.info(
            "operation done",
            event="operation-done",
            operation=operation,
            request=request,
            result=result,
            milliseconds=milliseconds,
        )
        return result
    finally:
        flush(metrics)


handler = traced(recover, service=SERVICE)
