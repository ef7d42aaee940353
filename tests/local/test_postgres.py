"""One writer, one standby, and the line between them: what is kept and what is lost."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import errors, sql

from localaws.core import reaper
from localaws.core.outages import OutageKind
from localaws.services.rds.postgres.host import Login, PostgresHost
from localaws.services.rds.postgres.instance import Instance
from localaws.services.rds.postgres.lag import measure_lag
from localaws.services.rds.postgres.programs import Programs
from localaws.services.rds.postgres.relay import Handshake, Relay, RelayLoop, WalLink
from tests.local.aurora_world import eventually
from tests.tiers import starts


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="localaws-test-") as directory:
        Path(directory).chmod(0o711)  # PostgreSQL runs as another user when we are root
        yield Path(directory)


@pytest.fixture(scope="module")
@starts("emulator")
def host(directory: Path) -> Iterator[PostgresHost]:
    host = PostgresHost(directory)
    yield host
    host.close()


@pytest.fixture(scope="module")
def relays() -> Iterator[RelayLoop]:
    relays = RelayLoop()
    yield relays
    relays.close()


@dataclass
class Server:
    instance: Instance
    link: WalLink

    def insert(self, *numbers: int) -> None:
        for number in numbers:
            self.instance.query("INSERT INTO t VALUES (%s)", (number,))

    def numbers(self) -> list[int]:
        return list(self.instance.query("SELECT coalesce(array_agg(i ORDER BY i), '{}') FROM t")[0])

    def follow(self, writer: "Server") -> None:
        self.instance.clone(writer.instance)
        self.link.open(writer.instance.port)
        self.instance.start()
        eventually(self.instance.is_streaming, "replication")


@contextlib.contextmanager
def made(host: PostgresHost, relays: RelayLoop, name: str) -> Iterator[tuple[Server, Server]]:
    """A writer with the table `t`, and a standby that has it too."""
    pair = []
    for role in ("writer", "standby"):
        link = WalLink(relays)
        pair.append(Server(Instance(host, f"{name}-{role}", upstream=link.port), link))
    writer, standby = pair
    writer.instance.initialise()
    writer.instance.start()
    writer.instance.query(
        sql.SQL("CREATE ROLE {} REPLICATION LOGIN PASSWORD {}").format(
            sql.Identifier(host.replication.user), sql.Literal(host.replication.password)
        )
    )
    writer.instance.query("CREATE TABLE t (i int)")
    standby.follow(writer)
    yield writer, standby
    for server in pair:
        server.link.close()
        server.instance.remove()


@pytest.fixture
def servers(host: PostgresHost, relays: RelayLoop, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    """A pair for one test, which may promote or kill as it likes."""
    with made(host, relays, request.node.name) as pair:
        yield pair


@pytest.fixture(scope="module")
def lasting(host: PostgresHost, relays: RelayLoop) -> Iterator[tuple[Server, Server]]:
    with made(host, relays, "lasting") as pair:
        yield pair


@pytest.fixture
def pair(lasting: tuple[Server, Server]) -> tuple[Server, Server]:
    """A pair for tests that leave its roles alone: replicating without lag, the table empty."""
    writer, standby = lasting
    standby.link.set_lag(0)
    standby.link.open(writer.instance.port)
    writer.instance.query("TRUNCATE t")
    eventually(lambda: measure_lag(writer.instance, standby.instance).bytes == 0, "replication")
    return lasting


def test_a_row_of_the_writer_is_read_on_the_standby(pair: tuple[Server, Server]) -> None:
    writer, standby = pair
    writer.insert(1)
    eventually(lambda: standby.numbers() == [1], "the row on the standby")


def test_a_standby_refuses_to_write(pair: tuple[Server, Server]) -> None:
    with pytest.raises(errors.ReadOnlySqlTransaction):
        pair[1].insert(1)


def test_after_a_crash_of_the_writer_the_promoted_standby_takes_over(servers: tuple[Server, Server]) -> None:
    writer, standby = servers
    writer.insert(1)
    eventually(lambda: standby.numbers() == [1], "the row on the standby")
    writer.instance.kill()
    assert not writer.instance.is_running
    standby.instance.promote()
    standby.insert(2)
    assert standby.numbers() == [1, 2]


def test_a_promotion_loses_exactly_the_rows_that_were_still_on_the_line(servers: tuple[Server, Server]) -> None:
    writer, standby = servers
    writer.insert(1, 2, 3)
    eventually(lambda: standby.numbers() == [1, 2, 3], "the rows on the standby")
    standby.link.set_lag(60)
    writer.insert(4, 5)
    assert writer.numbers() == [1, 2, 3, 4, 5]
    time.sleep(0.2)  # what arrives in spite of the lag has time to do so
    standby.instance.promote()
    assert standby.numbers() == [1, 2, 3]


def test_rows_arrive_as_late_as_the_line_is_slow(pair: tuple[Server, Server]) -> None:
    writer, standby = pair
    standby.link.set_lag(0.6)
    began = time.monotonic()
    writer.insert(1)
    eventually(lambda: standby.numbers() == [1], "the row on the standby")
    assert time.monotonic() - began >= 0.6


def test_the_lag_is_measured_in_bytes_and_as_the_age_of_the_oldest_missing_row(pair: tuple[Server, Server]) -> None:
    writer, standby = pair
    writer.insert(1)
    eventually(lambda: standby.numbers() == [1], "the row on the standby")
    eventually(lambda: measure_lag(writer.instance, standby.instance).bytes == 0, "a standby that has everything")
    standby.link.set_lag(60)
    time.sleep(0.3)  # an idle second is no lag
    inserted = time.monotonic()
    writer.insert(2)
    first = measure_lag(writer.instance, standby.instance)
    since = time.monotonic() - inserted
    time.sleep(0.2)
    writer.insert(3)
    second = measure_lag(writer.instance, standby.instance)
    assert 0 < first.bytes < second.bytes
    assert 0 < first.seconds < since + 0.2, "the idle time was counted"
    assert second.seconds - first.seconds >= 0.2


def test_a_cut_line_stops_replication_and_an_open_one_catches_up(pair: tuple[Server, Server]) -> None:
    writer, standby = pair
    standby.link.cut()
    eventually(lambda: not standby.instance.is_streaming(), "the end of the stream")
    writer.insert(1)
    time.sleep(0.2)
    assert standby.numbers() == []
    standby.link.open(writer.instance.port)
    eventually(lambda: standby.numbers() == [1], "the row on the standby")


def test_a_deposed_writer_rejoins_without_the_rows_that_only_it_had(servers: tuple[Server, Server]) -> None:
    old, new = servers
    new.link.cut()
    old.insert(1)
    new.instance.promote()
    new.insert(2)
    old.follow(new)
    assert old.numbers() == [2]
    new.insert(3)
    eventually(lambda: old.numbers() == [2, 3], "replication the other way")
    with pytest.raises(errors.ReadOnlySqlTransaction):
        old.insert(4)


def test_a_writer_stopped_in_order_has_sent_everything_and_follows_without_a_new_copy(
    servers: tuple[Server, Server],
) -> None:
    old, new = servers
    new.link.set_lag(0.5)
    old.insert(*range(20))
    old.instance.stop()
    assert new.instance.received() > old.instance.last_checkpoint()
    new.instance.promote()
    assert new.numbers() == list(range(20))
    old.instance.follow()
    old.link.open(new.instance.port)
    old.instance.start()
    new.insert(20)
    eventually(lambda: old.numbers() == list(range(21)), "replication the other way")


def test_a_killed_writer_keeps_every_committed_row(pair: tuple[Server, Server]) -> None:
    writer, _ = pair
    writer.insert(*range(50))
    writer.instance.kill()
    writer.instance.start()
    assert writer.numbers() == list(range(50))


def test_a_wrong_password_is_refused(pair: tuple[Server, Server]) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        pair[0].instance.connect(Login(user="rdsadmin", password="a guess"), "postgres")


def test_the_server_is_private_to_this_machine_and_to_an_unprivileged_user(
    host: PostgresHost, pair: tuple[Server, Server]
) -> None:
    assert pair[0].instance.query("SHOW listen_addresses") == ("127.0.0.1",)
    assert pair[0].instance.query("SHOW unix_socket_directories") == ("",)
    assert stat.S_IMODE(host.passfile.stat().st_mode) == 0o600
    assert stat.S_IMODE((host.directory / "template").stat().st_mode) == 0o700
    with contextlib.closing(pair[0].instance.connect(host.admin, "postgres")) as connection:
        assert Path(f"/proc/{connection.info.backend_pid}").stat().st_uid != 0


def test_the_programs_are_copied_when_the_servers_user_cannot_reach_them(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaches = Programs._reaches
    monkeypatch.setattr(Programs, "_reaches", lambda self, path: path.name != "bin" and reaches(self, path))
    programs = Programs(directory)
    assert programs.directory in programs.bin.parents
    assert "PostgreSQL) 18" in programs.run("postgres", "--version")
    assert "pg_basebackup" in programs.run("pg_basebackup", "--version"), "this one needs the wheel's own libraries"
    programs.remove()


def test_a_folder_the_servers_user_cannot_reach_is_not_used(directory: Path) -> None:
    private = directory / "private"
    private.mkdir(mode=0o700)
    programs = Programs(private)
    assert (private in programs.directory.parents) == (os.geteuid() != 0), "only root's own files are out of reach"
    assert "PostgreSQL) 18" in programs.run("postgres", "--version")
    programs.remove()


OWNER = """
    import sys, time
    from pathlib import Path
    from localaws.services.rds.postgres.instance import Instance
    from localaws.services.rds.postgres.host import PostgresHost
    host = PostgresHost(Path(sys.argv[1]))
    instance = Instance(host, "only", upstream=1)
    instance.initialise()
    instance.start()
    (others,) = instance.query("SELECT array_agg(pid) FROM pg_stat_activity")
    postmaster = (host.directory / "only" / "postmaster.pid").read_text().split()[0]
    print(postmaster, *others, flush=True)
    time.sleep(60)
