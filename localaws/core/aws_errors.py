"""An error in the wire protocol of the call it answers, so that every AWS SDK reads its code and its message.

The protocol follows from the request, and for XML over REST from the service.
https://smithy.io/2.0/aws/protocols/index.html
"""

import json
import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import cbor2

from localaws.core.routing import Call, Headers

_S3 = frozenset({"s3", "s3express"})
_OTHER_REST_XML = frozenset({"route53", "cloudfront"})
_OPERATION = re.compile(r"/service/[^/]+/operation/([^/]+)")


@dataclass(frozen=True, kw_only=True)
class Response:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def operation(headers: Headers, method: str, path: str, body: bytes) -> str:
    """The operation a request asks for; for REST protocols, which do not carry its name, method and path."""
    if headers.target:
        return headers.target.rpartition(".")[2]
    if match := _OPERATION.match(path):
        return match[1]
    if headers.content_type.startswith("application/x-www-form-urlencoded"):
        return parse_qs(body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    return f"{method} {path}"


def error(call: Call, headers: Headers, *, status: int, code: str, message: str) -> Response:
    """`code` and `message` as the service of `call` would send them."""
    request_id = str(uuid.uuid4())
    kind, body = _body(call, headers, code, message, request_id)
    lines = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", request_id.encode()),
        (b"x-amz-request-id", request_id.encode()),
        (b"x-amzn-errortype", code.encode()),
    ]
    if headers.smithy:
        lines.append((b"smithy-protocol", headers.smithy.encode()))
    return Response(status=status, headers=lines, body=body)


def _body(call: Call, headers: Headers, code: str, message: str, request_id: str) -> tuple[str, bytes]:
    if call.plane == "data" and call.service == "elb":
        page = f"<html>\r\n<head><title>{escape(message)}</title></head>\r\n</html>\r\n"
        return "text/html", page.encode()
    if headers.smithy == "rpc-v2-cbor":
        return "application/cbor", cbor2.dumps({"__type": code, "message": message})
    if headers.target:
        kind = headers.content_type or "application/x-amz-json-1.1"
        return kind, json.dumps({"__type": code, "message": message}).encode()
    fault = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if call.service == "ec2":
        page = f"<Response><Errors><Error>{fault}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        return "text/xml", page.encode()
    if call.service in _S3:
        page = f"<Error>{fault}<RequestId>{request_id}</RequestId></Error>"
        return "application/xml", page.encode()
    if call.service in _OTHER_REST_XML or headers.content_type.startswith("application/x-www-form-urlencoded"):
        inner = f"<Error><Type>Receiver</Type>{fault}</Error><RequestId>{request_id}</RequestId>"
        return "text/xml", f"<ErrorResponse>{inner}</ErrorResponse>".encode()
    return "application/json", json.dumps({"message": message}).encode()
