"""The relay of a TCP proxy."""

import asyncio
import socket
from asyncio import selector_events
from typing import Any

import pytest

from localaws.net.proxy import Relay, Route


def _starts_to_read(transport: Any, descriptor: int, callback: Any) -> None:
    transport._loop._add_reader(descriptor, callback)


@pytest.mark.parametrize("python", ["this version", "3.11.2"])
def test_what_a_client_sends_before_its_target_is_connected_is_relayed(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Python 3.11.2 a transport that is paused when its connection is made starts to read nevertheless."""
    if python == "3.11.2":
        transport: Any = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
        monkeypatch.setattr(transport, "_add_reader", _starts_to_read, raising=False)

    async def relayed() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        client, accepted = socket.socketpair()
        client.sendall(b"hello")
        client.setblocking(False)
        ended = asyncio.Event()
        relay = Relay(Route(server.sockets[0].getsockname()), lambda _: ended.set(), lambda _: None)
        await relay.join(accepted)
        try:
            async with asyncio.timeout(5):
                return await asyncio.get_running_loop().sock_recv(client, 100)
        finally:
            client.close()
            relay.reset()
            await ended.wait()
            server.close()

    assert asyncio.run(relayed()) == b"hello"
