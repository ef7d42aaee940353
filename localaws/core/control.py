"""The control API of the embedded AWS, JSON under /_localaws: status, faults, addresses, and the way to stop it.

It answers on loopback only. A web page in the user's browser can reach loopback too, so a call must name a loopback
host and, when it changes something, send JSON, which a browser does not do across origins without asking.
"""

import ipaddress
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from localaws.core import http_server
from localaws.core.aws_errors import Response
from localaws.core.clock import Clock
from localaws.core.http_server import Receive, Scope
from localaws.core.outages import OutageKind, Outages
from localaws.core.routing import Headers

PREFIX = "/_localaws"

_LONGEST_BODY = 64 * 1024
_OWN = "GET /status, GET /addresses, POST /outage, POST /recover, POST /stop"
logger = logging.getLogger(__name__)


class _Refused(Exception):
    """A control call that cannot be served: HTTP status and what to change."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Components register sections of the status and sources of addresses."""

    def __init__(self, clock: Clock, outages: Outages, stop: Callable[[], None]) -> None:
        self._clock = clock
        self._outages = outages
        self._stop = stop
        self._sections: dict[str, Callable[[], Any]] = {}
        self._addresses: list[Callable[[], Mapping[str, str]]] = []
        self._routes: dict[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {}

    def section(self, name: str, content: Callable[[], Any]) -> None:
        """Show `content()` as `name` in the status. It is called in the event loop, so it must be quick."""
        if name in self._sections:
            raise ValueError(f"the status has a section {name} already")
        self._sections[name] = content

    def addresses(self, source: Callable[[], Mapping[str, str]]) -> None:
        """Add `"<AWS name>:<port>" -> "127.0.0.1:<port>"` pairs to the answer of `GET /addresses`."""
        self._addresses.append(source)

    def route(self, method: str, path: str, answer: Callable[[Mapping[str, Any]], Any]) -> None:
        """Answer a call below the prefix with `answer(its JSON object)`, in the event loop. It raises ValueError for
        what the caller has to change."""
        self._routes[method, path] = answer

    @staticmethod
    def serves(path: str) -> bool:
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = {"speed": self._clock.speed, "pid": os.getpid(), "regions": self._regions()}
        for name, content in self._sections.items():
            status[name] = content()
        return status

    async def answer(self, scope: Scope, headers: Headers, receive: Receive) -> Response:
        try:
            _refuse_strangers(scope, headers)
            return _json(200, await self._do(scope, receive))
        except _Refused as refused:
            return _json(refused.status, {"error": str(refused)})
        except Exception as failure:
            logger.exception("event=control_call_failed path=%s", scope["path"])
            return _json(500, {"error": f"{type(failure).__name__}: {failure}"})

    async def _do(self, scope: Scope, receive: Receive) -> Any:
        match scope["method"], scope["path"].removeprefix(PREFIX):
            case "GET", "/status":
                return self.status()
            case "GET", "/addresses":
                return {name: address for source in self._addresses for name, address in source().items()}
            case "POST", "/outage":
                wanted = await _object(receive)
                outage = self._outages.lose(self._region(wanted), _kind(wanted))
                return asdict(outage)
            case "POST", "/recover":
                region = self._region(await _object(receive))
                self._outages.heal(region)
                return {"region": region}
            case "POST", "/stop":
                self._stop()
                return {"stopping": True}
        method, path = scope["method"], scope["path"].removeprefix(PREFIX)
        if (answer := self._routes.get((method, path))) is None:
            raise _Refused(404, f"the control API has {', '.join((_OWN, *(' '.join(each) for each in self._routes)))}")
        try:
            return answer(await _object(receive) if method == "POST" else {})
        except ValueError as problem:
            raise _Refused(400, str(problem)) from problem

    def _regions(self) -> dict[str, Any]:
        refused = self._outages.refused()
        regions = {}
        for region in self._outages.regions:
            outage = self._outages.outage(region)
            regions[region] = {
                "outage": {"kind": outage.kind, "since": outage.since} if outage else None,
                "refused": refused.get(region, {}),
            }
        return regions

    def _region(self, wanted: Mapping[str, Any]) -> str:
        region = wanted.get("region")
        if region not in self._outages.regions:
            raise _Refused(400, f"region {region!r} is not on this machine; use {' or '.join(self._outages.regions)}")
        return str(region)


def _kind(wanted: Mapping[str, Any]) -> OutageKind:
    try:
        return OutageKind(wanted.get("kind", OutageKind.ERROR))
    except ValueError:
        raise _Refused(400, f"kind {wanted['kind']!r} is unknown; use {', '.join(OutageKind)}") from None


def _refuse_strangers(scope: Scope, headers: Headers) -> None:
    if not ipaddress.ip_address(scope["client"][0]).is_loopback or headers.host not in ("127.0.0.1", "localhost"):
        raise _Refused(403, "the control API answers calls from this machine to 127.0.0.1 or localhost only")
    if scope["method"] == "POST" and headers.content_type.partition(";")[0] != "application/json":
        raise _Refused(415, "send the content type application/json")


async def _object(receive: Receive) -> dict[str, Any]:
    try:
        wanted = json.loads(await http_server.read_body(receive, at_most=_LONGEST_BODY))
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise _Refused(400, 'send a JSON object, such as {"region": "us-east-1"}')
    return wanted


def _json(status: int, content: Any) -> Response:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return Response(status=status, headers=headers, body=body)
