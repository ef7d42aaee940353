"""How far a standby is behind its writer, measured by asking both."""

from dataclasses import dataclass

from localaws.postgres import Instance

WRITER_POSITION = "SELECT (pg_current_wal_lsn() - '0/0')::bigint, xid::text::bigint FROM pg_last_committed_xact()"
STANDBY_POSITION = """
    SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint, xid::text::bigint, timestamp FROM pg_last_committed_xact()
"""
# Transaction numbers are given at the first write and commit times at the end, so the numbers only narrow the search.
OLDEST_MISSING = """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(committed)), 0)
    FROM (SELECT pg_xact_commit_timestamp(number::text::xid) AS committed
          FROM generate_series(greatest(%s - 100, 3), %s) AS number) AS recent
    WHERE committed > %s
"""


@dataclass(frozen=True)
class Lag:
    bytes: int  # of WAL that the writer has written and the standby not yet replayed
    seconds: float  # on this machine: the age of the oldest commit that the standby does not have


def measure_lag(writer: Instance, standby: Instance) -> Lag:
    """Measure by SQL, in about 10 ms. Raises psycopg2.OperationalError when one of the two does not answer."""
    replayed, newest_there, committed_there = standby.ask(STANDBY_POSITION)
    written, newest = writer.ask(WRITER_POSITION)
    behind = max(0, written - replayed)
    if not behind or newest_there is None:
        return Lag(bytes=behind, seconds=0.0)
    (seconds,) = writer.ask(OLDEST_MISSING, (newest_there, newest, committed_there))
    return Lag(bytes=behind, seconds=float(seconds))
