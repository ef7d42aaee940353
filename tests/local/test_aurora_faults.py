"""Faults of databases alone, and of the way between two regions that live: what a client sees, and what is noted."""

import itertools
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.outages import OutageKind
from tests.local.aurora_fixtures import aws, lasting, reset_and_empty
from tests.local.aurora_world import EAST_1, EAST_2, SPEED, Deployed, World, eventually

__all__ = ["aws", "lasting"]


@pytest.fixture
def ledger(aws: World, lasting: Deployed) -> Deployed:
    """A healthy global database with the writer in us-east-1 and an empty table."""
    aws.outages.join(EAST_1, EAST_2)
    aws.pairs.set_lag(0)
    for region in (EAST_1, EAST_2):
        aws.pairs.set_down(region, False)
    return reset_and_empty(aws, lasting)


def row(aws: World, ledger: Deployed, region: str) -> dict[str, Any]:
    return next(
        each for each in aws.pairs.status() if (each["global_cluster"], each["region"]) == (ledger.name, region)
    )


def test_a_writer_that_is_down_by_itself_stays_so_until_it_is_brought_back(aws: World, ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")

    aws.pairs.set_down(EAST_1, True)

    with pytest.raises(ClientError) as caught:
        ledger.insert(EAST_1, 2)
    assert caught.value.response["Error"]["Code"] == "DatabaseUnavailableException"
    assert aws.read(ledger, EAST_2) == [1], "the other member still reads"
    writer = row(aws, ledger, EAST_1)
    assert (writer["role"], writer["down"], writer["running"]) == ("writer", True, False)
    assert writer["writer_intervals"][-1]["until"] is not None

    aws.pairs.set_down(EAST_1, False)

    eventually(lambda: ledger.available() and ledger.synchronization() == {"connected"}, "both members")
    ledger.insert(EAST_1, 3)
    eventually(lambda: aws.read(ledger, EAST_2) == [1, 3], "replication")
    assert row(aws, ledger, EAST_1)["writer_intervals"][-1]["until"] is None


def test_what_had_not_arrived_when_the_writer_went_down_is_lost_by_a_promotion_and_no_two_write_at_once(
    aws: World, ledger: Deployed
) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")
    before = row(aws, ledger, EAST_2)["promotions"]
    aws.pairs.set_lag(3600)
    ledger.insert(EAST_1, 2)
    aws.pairs.set_down(EAST_1, True)
    aws.pairs.set_lag(0)

    ledger.fail_over(EAST_2)

    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2], "the new writer")
    ledger.insert(EAST_2, 3)
    assert ledger.numbers(EAST_2) == [1, 3]
    assert row(aws, ledger, EAST_2)["promotions"] == before + 1
    aws.pairs.set_down(EAST_1, False)
    eventually(lambda: ledger.synchronization() == {"connected"}, "the old writer as a reader")
    spans = [
        (each["since"], each["until"] or time.time(), region)
        for region in (EAST_1, EAST_2)
        for each in row(aws, ledger, region)["writer_intervals"]
    ]
    assert len({region for *_, region in spans}) == 2
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(sorted(spans)))


def test_members_that_are_cut_off_do_not_replicate_nor_switch_over_and_catch_up_when_joined(
    aws: World, ledger: Deployed
) -> None:
    aws.outages.cut(EAST_1, EAST_2, OutageKind.HANG)

    ledger.insert(EAST_1, 1)

    time.sleep(0.2)
    assert aws.read(ledger, EAST_2) == []
    with pytest.raises(ClientError) as caught:
        ledger.switch_over(EAST_2)
    assert caught.value.response["Error"]["Code"] == "InvalidDBClusterStateFault"

    aws.outages.join(EAST_1, EAST_2)

    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")


def test_a_failover_across_a_cut_stops_the_old_writer(aws: World, ledger: Deployed) -> None:
    aws.outages.cut(EAST_1, EAST_2, OutageKind.HANG)

    ledger.fail_over(EAST_2)

    with pytest.raises(ClientError) as caught:
        ledger.insert(EAST_1, 1)
    assert caught.value.response["Error"]["Code"] == "DatabaseUnavailableException"
    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2], "the new writer")
    ledger.insert(EAST_2, 2)
    aws.outages.join(EAST_1, EAST_2)
    eventually(lambda: ledger.synchronization() == {"connected"}, "the old writer, made anew")
    eventually(lambda: aws.read(ledger, EAST_1) == [2], "the new writer's row")


def test_the_lag_is_in_seconds_of_aws_and_holds_for_rows_to_come(aws: World, ledger: Deployed) -> None:
    aws.pairs.set_lag(0.5 * SPEED)
    started = time.monotonic()
    ledger.insert(EAST_1, 1)

    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")

    assert time.monotonic() - started > 0.3
