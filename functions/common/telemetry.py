"""Structured logs, metrics and traces by Powertools for AWS Lambda.

Nothing here calls AWS: logs and metrics are lines on standard output, and traces are recorded only where Lambda runs an
X-Ray daemon.
"""

import os
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]

CORRELATION_HEADER = "X-Correlation-Id"
# The region that answered; the body of a repeated payment names the region that accepted it first.
REGION_HEADER = "X-Served-By-Region"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9_.:;=/-]{1,128}")


def make_logger(service: str) -> Logger:
    """A logger of JSON lines; its level comes from POWERTOOLS_LOG_LEVEL or from Lambda's own setting."""
    return Logger(service=service, utc=True)


def make_metrics(service: str, namespace: str) -> EphemeralMetrics:
    """Metrics in CloudWatch's embedded metric format, with the single dimension `service`."""
    return EphemeralMetrics(service=service, namespace=namespace)


def flush(metrics: EphemeralMetrics) -> None:
    """Write the metrics added since the last flush, if any."""
    if metrics.metric_set:
        metrics.flush_metrics()


def traced(handler: LambdaHandler, *, service: str) -> LambdaHandler:
    """`handler` wrapped in an X-Ray segment with its AWS calls; unchanged where there is no X-Ray daemon.

    Lambda always sets AWS_XRAY_DAEMON_ADDRESS. Elsewhere the SDK is not imported, which would take about 0.2 s.
    Responses and errors are kept out of the trace, because they can contain a payment.
    """
    if "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
        return handler
    from aws_lambda_powertools.tracing import Tracer

    tracer = Tracer(service=service, patch_modules=("botocore",))
    traced_handler: LambdaHandler = tracer.capture_lambda_handler(handler, capture_response=False, capture_error=False)
    return traced_handler


def correlation_id(headers: Mapping[str, str], *alternatives: str | None) -> str:
    """The client's correlation id if it is well-formed, else the first alternative that is.

    `headers` has lower-case names. An id with other characters could forge log lines or headers and is ignored.
    """
    for candidate in (headers.get(CORRELATION_HEADER.lower()), *alternatives):
        if candidate and _CORRELATION_ID.fullmatch(candidate):
            return candidate
    return ""


def error_places(error: BaseException) -> list[str]:
    """File, line and function of each frame of the error's traceback, without its message, which may quote a
    payment."""
    return [f"{Path(at.filename).name}:{at.lineno} {at.name}" for at in traceback.extract_tb(error.__traceback__)]
