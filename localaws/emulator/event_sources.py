"""Event source mappings of DynamoDB streams."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.emulator.patches import patch


@dataclass(frozen=True)
class StreamMapping:
    """`settings` are those of CreateEventSourceMapping, as they are now."""

    id: str
    account: str
    region: str
    settings: dict[str, Any]

    @property
    def table(self) -> str:
        return str(self.settings["EventSourceArn"].split("/")[1])


def take_over_streams(written: Callable[[], None]) -> None:
    """End ministack's own reading of DynamoDB streams, and call `written` after each write that can be in one."""

    def emit_and_notify(emit: Any, *arguments: Any, **named: Any) -> None:
        emit(*arguments, **named)
        written()

    patch("services.dynamodb:_emit_stream_event", emit_and_notify)
    patch("services.lambda_svc:_poll_dynamodb_streams", lambda _original: False)


def stream_mappings() -> list[StreamMapping]:
    """Every mapping of a DynamoDB stream, in all accounts and regions."""
    from ministack.services import lambda_svc

    found = [
        StreamMapping(key, account, region, esm) for (account, region, key), esm in list(lambda_svc._esms._data.items())
    ]
    return [mapping for mapping in found if ":dynamodb:" in mapping.settings.get("EventSourceArn", "")]


def stream_records(mapping: StreamMapping, count: int) -> tuple[int, list[dict[str, Any]]]:
    """The position of the mapping in its stream, and the next `count` records from there."""
    from ministack.core.responses import request_scope
    from ministack.services import dynamodb, lambda_svc

    with request_scope(mapping.account, mapping.region), lambda_svc._dynamodb_stream_positions_lock:
        table = dynamodb._tables.get(mapping.table)
        if not table or table.get("LatestStreamArn") != mapping.settings["EventSourceArn"]:
            return 0, []
        positions = lambda_svc._dynamodb_stream_positions
        position = max(positions.get(mapping.id, 0), dynamodb.stream_start_position(mapping.table))
        return position, list(dynamodb.stream_records_since(mapping.table, position, count))


def advance_stream(mapping: StreamMapping, position: int) -> None:
    """Let the mapping go on at `position`."""
    from ministack.core.responses import request_scope
    from ministack.services import lambda_svc

    with request_scope(mapping.account, mapping.region), lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping.id] = position


def passes_filters(mapping: StreamMapping, record: dict[str, Any]) -> bool:
    """Whether a record matches one of the mapping's filters, if it has any."""
    from ministack.services import lambda_svc

    return bool(lambda_svc._apply_filter_criteria([record], mapping.settings))


def run_stream_function(mapping: StreamMapping, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Run the mapping's function with these records; the result as ministack has it (`error`, `body`)."""
    from ministack.core.responses import request_scope
    from ministack.services import lambda_svc

    name, qualifier = mapping.settings["FunctionName"], mapping.settings.get("Qualifier")
    with request_scope(mapping.account, mapping.region):
        function, _ = lambda_svc._get_func_record_for_qualifier(name, qualifier)
        if function is None:
            return {"error": True, "body": {"errorType": "ResourceNotFoundException"}}
        result: dict[str, Any] = lambda_svc._execute_function(function, {"Records": records})
    mapping.settings["LastProcessingResult"] = "PROBLEM: Function call failed" if result.get("error") else "OK"
    return result


def discard_stream_records(
    mapping: StreamMapping, records: list[dict[str, Any]], result: dict[str, Any], condition: str
) -> None:
    """Send records that are given up to the mapping's destination for failures, if it has one."""
    from ministack.core.responses import request_scope
    from ministack.services import lambda_svc

    name, qualifier = mapping.settings["FunctionName"], mapping.settings.get("Qualifier")
    with request_scope(mapping.account, mapping.region):
        function, _ = lambda_svc._get_func_record_for_qualifier(name, qualifier)
        source = mapping.settings["EventSourceArn"]
        lambda_svc._send_ddb_stream_failure_record(mapping.settings, function, records, source, result, condition)
