"""Changes of the writer of a global database, planned and not: what a client of AWS sees, and which rows remain."""

import threading

import psycopg2
import pytest
from botocore.exceptions import ClientError

from localaws.core.outages import OutageKind
from localaws.services.rds.group import Group, Switch
from localaws.services.rds.postgres.instance import Instance
from tests.local.aurora_fixtures import aws, code, lasting, ledger
from tests.local.aurora_world import (
    EAST_1,
    EAST_2,
    SPEED,
    Deployed,
    World,
    eventually,
)

__all__ = ["aws", "lasting", "ledger"]


def test_a_switchover_loses_nothing_while_rows_are_being_written(aws: World, ledger: Deployed) -> None:
    aws.pairs.set_lag(0.4 * SPEED)  # so that there is something on the line
    acknowledged: list[int] = []

    def write() -> None:
        for number in range(10_000):
            try:
                ledger.insert(EAST_1, number)
            except ClientError:
                return
            acknowledged.append(number)

    writing = threading.Thread(target=write)
    writing.start()
    eventually(lambda: len(acknowledged) > 10, "some rows")
    answer = ledger.switch_over(EAST_2)["GlobalCluster"]
    assert answer["Status"] == "switching-over"
    writing.join()
    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2] and ledger.available(), "the new writer")
    assert set(acknowledged) <= set(ledger.numbers(EAST_2))
    ledger.insert(EAST_2, 20_000)
    eventually(lambda: 20_000 in aws.read(ledger, EAST_1), "replication the other way")


def test_a_reader_is_available_once_it_follows_the_writer(
    aws: World, ledger: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, may_stream, streams = threading.Event(), threading.Event(), Instance.is_streaming

    def is_streaming(reader: Instance) -> bool:
        asked.set()
        return may_stream.is_set() and streams(reader)

    monkeypatch.setattr(Instance, "is_streaming", is_streaming)
    aws.pairs.set_down(EAST_2, True)
    aws.pairs.set_down(EAST_2, False)
    eventually(asked.is_set, "the start of the reader")

    with pytest.raises(ClientError) as caught:
        ledger.switch_over(EAST_2)

    assert code(caught) == "InvalidDBClusterStateFault"
    assert ledger.synchronization() == {"connected", "pending-resync"}
    may_stream.set()
    eventually(ledger.available, "the reader")


def test_a_switchover_connects_a_reader_that_a_change_before_it_has_cut_off(
    ledger: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Group._switch_over

    def cut_and_begin(group: Group, switch: Switch) -> None:
        group.members[switch.target].link.cut()
        begin(group, switch)

    monkeypatch.setattr(Group, "_switch_over", cut_and_begin)

    ledger.switch_over(EAST_2)

    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2] and ledger.available(), "the new writer")


def test_a_failover_loses_exactly_the_rows_that_had_not_arrived(aws: World, ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1, 2)
    eventually(lambda: aws.read(ledger, EAST_2) == [1, 2], "the rows in us-east-2")
    aws.pairs.set_lag(3600)
    ledger.insert(EAST_1, 3, 4)
    lag = aws.pairs.lag(ledger.clusters[EAST_2])
    assert lag
    assert lag[0] > 0
    ledger.fail_over(EAST_2)
    aws.pairs.set_lag(0)
    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2] and ledger.available(), "the new writer")
    assert ledger.numbers(EAST_2) == [1, 2]
    ledger.insert(EAST_2, 5)
    eventually(lambda: aws.read(ledger, EAST_1) == [1, 2, 5], "the old writer, made anew")


def test_a_running_failover_shows_in_the_members_status_and_refuses_a_second_one(ledger: Deployed) -> None:
    original = ledger.clusters[EAST_1]
    assert ledger.fail_over(EAST_2)["GlobalCluster"]["Status"] == "failing-over"
    state = ledger.global_cluster()
    with pytest.raises(ClientError) as caught:
        ledger.fail_over(EAST_2)
    with pytest.raises(ClientError) as unavailable:
        ledger.sql(EAST_1, "SELECT 1")
    assert state["Status"] == "failing-over"
    assert state["FailoverState"]["FromDbClusterArn"] == original
    assert state["FailoverState"]["IsDataLossAllowed"] is True
    assert [member["DBClusterArn"] for member in state["GlobalClusterMembers"] if member["IsWriter"]] == [original]
    assert code(caught) == "InvalidGlobalClusterStateFault"
    assert code(unavailable) == "DatabaseUnavailableException"
    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2] and ledger.available(), "the new writer")
    assert "FailoverState" not in ledger.global_cluster()


