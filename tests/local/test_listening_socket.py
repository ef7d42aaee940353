"""A listening address under more connections than its loop has time for."""

import asyncio
import socket
import time

from localaws.net.port import ListeningSocket

MANY = 300  # more than the kernel keeps by default


def test_connections_that_come_while_the_loop_is_busy_wait_and_none_is_dropped() -> None:
    async def run() -> int:
        accepted: list[socket.socket] = []
        listening = ListeningSocket(lambda connection, _client: accepted.append(connection))
        listening.accept()
        clients = [socket.socket() for _ in range(MANY)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(listening.address)  # nothing is accepted meanwhile: this is the loop's own thread
        deadline = time.monotonic() + 0.9  # a dropped one asks again after a second
        while len(accepted) < MANY and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for connection in [*accepted, *clients]:
            connection.close()
        listening.close()
        return len(accepted)

    assert asyncio.run(run()) == MANY