"""


def test_no_server_outlives_an_owner_that_is_killed(directory: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    with owner.stdout as output:
        servers = [int(pid) for pid in output.readline().split()]
    assert any(reaper.started_at(pid) for pid in servers)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    eventually(lambda: not any(reaper.started_at(pid) for pid in servers), "the end of PostgreSQL")


def test_only_what_follows_the_handshake_is_delayed() -> None:
    ready, started = b"Z\0\0\0\5I", b"W\0\0\0\7\0\0\0"
    stream = b"d\0\0\0\tWAL.."
    data = ready + started + stream
    for size in range(1, len(data)):
        handshake = Handshake()
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert sum(handshake.length(piece) for piece in pieces) == len(ready + started), f"pieces of {size} bytes"


ECHO = """
    import socket, sys, threading
    def answer(connection):
        while data := connection.recv(64):
            connection.sendall(data)
    listener = socket.socket(fileno=int(sys.argv[1]))
    while True:
        threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()
"""


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-c", textwrap.dedent(ECHO), str(listener.fileno())]
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
        yield listener.getsockname()[1]
        process.kill()
        process.wait()


@pytest.fixture
def relay(relays: RelayLoop, echo: int) -> Iterator[Relay]:
    relay = Relay(relays)
    relay.open(echo)
    yield relay
    relay.close()


class Client:
    """A connection through a relay. `within`: seconds until it gives up, few where no answer is to come."""

    def __init__(self, relay: Relay, *, within: float = 30.0) -> None:
        self._connection = socket.create_connection(("127.0.0.1", relay.port), within)

    def send(self, word: bytes, *, within: float = 30.0) -> bytes:
        self._connection.settimeout(within)
        self._connection.sendall(word)
        return self._connection.recv(64)

    def listen(self) -> bytes:
        return self._connection.recv(64)


def test_a_cut_relay_resets_old_and_new_connections(relay: Relay, echo: int) -> None:
    old = Client(relay)
    assert old.send(b"hello") == b"hello"
    relay.cut(OutageKind.RESET)
    with pytest.raises(ConnectionResetError):
        old.listen()
    with pytest.raises(ConnectionResetError):
        Client(relay).listen()
    relay.open(echo)
    assert Client(relay).send(b"hello") == b"hello"


def test_a_hanging_relay_answers_neither_old_nor_new_connections(relay: Relay, echo: int) -> None:
    old = Client(relay)
    assert old.send(b"hello") == b"hello"
    relay.cut(OutageKind.HANG)
    with pytest.raises(TimeoutError):
        old.send(b"hello", within=0.3)
    with pytest.raises(TimeoutError):
        Client(relay, within=0.3)
    relay.open(echo)
    with pytest.raises(ConnectionResetError):
        old.listen()
    assert Client(relay).send(b"hello") == b"hello"