def test_a_failover_is_refused_while_a_switchover_is_in_progress(ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    ledger.switch_over(EAST_2)
    state = ledger.global_cluster()

    with pytest.raises(ClientError) as caught:
        ledger.fail_over(EAST_2)

    assert (state["Status"], state["FailoverState"]["IsDataLossAllowed"]) == ("switching-over", False)
    assert code(caught) == "InvalidGlobalClusterStateFault"
    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2] and ledger.available(), "the new writer")
    assert ledger.numbers(EAST_2) == [1]


def test_a_switchover_whose_source_is_lost_meanwhile_is_abandoned_and_a_failover_accepted(
    aws: World, ledger: Deployed
) -> None:
    ledger.switch_over(EAST_2)
    aws.outages.lose(EAST_1, OutageKind.RESET)
    eventually(lambda: ledger.global_cluster()["Status"] == "available", "the end of the switchover")
    assert ledger.writer() == ledger.clusters[EAST_1], "RDS shows the members as before"

    ledger.fail_over(EAST_2)

    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2], "the new writer")
    ledger.insert(EAST_2, 1)


def test_a_failover_whose_target_is_lost_meanwhile_is_given_up(aws: World, ledger: Deployed) -> None:
    ledger.fail_over(EAST_2)
    aws.outages.lose(EAST_2, OutageKind.RESET)
    with pytest.raises(psycopg2.OperationalError), aws.connect(ledger, EAST_2):
        pass
    eventually(lambda: ledger.global_cluster()["Status"] == "available", "the end of the failover")
    assert ledger.writer() == ledger.clusters[EAST_1]
    eventually(lambda: ledger.cluster(EAST_1)["Status"] == "available", "the old writer")
    ledger.insert(EAST_1, 1)
    aws.outages.heal(EAST_2)
    eventually(lambda: ledger.available() and aws.read(ledger, EAST_2) == [1], "the reader")


@pytest.mark.parametrize("kind", [OutageKind.RESET, OutageKind.HANG])
def test_a_lost_writer_that_was_not_replaced_is_the_writer_again(
    aws: World, ledger: Deployed, kind: OutageKind
) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")
    with aws.connect(ledger, EAST_1) as open_before:
        aws.outages.lose(EAST_1, kind)
        with pytest.raises(psycopg2.OperationalError), aws.connect(ledger, EAST_1):
            pass
        assert aws.read(ledger, EAST_2) == [1], "the other region still reads"
        with pytest.raises(ClientError) as caught:
            ledger.switch_over(EAST_2)
        assert code(caught) == "InvalidDBClusterStateFault"
        aws.outages.heal(EAST_1)
        eventually(ledger.available, "the writer")
        with pytest.raises(psycopg2.Error):
            open_before.cursor().execute("SELECT 1")
    ledger.insert(EAST_1, 2)
    eventually(lambda: aws.read(ledger, EAST_2) == [1, 2], "replication")


def test_a_lost_writer_that_was_replaced_comes_back_as_a_reader(aws: World, ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")
    aws.pairs.set_lag(3600)
    ledger.insert(EAST_1, 2)
    aws.outages.lose(EAST_1, OutageKind.HANG)
    aws.pairs.set_lag(0)
    ledger.fail_over(EAST_2)
    eventually(lambda: ledger.writer() == ledger.clusters[EAST_2], "the new writer")
    ledger.insert(EAST_2, 3)
    assert ledger.synchronization() == {"connected", "pending-resync"}
    aws.outages.heal(EAST_1)
    eventually(lambda: ledger.synchronization() == {"connected"}, "the old writer")
    eventually(lambda: aws.read(ledger, EAST_1) == [1, 3], "the rows of the new writer, and row 2 gone")
