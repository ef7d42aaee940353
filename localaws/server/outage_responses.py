"""How a lost region treats a request that reaches it: it answers an error, closes the connection, or never answers."""

import asyncio
import contextlib
import functools
from collections.abc import Callable

from localaws.core import aws_errors, http_server
from localaws.core.http_server import Receive, Scope, Send
from localaws.core.outages import Gate, Outage, OutageKind
from localaws.core.routing import Call, Headers

# A hung request costs a task and a socket. Beyond these bounds the connection is closed instead.
_MOST_HUNG = 1000
_LONGEST_HANG = 900.0  # seconds on this machine; SDKs give up after 60 s by default


class Refusals:
    """Refuses calls for lost regions in the way each of them fails, and counts them at the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._hung: dict[Callable[[], object], str] = {}  # how to let go of a request, and its region
        self._stopped = False
        gate.on_change(self._changed)
        gate.on_way_change(self._ways_changed)

    def lost(self, call: Call) -> Outage | None:
        """The outage that keeps `call` from being answered, if any."""
        for region in call.regions():
            if outage := self._gate.obstacle(call.caller, region):
                return outage
        return None

    async def refuse(
        self, outage: Outage, call: Call, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._gate.refuse(outage.region, call.what)
        match outage.kind:
            case OutageKind.ERROR:
                message = f"{call.service} in {outage.region} is unavailable"
                await respond(
                    send, aws_errors.error(call, headers, status=503, code="ServiceUnavailable", message=message)
                )
                return
            case OutageKind.HANG:
                await self._hang(outage, receive)
        http_server.reset(scope)
        await http_server.disconnected(receive)

    def stop(self) -> None:
        """Let go of every hung request, since the server ends."""
        self._stopped = True
        for release in list(self._hung):
            release()

    async def _hang(self, outage: Outage, receive: Receive) -> None:
        """Return when the client has given up, the region is healed, or a bound is reached."""
        if self._stopped or len(self._hung) >= _MOST_HUNG:
            return
        released = asyncio.Event()
        release = functools.partial(asyncio.get_running_loop().call_soon_threadsafe, released.set)
        self._hung[release] = outage.region
        waits = {
            asyncio.ensure_future(released.wait()),
            asyncio.ensure_future(http_server.disconnected(receive)),
        }
        try:
            await asyncio.wait(waits, timeout=_LONGEST_HANG, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._hung[release]
            for wait in waits:
                wait.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await wait

    def _changed(self, region: str, _outage: Outage | None) -> None:
        """A hung request does not survive a change: its answer would tell of a region that no longer is."""
        for release, hung_region in list(self._hung.items()):
            if hung_region == region:
                release()

    def _ways_changed(self) -> None:
        for release in list(self._hung):
            release()


async def respond(send: Send, response: aws_errors.Response) -> None:
    """Send a whole response."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})
