"""Which operations of AWS belong to a service's data plane; everything else counts as its control plane.

AWS's guidance: recovery must not depend on control planes (whitepaper "AWS Fault Isolation Boundaries", "Control planes
and data planes"). AWS lists the planes of few services; where it does not, what reads or moves the user's own data is
taken for the data plane. Route 53's and Global Accelerator's APIs are control planes altogether.
"""

import re

from localaws.core.aws_errors import operation
from localaws.core.routing import Call, Headers

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
    """Whether the operation stands in the body."""
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
