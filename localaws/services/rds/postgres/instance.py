"""One PostgreSQL server: its data directory and, while it runs, its process and its port on 127.0.0.1.

A standby follows another server through a relay (`relay.WalLink`). A server whose history has diverged from the
writer's is rebuilt by a base backup: with databases of a rehearsal's size that is as quick as `pg_rewind`, and it does
not depend on WAL that is still kept.
"""

import logging
import shutil
import signal
import socket
import subprocess
import threading
import time
from typing import Any

import psycopg2
from psycopg2.sql import Composable

from localaws.services.rds.postgres.host import REPLICATION, Login, PostgresHost

START_SECONDS = 30.0
QUIT_SECONDS = 15.0  # the server itself gives its processes five before it kills them
HOST = "127.0.0.1"
PLAIN: dict[str, Any] = {"sslmode": "disable", "gssencmode": "disable"}

log = logging.getLogger(__name__)


class StartFailed(RuntimeError):
    """The server ended or did not answer in time; the message carries the end of its log."""


class Instance:
    """A PostgreSQL server of `host`, kept in the folder `name`. Not safe for calls from several threads at once."""

    def __init__(self, host: PostgresHost, name: str, upstream: int) -> None:
        """`upstream` is the port it streams from while it is a standby."""
        self._host = host
        self._data = host.directory / name
        self._log = host.directory / f"{name}.log"
        self._upstream = upstream
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def exists(self) -> bool:
        """Whether it has a data directory."""
        return self._data.exists()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_standby(self) -> bool:
        """Whether it follows another server, or will when started."""
        return (self._data / "standby.signal").exists()

    def initialise(self) -> None:
        """Create a new, empty database. Afterwards it can be started as a writer."""
        self._host.copy_template(self._data)

    def clone(self, writer: "Instance") -> None:
        """Become a copy of a running `writer`, to be started as a standby. Deletes the previous data."""
        self.remove()
        self._host.programs.run(
            "pg_basebackup",
            f"--pgdata={self._data}",
            f"--dbname={self._replication_dsn(writer.port)}",
            "--checkpoint=fast",
            "--no-manifest",
            "--no-sync",
        )
        self.follow()

    def follow(self) -> None:
        """Become a standby at the next start."""
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        self._host.programs.own(signal_file)

    def start(self) -> None:
        """Start and wait until it answers: a standby as soon as it can be read. Raises StartFailed."""
        for attempt in (1, 2, 3):
            self.port = _free_port()
            arguments = ["-D", str(self._data), "-p", str(self.port)]
            arguments += ["-c", f"primary_conninfo={self._replication_dsn(self._upstream)}"]
            with self._log.open("wb") as output:
                self._process = self._host.programs.serve(arguments, output)
            if self._answers(self._process):
                return
            output_end = self._log.read_text(errors="replace")
            if attempt == 3 or "Address already in use" not in output_end:
                raise StartFailed(f"PostgreSQL in {self._data.name} did not start: {output_end[-800:].strip()}")

    def stop(self, seconds: float = 10.0) -> None:
        """Shut down in order: clients are disconnected, and a connected standby receives everything.

        Raises TimeoutError after `seconds`; the server is then still shutting down.
        """
        self._end(signal.SIGINT, seconds)

    def kill(self) -> None:
        """Crash: it stops where it is and recovers from its WAL when started again."""
        try:
            self._end(signal.SIGQUIT, QUIT_SECONDS)
        except TimeoutError:
            assert self._process, "only a process can be slow to end"
            log.warning("event=postgres_killed %s ignored SIGQUIT", self._data.name)
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        """Delete the data, killing the server if it runs."""
        self.kill()
        if self.exists:
            shutil.rmtree(self._data)

    def promote(self) -> None:
        """Promote a running standby to writer, with exactly what has arrived. Raises StartFailed if that fails."""
        (promoted,) = self.query("SELECT pg_promote(wait => true, wait_seconds => 30)")
        if not promoted:
            raise StartFailed(f"PostgreSQL in {self._data.name} was not promoted within 30 s")

    def connect(self, login: Login, database: str, options: str = "") -> Any:
        """A psycopg2 connection in autocommit mode. Raises psycopg2.OperationalError."""
        connection = psycopg2.connect(
            port=self.port,
            user=login.user,
            password=login.password,
            dbname=database,
            connect_timeout=5,
            options=options,
            host=HOST,
            **PLAIN,
        )
        connection.autocommit = True
        return connection

    def query(
        self, sql: str | Composable, values: tuple[object, ...] = (), database: str = "postgres"
    ) -> tuple[Any, ...]:
        """Run one statement as the internal administrator and return its first row, empty if it has none."""
        connection = self.connect(self._host.admin, database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return (cursor.fetchone() or ()) if cursor.description else ()
        finally:
            connection.close()

    def is_streaming(self) -> bool:
        """Whether this standby receives WAL at the moment."""
        return self.query("SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'") == (1,)

    def received(self) -> int:
        """Position in the WAL up to which this standby has received it."""
        (position,) = self.query("SELECT (pg_last_wal_receive_lsn() - '0/0')::bigint")
        return int(position or 0)

    def write_file(self, name: str, content: str) -> None:
        """Replace a file in the data directory, which SQL reads with `pg_read_file`. Raises FileNotFoundError."""
        path = self._data / f"{name}.{threading.get_ident()}"
        path.write_text(content)
        self._host.programs.own(path)
        path.replace(self._data / name)

    def last_checkpoint(self) -> int:
        """Position of the last checkpoint, read from the files: for a server stopped in order, the end of its data."""
        report = self._host.programs.run("pg_controldata", str(self._data))
        line = next(one for one in report.splitlines() if one.startswith("Latest checkpoint location:"))
        high, low = line.rpartition(" ")[2].split("/")
        return (int(high, 16) << 32) + int(low, 16)

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self._reported_state(process.pid) == "ready":
                return True
            time.sleep(0.005)
        self.kill()
        return False

    def _reported_state(self, pid: int) -> str:
        """The server's state in line 8 of postmaster.pid: `ready` once it accepts connections."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[7].strip() if len(lines) > 7 and lines[0] == str(pid) else ""

    def _end(self, how: signal.Signals, seconds: float) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"PostgreSQL in {self._data.name} did not stop within {seconds:.0f} s") from None
        self._process = None

    def _replication_dsn(self, port: int) -> str:
        known = {**PLAIN, "host": HOST, "port": port, "user": REPLICATION, "passfile": self._host.passfile}
        return " ".join(f"{name}='{value}'" for name, value in known.items())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
