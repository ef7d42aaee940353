"""`python -m bench.counted HANDLER RESULT`: one invocation of a function's handler in this process, its calls counted.

Run as a child process with the environment of the function's execution environment, and the folder of its source in
PYTHONPATH. The event is read from standard input; the file RESULT receives the handler's result and the calls.
"""

import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

_SECONDS = 900.0  # of an invocation, the longest that Lambda allows


class Context:
    """The context of an invocation, as far as functions use it."""

    function_name = invoked_function_arn = aws_request_id = "bench"
    function_version, memory_limit_in_mb = "$LATEST", 1024

    def __init__(self) -> None:
        self._began = time.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        return round(1000 * (_SECONDS - (time.monotonic() - self._began)))


def items_read(operation: str, answer: Mapping[str, Any]) -> int:
    """Items that a call of DynamoDB read, which are more than those it returned where it filters."""
    match operation:
        case "Query" | "Scan":
            return int(answer["ScannedCount"])
        case "GetItem":
            return 1
        case "BatchGetItem":
            return sum(len(items) for items in answer["Responses"].values())
        case "TransactGetItems":
            return len(answer["Responses"])
    return 0


def is_control(parameters: Mapping[str, Any], journal: str) -> bool:
    """Whether a call of DynamoDB reads or writes control records, single items of the journal table. Their number
    depends on the time that an invocation takes."""
    tables = [parameters["TableName"]] if "TableName" in parameters else list(parameters.get("RequestItems", ()))
    has_keys = "Key" in parameters or "Item" in parameters or "RequestItems" in parameters
    return tables == [journal] and has_keys and "payment#" not in json.dumps(parameters, default=str)


def main(handler: str, result: Path) -> None:
    calls: Counter[tuple[str, str, bool]] = Counter()
    items: Counter[tuple[str, str, bool]] = Counter()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: Any, operation: str, parameters: Any) -> Any:
        service = client.meta.service_model.service_name
        control = service == "dynamodb" and is_control(parameters, os.environ["JOURNAL_TABLE"])
        key = (service, operation, control)
        calls[key] += 1
        answer = call(client, operation, parameters)
        if service == "dynamodb":
            items[key] += items_read(operation, answer)
        return answer

    BaseClient._make_api_call = counted  # type: ignore[attr-defined]
    module, _, name = handler.rpartition(".")
    response = getattr(importlib.import_module(module), name)(json.load(sys.stdin), Context())
    rows = [
        {"service": service, "operation": operation, "control": control, "calls": count, "items": items[key]}
        for key, count in sorted(calls.items())
        for service, operation, control in [key]
    ]
    result.write_text(json.dumps({"response": response, "calls": rows}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
