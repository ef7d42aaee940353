"""Calls of a replica whose endpoint misbehaves: real sockets, a server that follows a script."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from common.aws_clients import DynamoDbClients
from common.table_replica import IDLE_SECONDS, Replica, ReplicaUnavailable
from tests.functions.harness import EAST_2, TABLE, Tables

pytestmark = pytest.mark.stack  # time limits, which a busy machine does not keep

TIMEOUT = 0.3
OK = (200, b"{}")
THROTTLED = (400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}')
BROKEN = (500, b'{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}')
CLOSE = None

Script = list[tuple[int, bytes] | None]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Endpoint(ThreadingHTTPServer):
    """DynamoDB's endpoint as far as these tests go: it answers by the script, and OK after it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.script: Script = []
        self.requests = 0
        self.asked: dict[str, Any] = {}
        self.connections: set[tuple[str, int]] = set()
        super().__init__(("127.0.0.1", 0), Exchange)


class Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        self.server.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests += 1
        self.server.connections.add(self.client_address)
        step = self.server.script.pop(0) if self.server.script else OK
        if step is CLOSE:
            self.close_connection = True
            return
        status, body = step
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news here."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def replica_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Replica]:
    def make(port: int, clock: Callable[[], float] = time.time) -> Replica:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        client = DynamoDbClients().dynamodb("us-east-2", timeout_seconds=TIMEOUT)
        return Replica(client, region="us-east-2", table="journal", clock=clock)

    return make


MakeReplica = Callable[..., Replica]


@pytest.mark.parametrize("trouble", [CLOSE, BROKEN])
def test_what_passes_quickly_is_tried_once_more(
    endpoint: Endpoint, replica_at: MakeReplica, trouble: tuple[int, bytes] | None
) -> None:
    replica = replica_at(endpoint.server_port)

    endpoint.script = [trouble]
    assert replica.add({"pk": {"S": "payment#1"}}) is None
    assert endpoint.requests == 2

    endpoint.script = [trouble, trouble]
    with pytest.raises(ReplicaUnavailable):
        replica.add({"pk": {"S": "payment#1"}})
    assert endpoint.requests == 4


def test_a_read_sees_every_earlier_write_of_its_region(endpoint: Endpoint, replica_at: MakeReplica) -> None:
    replica_at(endpoint.server_port).read("payment#1")

    assert endpoint.asked["ConsistentRead"] is True


def test_a_rejection_is_reported_by_its_code_and_not_retried(endpoint: Endpoint, replica_at: MakeReplica) -> None:
    endpoint.script = [THROTTLED]

    with pytest.raises(ReplicaUnavailable) as silence:
        replica_at(endpoint.server_port).read("payment#1")

    assert silence.value.reason == "ProvisionedThroughputExceededException"
    assert silence.value.region == "us-east-2"
    assert endpoint.requests == 1


def test_a_closed_port_fails_at_once(replica_at: MakeReplica) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    replica = replica_at(port)
    started = time.monotonic()

    with pytest.raises(ReplicaUnavailable) as silence:
        replica.read("payment#1")

    assert silence.value.reason == "EndpointConnectionError"
    assert time.monotonic() - started < TIMEOUT


def test_an_endpoint_that_never_answers_costs_its_timeout_once(replica_at: MakeReplica) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        replica = replica_at(server.getsockname()[1])
        started = time.monotonic()

        with pytest.raises(ReplicaUnavailable) as silence:
            replica.read("payment#1")

        took = time.monotonic() - started
    assert silence.value.reason == "ReadTimeoutError"
    assert TIMEOUT <= took < 2 * TIMEOUT


def test_an_answer_that_trickles_ends_at_the_deadline(replica_at: MakeReplica) -> None:
    """Each byte comes before the read timeout, and all of them after seconds."""
    ended = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for each in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":
                if ended.wait(TIMEOUT / 3):
                    return
                connection.sendall(bytes([each]))

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        started = time.monotonic()
        try:
            with pytest.raises(ReplicaUnavailable) as silence:
                replica_at(server.getsockname()[1]).read("payment#1")
            took = time.monotonic() - started
        finally:
            ended.set()
            thread.join()
    assert silence.value.reason == "DeadlineExceeded"
    assert took < 10 * TIMEOUT, "the answer alone takes more than that"


def test_a_resolver_that_does_not_answer_costs_the_deadline(
    endpoint: Endpoint, replica_at: MakeReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    resolve = socket.getaddrinfo

    def slow(*arguments: Any, **named: Any) -> Any:
        answered.wait(60)
        return resolve(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        with pytest.raises(ReplicaUnavailable) as silence:
            replica_at(endpoint.server_port).read("payment#1")
    finally:
        answered.set()
    assert silence.value.reason == "DeadlineExceeded"


def test_a_connection_is_kept_until_it_has_been_idle_for_long(endpoint: Endpoint, replica_at: MakeReplica) -> None:
    clock = Clock()
    replica = replica_at(endpoint.server_port, clock)
    for _ in range(3):
        clock.now += IDLE_SECONDS - 1
        replica.read("payment#1")
    assert len(endpoint.connections) == 1

    clock.now += IDLE_SECONDS
    replica.read("payment#1")

    assert len(endpoint.connections) == 2


def test_an_exchange_leaves_an_item_that_has_changed(tables: Tables) -> None:
    replica = Replica(tables.clients[EAST_2], region=EAST_2, table=TABLE)
    stored = {"pk": {"S": "payment#1"}, "hash": {"S": "a"}, "at": {"S": "1"}}
    newer = {**stored, "at": {"S": "2"}}
    tables.put(EAST_2, stored)

    assert not replica.exchange(newer, unless_changed={"hash": {"S": "a"}, "at": {"S": "0"}})
    assert tables.items(EAST_2) == {"payment#1": stored}
    assert replica.exchange(newer, unless_changed={"hash": {"S": "a"}, "at": {"S": "1"}})
    assert tables.items(EAST_2) == {"payment#1": newer}
