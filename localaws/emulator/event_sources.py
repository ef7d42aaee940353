"""Event source mappings of DynamoDB streams."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.emulator.patches import Undo, patch

_SCANNED = 100  # records that are read at once at the least


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


def expire_stream_records(is_expired: Callable[[float], bool]) -> Undo:
    """Let a stream drop the records for which `is_expired(Unix time of the write)`; ministack uses its own clock."""

    def expired(_original: Any, record: dict[str, Any], _cutoff: float) -> bool:
        return is_expired(float(record["dynamodb"]["ApproximateCreationDateTime"]))

    return patch("services.dynamodb:_record_age_cutoff", expired)


def stream_mappings() -> list[StreamMapping]:
    """Every mapping of a DynamoDB stream, in all accounts and regions."""
    from ministack.services import lambda_svc

    found = [
        StreamMapping(key, account, region, esm) for (account, region, key), esm in list(lambda_svc._esms._data.items())
    ]
    return [mapping for mapping in found if ":dynamodb:" in mapping.settings.get("EventSourceArn", "")]


@dataclass(frozen=True)
class Lane:
    """One of the `of` parts of a stream, `number` from 0, which its records belong to by their partition key."""

    number: int = 0
    of: int = 1

    def holds(self, key: Any) -> bool:
        """Whether it has the records of this partition key, a value in DynamoDB's JSON."""
        return self.of == 1 or zlib.crc32(json.dumps(key, sort_keys=True).encode()) % self.of == self.number


@dataclass(frozen=True)
class Found:
    """Records with their positions in the stream, and the position up to which there are no others of the lane."""

    records: list[tuple[int, dict[str, Any]]]
    end: int


def stream_position(mapping: StreamMapping) -> int:
    """The position at which a mapping begins, or continues after a restart."""
    from ministack.core.responses import request_scope
    from ministack.services import lambda_svc

    with request_scope(mapping.account, mapping.region), lambda_svc._dynamodb_stream_positions_lock:
        return int(lambda_svc._dynamodb_stream_positions.get(mapping.id, 0))


def stream_records(mapping: StreamMapping, lane: Lane, position: int, count: int) -> Found:
    """The next `count` records of a lane from `position` on. Those that have expired are skipped."""
    from ministack.core.responses import request_scope
    from ministack.services import dynamodb

    found: list[tuple[int, dict[str, Any]]] = []
    with request_scope(mapping.account, mapping.region):
        table = dynamodb._tables.get(mapping.table)
        if not table or table.get("LatestStreamArn") != mapping.settings["EventSourceArn"]:
            return Found([], position)
        key = next(each["AttributeName"] for each in table["KeySchema"] if each["KeyType"] == "HASH")
        at = max(position, dynamodb.stream_start_position(mapping.table))
        while part := dynamodb.stream_records_since(mapping.table, at, max(count, _SCANNED)):
            for record in part:
                at += 1
                if lane.holds(record["dynamodb"]["Keys"][key]):
                    found.append((at - 1, record))
                    if len(found) == count:
                        return Found(found, at)
    return Found(found, at)


def advance_stream(mapping: StreamMapping, position: int) -> None:
    """Let the mapping go on at `position` after a restart."""
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
