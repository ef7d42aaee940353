"""The operations as the state machines call them: by name, with JSON."""

import json
from typing import Any

import pytest
from recovery.errors import UnknownOperation
from recovery.operations import OPERATIONS, perform

from tests.components.test_workflows import DEFINITIONS, LEDGER, tasks


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_operation_is_one_that_the_function_has(name: str) -> None:
    for state in tasks(json.loads(DEFINITIONS[name])).values():
        payload = dict(state["Arguments"]["Payload"])
        operation = payload.pop("operation")
        if state["Arguments"]["FunctionName"] == LEDGER:
            assert operation == "replay"
            continue
        fields = OPERATIONS[operation].input.model_fields
        assert set(payload) <= set(fields), operation
        assert {name for name, field in fields.items() if field.is_required()} <= set(payload), operation


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"operation": "detach"}, "unknown operation 'detach'"),
        ({}, "unknown operation None"),
        ({"operation": "fence", "region": "us-east-1", "epoch": 1}, "by"),
        ({"operation": "promote", "region": "us-east-1"}, "region"),
    ],
)
def test_an_unknown_operation_or_field_is_rejected_by_name(event: dict[str, Any], message: str) -> None:
    ctx: Any = None

    with pytest.raises(UnknownOperation, match=message):
        perform(event, ctx)


def test_a_runs_times_are_measured_in_aws_seconds() -> None:
    class Context:
        from common.clock import Pace

        pace = Pace(speed=5.0)

    ctx: Any = Context()
    event = {
        "operation": "measure-durations",
        "failing_since": "2026-11-20T12:00:00.000000Z",
        "detected_at": "2026-11-20T12:00:08.000000Z",
        "started_at": "2026-11-20T12:00:08.150Z",
        "fenced_at": "2026-11-20T12:00:08.500000Z",
        "verified_at": None,
        "replay": {"checked": 9, "missing": 3, "posted": 2, "poisoned": 1, "waiting": 0, "done": True, "at": "x"},
    }
    found = perform(event, ctx)

    assert found["seconds"] == {"detection": 40.0, "start": 0.75, "fence": 1.75}
    assert found["payments"] == {"checked": 9, "missing": 3, "posted": 2, "poisoned": 1, "waiting": 0}
