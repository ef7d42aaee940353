"""Counts every call to AWS by caller, operation and plane, so that a rehearsal can report what it did not need.

Callers are functions, workflows, and everybody else ("outside": the deployment, a drill, clients).

AWS's guidance: recovery must not depend on control planes (whitepaper "AWS Fault Isolation Boundaries", "Control planes
and data planes"). AWS lists the planes of few services; where it does not, operations that read or move the user's own
data count as the data plane. Route 53's and Global Accelerator's APIs are control planes altogether.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from localaws.core.aws_errors import operation
from localaws.core.control import Control
from localaws.core.routing import Call, Headers


@dataclass(frozen=True, order=True)
class Made:
    """A recorded call with its caller. `region` is the one that was called, whether or not it responded."""

    caller: str  # function, workflow, outside
    caller_region: str
    region: str
    service: str
    operation: str
    plane: str


class RecordedCalls:
    """Since the last `mark`. Used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.mark()

    def mark(self) -> float:
        """Forget what was, and count from now on; returns the Unix time of it."""
        with self._lock:
            self._counts: Counter[Made] = Counter()
            self._since = time.time()
            return self._since

    def request(self, call: Call, operation: str) -> None:
        """Count a request over HTTP."""
        plane = call.plane if call.plane == "data" else plane_of(call.service, operation)
        caller = ("function", call.caller) if call.caller else ("outside", "")
        self._count(Made(*caller, call.region or "", call.service, operation, plane))

    def task(self, region: str, service: str, operation: str) -> None:
        """Count what a workflow does by itself."""
        self._count(Made("workflow", region, region, service, operation, plane_of(service, operation)))

    def _count(self, made: Made) -> None:
        with self._lock:
            self._counts[made] += 1

    def status(self) -> dict[str, Any]:
        with self._lock:
            counts, since = dict(self._counts), self._since
        return {"since": since, "calls": [{**asdict(made), "count": counts[made]} for made in sorted(counts)]}


class CallApi:
    """`GET /calls` and `POST /calls/mark`."""

    def __init__(self, calls: RecordedCalls) -> None:
        self._calls = calls

    def install(self, control: Control) -> None:
        control.route("GET", "/calls", lambda _wanted: self._calls.status())
        control.route("POST", "/calls/mark", self._mark)

    def _mark(self, _wanted: Mapping[str, Any]) -> dict[str, float]:
        return {"since": self._calls.mark()}


_DATA = {
    "dynamodb": {
        *("BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "DeleteItem", "ExecuteStatement"),
        *("ExecuteTransaction", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems", "TransactWriteItems"),
        *("UpdateItem", "DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
    },
    "sqs": {
        *("ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch"),
        *("ReceiveMessage", "SendMessage", "SendMessageBatch"),
    },
    "sns": {"Publish", "PublishBatch"},
    "events": {"PutEvents"},
    "lambda": {"Invoke", "InvokeWithResponseStream"},
    "secretsmanager": {"BatchGetSecretValue", "GetSecretValue"},
    "ssm": {"GetParameter", "GetParameterHistory", "GetParameters", "GetParametersByPath"},
    "kms": {
        *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
        *("GenerateDataKeyWithoutPlaintext", "GenerateMac", "GenerateRandom", "GetPublicKey", "ReEncrypt", "Sign"),
        *("Verify", "VerifyMac"),
    },
    "states": {
        *("DescribeExecution", "GetExecutionHistory", "ListExecutions", "SendTaskFailure", "SendTaskHeartbeat"),
        *("SendTaskSuccess", "StartExecution", "StartSyncExecution", "StopExecution"),
    },
    "monitoring": {"GetMetricData", "GetMetricStatistics", "PutMetricData"},
    "logs": {"CreateLogStream", "PutLogEvents"},
    "sts": {"AssumeRole", "GetCallerIdentity"},
    "xray": {"PutTelemetryRecords", "PutTraceSegments"},
    "s3": {"DeleteObject", "GetObject", "HeadObject", "ListObjects", "PostObject", "PutObject"},
    "rds-data": {
        *("BatchExecuteStatement", "BeginTransaction", "CommitTransaction", "ExecuteStatement", "RollbackTransaction"),
    },
}
_INVOKE = re.compile(r"/functions/[^/]+/(invocations|response-streaming-invocations)$")
_RDS_DATA = {"/Execute": "ExecuteStatement", "/BatchExecute": "BatchExecuteStatement"}
_FORM = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")
_LONGEST_NAME = 120


def plane_of(service: str, called: str) -> str:
    """ "data" or "control" for an operation of a service (its signing name)."""
    return "data" if called in _DATA.get(service, ()) else "control"


def has_form(headers: Headers) -> bool:
    """Whether the operation is in the body."""
    return not headers.target and headers.content_type.startswith("application/x-www-form-urlencoded")


def operation_of(call: Call, headers: Headers, method: str, path: str, body: bytes) -> str:
    """The operation that a request asks for, by AWS's name where a table needs it, otherwise its method and path."""
    if call.plane == "data":
        return method
    if has_form(headers):
        found = _FORM.search(body)
        return found[1].decode() if found else "?"
    if not headers.target:
        if call.service == "lambda" and (match := _INVOKE.search(path)):
            return "Invoke" if match[1] == "invocations" else "InvokeWithResponseStream"
        if call.service == "rds-data":
            return _RDS_DATA.get(path, path.lstrip("/"))
        if call.service == "s3":
            return _of_s3(call, headers, method, path)
    return operation(headers, method, path, body)[:_LONGEST_NAME]


def _of_s3(call: Call, headers: Headers, method: str, path: str) -> str:
    """Objects are data; a bucket without an object in the path is listed or configured."""
    by_host = bool(call.buckets) and headers.host.startswith(f"{call.buckets[0]}.")
    key = path.lstrip("/") if by_host else path.lstrip("/").partition("/")[2]
    if key:
        return f"{method.capitalize()}Object"
    return "ListObjects" if method == "GET" else f"{method} bucket"
