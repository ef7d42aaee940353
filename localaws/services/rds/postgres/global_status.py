"""The SQL function `aurora_global_db_status()` [AURORA-21].

A function of PostgreSQL cannot reach other servers, so its rows are in a file of the data directory. Times and lags are
those of this machine, as `now()` is, whatever the clock's speed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

NAME = "aurora_global_db_status"
FILE = f"{NAME}.json"
WRITER_LAG = -1
WRITER_TIME = "1970-01-01T00:00:00+00:00"

# AWS documents the columns without their types.
_COLUMNS = {
    "aws_region": "text",
    "highest_lsn_written": "bigint",
    "durability_lag_in_msec": "bigint",
    "rpo_lag_in_msec": "bigint",
    "last_lag_calculation_time": "timestamptz",
    "feedback_epoch": "bigint",
    "feedback_xmin": "bigint",
}
CREATE = f"""
    CREATE FUNCTION pg_catalog.{NAME}({", ".join(f"OUT {name} {type_}" for name, type_ in _COLUMNS.items())})
    RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
        SELECT * FROM json_to_recordset(coalesce(pg_read_file('{FILE}', 0, 1048576, true), '[]')::json)
        AS member({", ".join(f"{name} {type_}" for name, type_ in _COLUMNS.items())})
    $$
"""


@dataclass(frozen=True, kw_only=True)
class StatusRow:
    """A member of the global database. Lags are `WRITER_LAG`, the time is `WRITER_TIME` for the writer."""

    aws_region: str
    highest_lsn_written: int
    durability_lag_in_msec: int = WRITER_LAG
    rpo_lag_in_msec: int = WRITER_LAG
    last_lag_calculation_time: str = WRITER_TIME
    feedback_epoch: int = 0
    feedback_xmin: int = 0


def content(rows: Sequence[StatusRow]) -> str:
    """The text of `FILE` for these rows."""
    return json.dumps([asdict(row) for row in rows])
