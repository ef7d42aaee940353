"""The ASGI application in front of the emulator: the gate of lost regions, the control API, and clear refusals.

Every HTTP call passes here once. What is for a lost region, or comes from a function of one, is refused; what was
already running there when the region was lost gets no answer either. Unsigned calls are served in the region of the
resource they name. A service that nobody emulates is refused at once, by name.
"""

from localaws import emulator as localaws_emulator
from localaws.core import aws_errors, call_planes, http_server
from localaws.core.call_recorder import RecordedCalls
from localaws.core.control import Control
from localaws.core.http_server import Asgi, Message, Receive, Scope, Send
from localaws.core.multi_region import located
from localaws.core.outages import Gate
from localaws.core.routing import FRONT_HEADER, Call, Headers, read
from localaws.server.outage_responses import Refusals, respond

_LONGEST_BODY = 64 * 1024  # bytes read to find out the operation of a call that is refused anyway


class EmbeddedAws:
    """`emulator` is ministack's application. Calls that name no region belong to the first of the gate's regions."""

    def __init__(self, emulator: Asgi, gate: Gate, control: Control, calls: RecordedCalls) -> None:
        self._emulator = emulator
        self._default_region = gate.regions[0]
        self._control = control
        self._calls = calls
        self.refusals = Refusals(gate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._emulator(scope, receive, send)
            return
        headers = Headers.of(scope["headers"])
        if Control.serves(scope["path"]):
            await respond(send, await self._control.answer(scope, headers, receive))
            return
        call, receive = await located(read(scope, headers, self._default_region), headers, receive)
        receive = await self._count(call, headers, scope, receive)
        if outage := self.refusals.lost(call):
            await self.refusals.refuse(outage, call, headers, scope, receive, send)
            return
        if call.plane == "control" and call.signed and not localaws_emulator.requests.is_emulated(call.service):
            await respond(send, await _unknown_service(call, headers, scope, receive))
            return
        if headers.front:
            kept = [line for line in scope["headers"] if line[0] != FRONT_HEADER]
            scope = {**scope, "headers": kept}
        by_signature = call.signed and call.plane == "control" and not call.located
        localaws_emulator.requests.region_of_unsigned_call.set(None if by_signature else call.region)
        await self._emulator(scope, receive, self._unless_lost(call, headers, scope, receive, send))

    async def _count(self, call: Call, headers: Headers, scope: Scope, receive: Receive) -> Receive:
        """Count a call, whatever becomes of it; returns its body to read once more."""
        if call.region is None:
            return receive
        first: list[Message] = []
        if call_planes.has_form(headers):
            first.append(await receive())
        body = first[0].get("body", b"") if first else b""
        self._calls.request(call, call_planes.operation_of(call, headers, scope["method"], scope["path"], body))

        async def receive_all() -> Message:
            return first.pop() if first else await receive()

        return receive_all if first else receive

    def _unless_lost(self, call: Call, headers: Headers, scope: Scope, receive: Receive, send: Send) -> Send:
        """`send`, but for a call whose region is lost by the time its answer is ready."""
        refused = False

        async def send_unless_lost(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            if message["type"] == "http.response.start" and (outage := self.refusals.lost(call)):
                refused = True
                await self.refusals.refuse(outage, call, headers, scope, receive, send)
                return
            await send(message)

        return send_unless_lost


async def _unknown_service(call: Call, headers: Headers, scope: Scope, receive: Receive) -> aws_errors.Response:
    body = await http_server.read_body(receive, at_most=_LONGEST_BODY)
    asked = aws_errors.operation(headers, scope["method"], scope["path"], body)
    message = f"The embedded AWS does not emulate {call.service} (operation {asked})."
    return aws_errors.error(call, headers, status=501, code="NotImplemented", message=message)
