"""Replication status of a global database, as its writer shows it by `aurora_global_db_status()`.

A member that the writer can reach is measured. For one that it cannot reach, `last_lag_calculation_time` is that of the
last measurement, and the lag is the age of the oldest commit that it lacked then and may lack still. A member without
any measurement since its last base backup, or since the writer was promoted, counts as one that has nothing.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

import psycopg2

from localaws.services.rds.member import Member
from localaws.services.rds.postgres import global_status
from localaws.services.rds.postgres.global_status import StatusRow
from localaws.services.rds.postgres.lag import lag_of, replica_of


def refresh(writer: Member, members: Iterable[Member]) -> None:
    """Measure every other one of `members` and keep the rows in the writer's data directory.

    Raises psycopg2.OperationalError or FileNotFoundError if the writer is lost meanwhile.
    """
    rows = []
    if writer.cluster.global_cluster:
        (position,) = writer.instance.query("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        rows.append(StatusRow(aws_region=writer.cluster.region, highest_lsn_written=position))
        rows += [_standby_row(writer, member) for member in members if member is not writer]
    writer.instance.write_file(global_status.FILE, global_status.content(rows))


def _standby_row(writer: Member, standby: Member) -> StatusRow:
    seen = standby.seen
    if standby.answers and standby.link.is_open:
        try:
            replica = replica_of(standby.instance)
        except psycopg2.OperationalError:
            pass  # lost at this moment: the last measurement counts
        else:
            lag = lag_of(writer.instance, replica)
            standby.see(replica, lag.measured, seen.copy)
            return _row(standby, replica.position, replica.xmin, lag.seconds, lag.measured)
    lag = lag_of(writer.instance, seen.replica)
    at = seen.at or writer.writer_intervals()[-1]["since"]
    return _row(standby, seen.replica.position, seen.replica.xmin, lag.seconds, at)


def _row(standby: Member, position: int, xmin: int, lag: float, at: float) -> StatusRow:
    milliseconds = math.ceil(lag * 1000)
    return StatusRow(
        aws_region=standby.cluster.region,
        highest_lsn_written=position,
        durability_lag_in_msec=milliseconds,
        rpo_lag_in_msec=milliseconds,
        last_lag_calculation_time=datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
        feedback_xmin=xmin,
    )
