"""One Aurora cluster: a PostgreSQL server, the relay in front of it, and the relay of its inbound WAL stream.

The port of the relay in front is the cluster's address for as long as it exists, whatever happens to the server.
"""

import threading
import time
from dataclasses import dataclass
from typing import TypedDict

from psycopg2 import sql

from localaws.core.outages import OutageKind
from localaws.emulator.aurora import AuroraCluster
from localaws.services.rds.postgres import global_status
from localaws.services.rds.postgres.host import Login, PostgresHost
from localaws.services.rds.postgres.instance import Instance
from localaws.services.rds.postgres.lag import NOTHING, Replica
from localaws.services.rds.postgres.relay import Relay, RelayLoop, WalLink


class Interval(TypedDict):
    """A time in which a database accepted writes: Unix times; `until` is None while it lasts."""

    since: float
    until: float | None


STREAM_SECONDS = 10.0
# The role of an RDS master user: not a superuser, but with the rights that an owner needs.
MASTER_ROLE = "CREATE ROLE rds_superuser IN ROLE pg_monitor, pg_signal_backend, pg_checkpoint"


@dataclass(frozen=True)
class Seen:
    """The last state of a standby that reached its writer. `copy` counts the standby's base backups."""

    replica: Replica
    at: float  # Unix time
    copy: int


class Member:
    """`cluster` on this machine. Changed by one thread (its group's), read by others."""

    def __init__(self, cluster: AuroraCluster, host: PostgresHost, relays: RelayLoop) -> None:
        self.cluster = cluster
        self.front = Relay(relays)
        self.link = WalLink(relays)
        self.instance = Instance(host, f"{cluster.region}-{cluster.identifier}", upstream=self.link.port)
        self.answers = False  # PostgreSQL accepts connections through `front`
        self._writer_intervals: list[Interval] = []
        self._lock = threading.Lock()
        self.promotions = 0
        self.created = False  # it has been available once
        self.problem: str | None = None  # the last error of a change of state
        self.seen = Seen(NOTHING, 0.0, 0)
        self._host = host
        self._master = Login(user="", password="")

    @property
    def writes(self) -> bool:
        """Whether it accepts writes. Set by several threads."""
        return bool(self._writer_intervals) and self._writer_intervals[-1]["until"] is None

    @writes.setter
    def writes(self, now: bool) -> None:
        with self._lock:
            if now and not self.writes:
                self._writer_intervals.append(Interval(since=time.time(), until=None))
            elif self.writes and not now:
                self._writer_intervals[-1]["until"] = time.time()

    def writer_intervals(self) -> list[Interval]:
        """The oldest first: no two members of a global database may ever have accepted writes at the same time."""
        with self._lock:
            return [Interval(**each) for each in self._writer_intervals]

    def see(self, replica: Replica, at: float, copy: int) -> None:
        """Record the state of the standby, measured when `copy` was its number of base backups; void after another."""
        with self._lock:
            if copy == self.seen.copy:
                self.seen = Seen(replica, at, copy)

    def _forget(self) -> None:
        with self._lock:
            self.seen = Seen(NOTHING, 0.0, self.seen.copy + 1)

    def write(self) -> None:
        """Become the writer: created, started or promoted as needed."""
        if not self.instance.exists:
            self.instance.initialise()
        self._start()
        if self.instance.is_standby:
            self.promote()
        wanted = Login(user=self.cluster.master_username, password=self.cluster.master_password)
        if wanted != self._master:
            self._set_master(wanted)
        self._answer(writes=True)

    def read(self, writer: "Member | None") -> None:
        """Become a standby of `writer`; without one, keep what has arrived so far. Raises StartFailed.

        It answers once it follows the writer, so that a switchover to a member that is available can be complete; a
        member that does not after a base backup answers as well, with what it has.
        """
        self.writes = False
        if writer is None or not writer.writes:
            self.link.cut()
            if self.instance.is_standby:
                self._start()
                self._answer(writes=False)
            return
        if not self.instance.is_standby:
            self._rebuild(writer)  # new, or a replaced writer, whose history has diverged from the new one's
        if not self.follow(writer) and self.link.is_open:
            self._rebuild(writer)  # it has missed more WAL than the writer still keeps
            self.follow(writer)
        if self.link.is_open:  # else it was cut meanwhile, and what did that brings the members into their states next
            self._answer(writes=False)

    def follow(self, writer: "Member") -> bool:
        """Let this standby stream from `writer`. False if it does not within STREAM_SECONDS. Raises StartFailed."""
        self.link.open(writer.instance.port)
        self._start()
        return self._streams()

    def promote(self) -> None:
        """Promote the standby to writer with exactly what has arrived; what is under way is lost."""
        self._forget()
        self.link.cut()
        self.instance.promote()
        self.promotions += 1
        self.writes = True

    def retire(self, seconds: float) -> None:
        """Stop accepting writes and send the standby everything. Raises TimeoutError after `seconds`."""
        try:
            self.instance.stop(seconds)
        except TimeoutError:
            self.instance.kill()
            raise

    def lose(self, kind: OutageKind) -> None:
        """Become as unreachable as the region. The server crashes, as its machines do."""
        self.isolate(kind)
        self.instance.kill()

    def isolate(self, kind: OutageKind = OutageKind.RESET) -> None:
        """Cut all connections, at once and from any thread."""
        self.answers = self.writes = False
        self.front.cut(kind)
        self.link.cut()

    def remove(self) -> None:
        """Stop, and delete all data."""
        self.isolate()
        self.front.close()
        self.link.close()
        self.instance.remove()

    def _answer(self, *, writes: bool) -> None:
        self.front.open(self.instance.port)
        self.writes, self.answers, self.created, self.problem = writes, True, True, None

    def _start(self) -> None:
        if not self.instance.is_running:
            self.instance.start()

    def _rebuild(self, writer: "Member") -> None:
        self._forget()
        self.answers = False
        self.front.cut()
        self.link.cut()
        self.instance.clone(writer.instance)

    def _streams(self) -> bool:
        deadline = time.monotonic() + STREAM_SECONDS
        while self.link.is_open and time.monotonic() < deadline:
            if self.instance.is_streaming():
                return True
            time.sleep(0.01)
        return False

    def _set_master(self, master: Login) -> None:
        """Create the roles and the database that RDS creates; later on, change the master password."""
        query, name, password = self.instance.query, sql.Identifier(master.user), sql.Literal(master.password)
        if query("SELECT 1 FROM pg_roles WHERE rolname = %s", (master.user,)):
            query(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, password))
        else:
            replication = self._host.replication
            create = sql.SQL("CREATE ROLE {} REPLICATION LOGIN PASSWORD {}")
            query(create.format(sql.Identifier(replication.user), sql.Literal(replication.password)))
            query(MASTER_ROLE)
            for database in ("template1", "postgres"):
                query(global_status.CREATE, database=database)
            create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {} IN ROLE rds_superuser")
            query(create.format(name, password))
            wanted = self.cluster.database_name
            if wanted and not query("SELECT 1 FROM pg_database WHERE datname = %s", (wanted,)):
                query(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(wanted), name))
        self._master = master
