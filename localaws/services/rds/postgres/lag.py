"""Replication lag: which committed transactions of a writer a standby does not have, measured by SQL on both."""

from dataclasses import dataclass

from localaws.services.rds.postgres.instance import Instance

# The transactions that count as committed on the standby: exactly those whose commits it has replayed.
STANDBY = "SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint, snapshot::text, pg_snapshot_xmin(snapshot)::text::bigint \
FROM pg_current_snapshot() AS snapshot"
# The time is that of the statement's start, so that every commit before it is in the statement's own snapshot.
MISSING = """
    SELECT (pg_current_wal_lsn() - '0/0')::bigint, extract(epoch FROM statement_timestamp()),
        coalesce(extract(epoch FROM statement_timestamp() - min(pg_xact_commit_timestamp(number::text::xid))), 0)
    FROM (SELECT CAST(%s AS pg_snapshot) AS replayed) AS standby,
        generate_series(
            pg_snapshot_xmin(replayed)::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
        ) AS number
    WHERE NOT pg_visible_in_snapshot(number::text::xid8, replayed)
"""


@dataclass(frozen=True, kw_only=True)
class Replica:
    """The state of a standby: a position in the WAL, and the snapshot (PostgreSQL's text) of its transactions."""

    position: int
    snapshot: str
    xmin: int  # the oldest transaction that it does not know to be completed


NOTHING = Replica(position=0, snapshot="3:3:", xmin=0)
"""No transaction at all: 3 is PostgreSQL's first transaction number."""


@dataclass(frozen=True)
class Lag:
    bytes: int  # of WAL that the writer has written and the standby not yet replayed
    seconds: float  # on this machine: the age of the oldest commit that the standby does not have
    measured: float  # Unix time on the writer


def replica_of(standby: Instance) -> Replica:
    """The present state of a running standby. Raises psycopg2.OperationalError."""
    position, snapshot, xmin = standby.query(STANDBY)
    return Replica(position=position, snapshot=snapshot, xmin=xmin)


def lag_of(writer: Instance, replica: Replica) -> Lag:
    """The lag of a replica behind a running writer. Takes the longer, the more transactions the replica lacks.

    Raises psycopg2.OperationalError.
    """
    written, measured, seconds = writer.query(MISSING, (replica.snapshot,))
    return Lag(max(0, written - replica.position), max(0.0, float(seconds)), float(measured))


def measure_lag(writer: Instance, standby: Instance) -> Lag:
    """The lag of a standby, measured in about 10 ms. Raises psycopg2.OperationalError."""
    return lag_of(writer, replica_of(standby))
