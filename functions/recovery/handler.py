"""Lambda's entry: `recovery.handler.handler`, called by the state machines with an operation and its input."""

import functools
import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.telemetry import flush, make_logger, make_metrics, traced

from .context import Surroundings, make
from .operations import perform
from .settings import Settings

SERVICE = "recovery"
# The approval's token lets anyone answer who has it and the right to: it stays out of the log.
_UNTOLD = frozenset({"token"})


@functools.cache
def _made() -> tuple[Surroundings, Logger, EphemeralMetrics]:
    settings = Settings.read(os.environ)
    return make(settings), make_logger(SERVICE), make_metrics(SERVICE, settings.metrics_namespace)


def recover(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    around, logger, metrics = _made()
    logger.set_correlation_id(context.aws_request_id)
    operation = str(event.get("operation"))
    told = {key: value for key, value in event.items() if key not in _UNTOLD}
    began = time.perf_counter()
    try:
        answer = perform(event, around)
    except Exception as error:
        logger.error(
            "operation failed",
            event="operation-failed",
            operation=operation,
            given=told,
            error=type(error).__name__,
            why=str(error),
        )
        metrics.add_metric(name="RecoveryStepsFailed", unit=MetricUnit.Count, value=1)
        raise
    else:
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        logger.info(
            "operation done",
            event="operation-done",
            operation=operation,
            given=told,
            answer=answer,
            milliseconds=milliseconds,
        )
        return answer
    finally:
        flush(metrics)


handler = traced(recover, service=SERVICE)
