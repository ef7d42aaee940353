"""`aurora_global_db_status()` as a client of the Data API sees it: [AURORA-21]."""

import importlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from localaws.core.outages import OutageKind
from shared.setting_values import FUNCTIONS
from tests.local.aurora_fixtures import aws, lasting, reset_and_empty
from tests.local.aurora_world import EAST_1, EAST_2, Deployed, World, eventually

__all__ = ["aws", "lasting"]

COLUMNS = (
    "aws_region",
    "highest_lsn_written",
    "durability_lag_in_msec",
    "rpo_lag_in_msec",
    "last_lag_calculation_time",
    "feedback_epoch",
    "feedback_xmin",
)


@pytest.fixture
def ledger(aws: World, lasting: Deployed) -> Iterator[Deployed]:
    """A healthy global database with the writer in us-east-1 and an empty table."""
    yield reset_and_empty(aws, lasting)
    for region in (EAST_1, EAST_2):
        aws.outages.heal(region)
    aws.outages.join(EAST_1, EAST_2)
    aws.pairs.set_lag(0)


def status(ledger: Deployed, writer: str = EAST_1) -> dict[str, dict[str, Any]]:
    """The rows by region, by a statement that names every documented column."""
    rows = ledger.sql(writer, f"SELECT {', '.join(COLUMNS)} FROM aurora_global_db_status()")
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}


def calculated(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["last_lag_calculation_time"]).replace(tzinfo=UTC)


def durable_until(row: dict[str, Any]) -> float:
    """Unix time before which everything is in the member's region."""
    return calculated(row).timestamp() - float(row["durability_lag_in_msec"]) / 1000


def test_the_writer_has_no_lag_and_the_reader_that_has_everything_has_none_to_show(ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)

    eventually(lambda: status(ledger)[EAST_2]["durability_lag_in_msec"] == 0, "a reader that has everything")
    before = datetime.now(UTC)
    rows = status(ledger)

    assert set(rows) == {EAST_1, EAST_2}
    writer, reader = rows[EAST_1], rows[EAST_2]
    assert (writer["durability_lag_in_msec"], writer["rpo_lag_in_msec"]) == (-1, -1)
    assert writer["last_lag_calculation_time"] == "1970-01-01 00:00:00", "the Data API's form has no zone"
    assert (writer["feedback_epoch"], writer["feedback_xmin"]) == (0, 0)
    assert before <= calculated(reader) <= datetime.now(UTC)
    assert 0 < reader["highest_lsn_written"] <= writer["highest_lsn_written"]
    assert reader["feedback_xmin"] > 0


def test_the_lag_is_the_age_of_the_oldest_commit_that_the_reader_lacks(aws: World, ledger: Deployed) -> None:
    eventually(lambda: status(ledger)[EAST_2]["durability_lag_in_msec"] == 0, "a reader that has everything")
    aws.pairs.set_lag(3600 * 200)
    before = time.time()
    ledger.insert(EAST_1, 1)
    after = time.time()
    ledger.insert(EAST_1, 2)

    reader = status(ledger)[EAST_2]

    assert before - 0.002 <= durable_until(reader) <= after
    assert calculated(reader).timestamp() >= after, "a slow link is still measured"
    assert reader["highest_lsn_written"] < status(ledger)[EAST_1]["highest_lsn_written"]


def test_the_lag_of_a_member_that_is_cut_off_grows_and_its_time_stays(aws: World, ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: status(ledger)[EAST_2]["durability_lag_in_msec"] == 0, "a reader that has everything")
    last = calculated(status(ledger)[EAST_2])
    aws.outages.cut(EAST_1, EAST_2, OutageKind.HANG)
    inserted = time.time()
    ledger.insert(EAST_1, 2)

    first = status(ledger)[EAST_2]
    second = eventually(
        lambda: (row := status(ledger)[EAST_2])["rpo_lag_in_msec"] > first["rpo_lag_in_msec"] and row, "growth"
    )

    assert calculated(first) == calculated(second) == last
    assert durable_until(second) < durable_until(first) < inserted

    aws.outages.join(EAST_1, EAST_2)

    eventually(lambda: durable_until(status(ledger)[EAST_2]) > inserted + 0.1, "the reader with everything again")


def test_a_lost_member_stays_behind_until_it_is_back(aws: World, ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: status(ledger)[EAST_2]["durability_lag_in_msec"] == 0, "a reader that has everything")
    aws.outages.lose(EAST_2, OutageKind.ERROR)
    lost = time.time()
    ledger.insert(EAST_1, 2)

    assert durable_until(status(ledger)[EAST_2]) <= lost

    aws.outages.heal(EAST_2)

    eventually(lambda: durable_until(status(ledger)[EAST_2]) > lost + 0.1, "the reader with everything again")


def test_after_a_failover_the_old_writer_has_nothing_until_it_was_rebuilt(aws: World, ledger: Deployed) -> None:
    began = time.time()
    ledger.insert(EAST_1, 1)
    for _ in ("never a reader", "a reader before"):
        eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")
        aws.outages.lose(EAST_1, OutageKind.ERROR)
        ledger.fail_over(EAST_2)
        eventually(lambda: ledger.writer() == ledger.clusters[EAST_2], "the new writer")

        rows = status(ledger, EAST_2)

        assert rows[EAST_2]["durability_lag_in_msec"] == -1
        assert durable_until(rows[EAST_1]) < began, "rows that only the new writer's region has are not durable in both"

        aws.outages.heal(EAST_1)

        eventually(lambda: durable_until(status(ledger, EAST_2)[EAST_1]) > began, "the old writer, rebuilt")
        assert aws.read(ledger, EAST_1) == [1]
        eventually(lambda: ledger.available() and ledger.synchronization() == {"connected"}, "a healthy database")
        ledger.switch_over(EAST_1)
        eventually(lambda: ledger.writer() == ledger.clusters[EAST_1] and ledger.available(), "the writer back")


def test_the_check_before_a_failback_reads_the_lag(ledger: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FUNCTIONS)
    statement = importlib.import_module("recovery.preflight").LAG_QUERIES["aurora-postgresql"]
    ledger.insert(EAST_1, 1)

    expected = [[EAST_1, -1], [EAST_2, 0]]
    eventually(lambda: sorted(ledger.sql(EAST_1, statement)) == expected, "a reader that has everything")


def test_a_database_created_later_has_the_function(ledger: Deployed) -> None:
    ledger.sql(EAST_1, "CREATE DATABASE later")

    found = ledger.emulator.client("rds-data").execute_statement(
        resourceArn=ledger.clusters[EAST_1],
        secretArn=ledger.secret,
        database="later",
        sql="SELECT count(*) FROM Aurora_Global_DB_Status()",
    )

    assert found["records"] == [[{"longValue": 2}]]
    ledger.sql(EAST_1, "DROP DATABASE later")
