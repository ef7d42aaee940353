"""Asking AWS on behalf of a change or a look, so that what it refuses reads the same everywhere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.errors import ActionError, ProbeError
from drill.model.target import Site
from drill.preflight import control_records
from shared.places import Place


@contextmanager
def changing(what: str) -> Iterator[None]:
    """Raises ActionError for what AWS refuses."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ActionError(f"{what}: {error}") from error


@contextmanager
def looking(what: str) -> Iterator[None]:
    """Raises ProbeError for what AWS refuses."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ProbeError(f"{what}: {error}") from error


def is_refused(error: ClientError, *codes: str) -> bool:
    return error.response["Error"]["Code"] in codes


def is_fenced(site: Site, place: Place) -> bool:
    """By the newest control record of both replicas."""
    return control_records.state(site.whole, place).value != control_records.ACTIVE


def recover(site: Site, at: Place, operation: str, **given: Any) -> dict[str, Any]:
    """Have the recovery function of a region do one operation, as the state machines do. Raises ActionError."""
    with changing(f"{operation} was refused in {site.region(at)}"):
        answer = site.client("lambda", at).invoke(
            FunctionName=site.whole.cell(at).compute.functions["recovery"].name,
            Payload=json.dumps({"operation": operation, **given}),
        )
        told: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise ActionError(f"{operation} failed: {told.get('errorType')}: {told.get('errorMessage')}")
    return told
