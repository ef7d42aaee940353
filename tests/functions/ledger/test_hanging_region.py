"""Replays while the other region accepts connections and never responds, as a lost region may."""

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session

from common.backlog import Backlog
from common.clock import utc_now
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.ledger.world import Context, LedgerWorld, entry, ids

_TIMEOUT_SECONDS = 2.0


@contextlib.contextmanager
def hanging_server() -> Iterator[tuple[str, "queue.Queue[bool]"]]:
    """A server's URL, and by connection whether its client has given up within _TIMEOUT_SECONDS."""
    gave_up: queue.Queue[bool] = queue.Queue()
    stopped = threading.Event()

    def wait_for(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            try:
                while connection.recv(65_536):
                    pass
            except TimeoutError:
                gave_up.put(False)
            else:
                gave_up.put(True)

    def serve() -> None:
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = server.accept()
                threading.Thread(target=wait_for, args=[connection]).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", gave_up
        finally:
            stopped.set()
            thread.join()


class HangingAt(Session):
    """A session whose clients of the other region call `url`; those of the control records are not among them."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def create_client(self, service_name: Any, *positional: Any, **given: Any) -> Any:
        config: Any = given["config"]
        if config.region_name == EAST_2:
            given["endpoint_url"] = self._url
        return super().create_client(service_name, *positional, **given)


@pytest.mark.stack  # it limits real time
def test_a_region_that_hangs_is_waited_for_no_longer_than_its_limit(aws: LedgerWorld) -> None:
    """A failover would otherwise reach the own region's payments seconds later."""
    aws.put(entry(1).to_item(), EAST_1)
    Backlog(aws.client("dynamodb"), region=EAST_1, table=aws.backlog_table).record(ids(1), arrived=utc_now())

    with hanging_server() as (url, gave_up):
        aws.session = HangingAt(url)
        found = aws.function(PEER_TIMEOUT_MS="100").answer({"operation": "replay"}, Context())

        assert found["unreachable"] == {EAST_2: "ReadTimeoutError"}
        assert aws.rows() == ["order-0001"]
        assert gave_up.get(timeout=10)
