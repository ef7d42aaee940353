"""AWS calls on behalf of a change or a probe: their errors as the drill's own, and the recovery function."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.errors import ActionError, ProbeError
from drill.preflight import control_records
from shared.deployment import Deployment
from shared.places import Place


@contextmanager
def changing(what: str) -> Iterator[None]:
    """Raises ActionError for an error of botocore's."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ActionError(f"{what}: {error}") from error


@contextmanager
def observing(what: str) -> Iterator[None]:
    """Raises ProbeError for an error of botocore's."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ProbeError(f"{what}: {error}") from error


def is_refused(error: ClientError, *codes: str) -> bool:
    return error.response["Error"]["Code"] in codes


def is_fenced(deployment: Deployment, place: Place) -> bool:
    """By the newest control record of both replicas."""
    return control_records.state(deployment, place).value != control_records.ACTIVE


def recover(deployment: Deployment, at: Place, operation: str, **given: Any) -> dict[str, Any]:
    """Invoke the recovery function of a region, as the state machines do; its answer. Raises ActionError."""
    with changing(f"{operation} was refused in {deployment.region(at)}"):
        answer = deployment.client("lambda", at).invoke(
            FunctionName=deployment.cell(at).compute.functions["recovery"].name,
            Payload=json.dumps({"operation": operation, **given}),
        )
        result: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise ActionError(f"{operation} failed: {result.get('errorType')}: {result.get('errorMessage')}")
    return result
