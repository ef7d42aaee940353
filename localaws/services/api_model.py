"""Requests and responses by botocore's model of a service, for operations that the embedded AWS adds or completes."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore import xform_name
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.session import get_session

from localaws.emulator.backup import RestCall
from localaws.emulator.services import Answer

Document = dict[str, Any]


@cache
def service_model(service: str) -> ServiceModel:
    return get_session().get_service_model(service)


class RestOperations:
    """Routes calls of a REST service to the methods of `handler` that bear an operation's name in snake case.

    A method takes the call and the operation's parameters. It returns the response's members and maybe others, which
    are left out; or None, which leaves the call to the emulator.
    """

    def __init__(self, service: str, handler: object) -> None:
        model = service_model(service)
        self._routes = [
            (_route(operation), operation, getattr(handler, xform_name(operation.name)))
            for operation in map(model.operation_model, model.operation_names)
            if hasattr(handler, xform_name(operation.name))
        ]

    def respond(self, call: RestCall) -> tuple[int, Document | None] | None:
        """Status and body; None for a call that is left to the emulator. Raises AwsRefusal."""
        for route, operation, act in self._routes:
            if found := route.fullmatch(f"{call.method} {call.path}"):
                result = act(call, found.groupdict() | call.body)
                if result is None:
                    return None
                shape = operation.output_shape
                return operation.http.get("responseCode", 200), _members(shape, result) if shape else None
        return None


def complete(operation: str, answer: Answer, change: Callable[[Document], None]) -> Answer:
    """An EC2 answer after `change(its document)`; errors stay as they are."""
    status, headers, body = answer
    if status >= 300:
        return answer
    model = service_model("ec2").operation_model(operation)
    shape: Any = model.output_shape
    document = create_parser("ec2").parse({"status_code": status, "headers": headers, "body": body}, shape)
    change(document)
    return status, headers, ec2_response(operation, document)


def ec2_response(operation: str, document: Document) -> bytes:
    model = service_model("ec2").operation_model(operation)
    request_id = document.get("ResponseMetadata", {}).get("RequestId", "")
    inner = xml(model.output_shape, document) if model.output_shape else ""
    namespace = f"http://ec2.amazonaws.com/doc/{model.service_model.api_version}/"
    name = f"{operation}Response"
    return f'<{name} xmlns="{namespace}"><requestId>{request_id}</requestId>{inner}</{name}>'.encode()


def _route(operation: OperationModel) -> re.Pattern[str]:
    """Matches method and path; its groups are parameters."""
    given: Any = operation.input_shape
    labels = {shape.serialization.get("name", name): name for name, shape in given.members.items()}
    path = operation.http["requestUri"].strip("/")
    parameters = re.sub(r"\{(\w+)\}", lambda found: f"(?P<{labels[found[1]]}>[^/]+)", path)
    return re.compile(f"{operation.http['method']} {parameters}")


def _members(shape: Shape, value: Any) -> Any:
    """`value` without what the shape does not have."""
    if isinstance(shape, StructureShape):
        return {name: _members(member, value[name]) for name, member in shape.members.items() if name in value}
    return [_members(shape.member, each) for each in value] if isinstance(shape, ListShape) else value


def xml(shape: Shape, value: Any) -> str:
    """The content of an XML element of this shape."""
    if isinstance(shape, StructureShape):
        tags = {name: member.serialization.get("name", name) for name, member in shape.members.items()}
        return "".join(
            f"<{tag}>{xml(shape.members[name], value[name])}</{tag}>"
            for name, tag in tags.items()
            if value.get(name) is not None
        )
    if isinstance(shape, ListShape):
        tag = shape.member.serialization.get("name", "member")
        return "".join(f"<{tag}>{xml(shape.member, each)}</{tag}>" for each in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else escape(str(value))
