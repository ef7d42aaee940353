"""The route of functions to load balancers and APIs by name, as an HTTP client of the proxy."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from localaws.services.lambda_.egress_proxy import EgressProxy
from localaws.services.route53.names import Destination

LOAD_BALANCER, API = "nlb-1.elb.us-east-1.amazonaws.com", "abc.execute-api.us-east-1.amazonaws.com"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class World:
    """One server that records its requests, behind two names, and the proxy of one region."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.run = runner.run
        self.requests: list[bytes] = []
        self.reachable = True

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        address = self._server.sockets[0].getsockname()
        places = {
            LOAD_BALANCER: Destination(address, ""),
            API: Destination(address, "/_aws/execute-api/abc", tls=False),
        }
        self.proxy = EgressProxy(
            ("us-east-2",), lambda name, _port, _path: places.get(name), lambda _region, _name: self.reachable
        )
        await self.proxy.start()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    def stop(self) -> None:
        self.proxy.stop()
        self._server.close()


@pytest.fixture
def world() -> Iterator[World]:
    with asyncio.Runner() as runner:
        made = World(runner)
        runner.run(made.start())
        yield made
        made.stop()


@contextmanager
def pool(world: World) -> Iterator[urllib3.ProxyManager]:
    with urllib3.ProxyManager(world.proxy.url("us-east-2"), cert_reqs="CERT_NONE", assert_hostname=False) as made:
        yield made


def ask(world: World, url: str) -> Any:
    def call() -> Any:
        with pool(world) as http:
            return http.request("GET", url, retries=False, timeout=3)

    return world.run(asyncio.wait_for(asyncio.to_thread(call), 5))


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_an_api_is_served_over_tls_below_its_path(world: World) -> None:
    answer = ask(world, f"https://{API}/live/health")

    assert (answer.status, answer.data) == (200, b"ok")
    (head,) = world.requests
    assert head.startswith(b"GET /_aws/execute-api/abc/live/health HTTP/1.1\r\n")
    assert f"host: {API}".encode() in head.lower()


def test_a_load_balancers_bytes_pass_as_they_are(world: World) -> None:
    async def talk() -> bytes:
        host, _, port = world.proxy.url("us-east-2").removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"CONNECT {LOAD_BALANCER}:443 HTTP/1.1\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(b"\x16 not HTTP at all\r\n\r\n")
        answer = await reader.read(-1)
        writer.close()
        return answer

    assert world.run(talk()) == ANSWER
    assert world.requests == [b"\x16 not HTTP at all\r\n\r\n"]


@pytest.mark.parametrize("name", [LOAD_BALANCER, "nobody.example.com"])
def test_an_unreachable_name_is_an_error_and_never_a_response(world: World, name: str) -> None:
    world.reachable = name != LOAD_BALANCER

    with pytest.raises(urllib3.exceptions.HTTPError):
        ask(world, f"https://{name}/health")

    assert world.requests == []
