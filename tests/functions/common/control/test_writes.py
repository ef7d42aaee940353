"""Control records changed in both regions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from common.aws_clients import DynamoDbClients
from common.control.records import ControlRecords, EpochTaken, Regions, RegionState
from common.control.writes import Change, ControlChanges, last_change
from common.table_replica import Replica, ReplicaUnavailable
from tests.functions.harness import EAST_1, EAST_2, TABLE, Tables

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_clients = DynamoDbClients()  # parses the service model once
ACTIVE, FENCED = RegionState.ACTIVE, RegionState.FENCED


def changes(tables: Tables, here: str = EAST_2) -> ControlChanges:
    def replica(region: str) -> Replica:
        client = _clients.dynamodb(region, timeout_seconds=1)
        tables.connect(client)
        return Replica(client, region=region, table=TABLE)

    there = EAST_1 if here == EAST_2 else EAST_2
    regions = Regions(own=here, peer=there, first_writer=EAST_1)
    return ControlChanges(local=replica(here), peer=replica(there), regions=regions, now=lambda: NOW)


def stored(tables: Tables, region: str, key: str) -> dict[str, Any] | None:
    return tables.items(region).get(key)


def test_a_fence_stands_in_both_regions(tables: Tables) -> None:
    done = changes(tables).set_state(EAST_1, FENCED, epoch=0, by="run-1")

    assert done == Change(epoch=1, changed=True, since="2026-11-20T12:00:00.000000Z", peer="in-sync")
    assert stored(tables, EAST_2, f"region#{EAST_1}") == {
        "pk": {"S": f"region#{EAST_1}"},
        "state": {"S": "fenced"},
        "epoch": {"N": "1"},
        "since": {"S": "2026-11-20T12:00:00.000000Z"},
        "by": {"S": "run-1"},
    }
    assert stored(tables, EAST_1, f"region#{EAST_1}") == stored(tables, EAST_2, f"region#{EAST_1}")


def test_a_lost_region_is_fenced_without_its_replica(tables: Tables) -> None:
    tables.silent = {EAST_1}

    done = changes(tables).set_state(EAST_1, FENCED, epoch=0, by="run-1")
    tables.silent = set()

    assert (done.changed, done.peer_in_sync, done.peer) == (True, False, "ConnectTimeoutError")
    assert stored(tables, EAST_2, f"region#{EAST_1}")
    assert not stored(tables, EAST_1, f"region#{EAST_1}")


def test_a_fence_that_is_requested_again_stays_as_it_is_and_reaches_the_peer(tables: Tables) -> None:
    control = changes(tables)
    tables.silent = {EAST_1}
    control.set_state(EAST_1, FENCED, epoch=0, by="run-1")
    tables.silent = set()

    again = control.set_state(EAST_1, FENCED, epoch=0, by="run-2")

    assert (again.epoch, again.changed, again.peer_in_sync) == (1, False, True)
    assert stored(tables, EAST_1, f"region#{EAST_1}") == stored(tables, EAST_2, f"region#{EAST_1}")


def test_a_decision_on_an_older_epoch_changes_nothing(tables: Tables) -> None:
    control = changes(tables)
    control.set_state(EAST_1, FENCED, epoch=0, by="run-1")
    control.set_state(EAST_1, ACTIVE, epoch=1, by="run-2")

    with pytest.raises(EpochTaken):
        control.set_state(EAST_1, FENCED, epoch=1, by="run-3")

    assert control.state_of(EAST_1).state is ACTIVE
    assert control.state_of(EAST_1).epoch == 2


def test_of_two_concurrent_writes_one_is_rejected(tables: Tables) -> None:
    first, second = changes(tables), changes(tables)
    read = second.records

    def read_too_early() -> ControlRecords:
        found = read()
        first.set_writer(EAST_2, epoch=0, by="run-1")
        return found

    second.records = read_too_early  # type: ignore[method-assign]
    with pytest.raises(EpochTaken):
        second.set_writer(EAST_2, epoch=0, by="run-2")

    assert read().writer.by == "run-1"


def test_a_write_that_arrived_unnoticed_counts_as_done(tables: Tables) -> None:
    control = changes(tables)
    client: Any = control._local._client
    put = client.put_item
    failed: list[bool] = []

    def put_and_lose_the_answer(**arguments: Any) -> Any:
        answer = put(**arguments)
        if not failed:
            failed.append(True)
            raise ConnectionClosedError(endpoint_url="https://dynamodb")
        return answer

    client.put_item = put_and_lose_the_answer
    done = control.set_state(EAST_1, FENCED, epoch=0, by="run-1")

    assert failed
    assert (done.epoch, done.changed) == (1, True)


def test_a_peer_that_is_several_epochs_behind_catches_up(tables: Tables) -> None:
    control = changes(tables)
    tables.silent = {EAST_1}
    for epoch, state in enumerate([FENCED, ACTIVE, FENCED]):
        control.set_state(EAST_1, state, epoch=epoch, by=f"run-{epoch}")
    tables.silent = set()

    done = control.set_state(EAST_1, FENCED, epoch=2, by="run-2")

    assert (done.epoch, done.peer) == (3, "in-sync")
    assert stored(tables, EAST_1, f"region#{EAST_1}") == stored(tables, EAST_2, f"region#{EAST_1}")


@pytest.mark.parametrize("change", ["state", "writer"])
def test_a_peer_that_is_behind_gets_the_newest_epoch_at_once(tables: Tables, change: str) -> None:
    """An epoch between the two would be the newest item in DynamoDB's order, and would replicate over our own."""
    control = changes(tables)
    tables.silent = {EAST_1}
    for epoch in range(3):
        if change == "state":
            control.set_state(EAST_1, (FENCED, ACTIVE)[epoch % 2], epoch=epoch, by="run")
        else:
            control.set_writer((EAST_2, EAST_1)[epoch % 2], epoch=epoch, by="run")
    tables.silent, tables.replicating = set(), True
    written: list[str] = []
    client: Any = control._peer._client
    client.meta.events.register(
        "provide-client-params.dynamodb.PutItem", lambda params, **_: written.append(params["Item"]["epoch"]["N"])
    )

    if change == "state":
        done = control.set_state(EAST_1, FENCED, epoch=3, by="again")
    else:
        done = control.set_writer(EAST_2, epoch=3, by="again")

    assert (done.epoch, done.peer, written) == (3, "in-sync", ["3"])


@pytest.mark.parametrize("change", ["state", "writer"])
def test_a_change_that_replication_brought_to_the_peer_first_is_in_sync(tables: Tables, change: str) -> None:
    control = changes(tables)
    read = control.records_at_peer

    def read_before_it_arrives() -> ControlRecords:
        found = read()
        for item in tables.items(EAST_2).values():
            tables.put(EAST_1, item)
        return found

    control.records_at_peer = read_before_it_arrives  # type: ignore[method-assign]
    if change == "state":
        done = control.set_state(EAST_1, FENCED, epoch=0, by="run-1")
    else:
        done = control.set_writer(EAST_2, epoch=0, by="run-1")

    assert (done.epoch, done.peer) == (1, "in-sync")


def test_a_record_that_others_change_all_the_time_is_given_up(tables: Tables) -> None:
    control = changes(tables)
    read, epochs = control.records_at_peer, iter(range(1, 100))
    key = f"region#{EAST_1}"

    def read_and_be_overtaken() -> ControlRecords:
        tables.clients[EAST_1].delete_item(TableName=TABLE, Key={"pk": {"S": key}})
        found = read()
        item = {"pk": {"S": key}, "state": {"S": "active"}, "epoch": {"N": str(next(epochs))}, "by": {"S": "others"}}
        tables.put(EAST_1, item)
        return found

    control.records_at_peer = read_and_be_overtaken  # type: ignore[method-assign]

    assert control.set_state(EAST_1, FENCED, epoch=0, by="ours").peer == "its record is being changed"
    assert next(epochs) < 10


def test_a_peer_with_a_newer_record_is_left_alone(tables: Tables) -> None:
    control = changes(tables)
    newer = changes(tables, EAST_1)
    newer.set_state(EAST_1, FENCED, epoch=0, by="theirs")
    newer.set_state(EAST_1, ACTIVE, epoch=1, by="theirs")
    tables.clients[EAST_2].delete_item(TableName=TABLE, Key={"pk": {"S": f"region#{EAST_1}"}})

    done = control.set_state(EAST_1, FENCED, epoch=0, by="ours")

    assert not done.peer_in_sync
    assert (stored(tables, EAST_1, f"region#{EAST_1}") or {})["by"] == {"S": "theirs"}


def test_without_the_own_journal_nothing_changes(tables: Tables) -> None:
    tables.silent = {EAST_2}

    with pytest.raises(ReplicaUnavailable):
        changes(tables).set_writer(EAST_2, epoch=0, by="run-1")


def test_the_cool_down_counts_from_what_moved_traffic_or_the_writer(tables: Tables) -> None:
    control = changes(tables)
    assert last_change(control.records()) is None

    control.set_state(EAST_1, FENCED, epoch=0, by="run-1")
    assert last_change(control.records()) is None, "a fence begins a failover"

    control.set_writer(EAST_2, epoch=0, by="run-1")
    assert last_change(control.records()) == "2026-11-20T12:00:00.000000Z"


def test_a_region_that_nobody_ever_fenced_is_active_in_both(tables: Tables) -> None:
    """A drill that died before its fence arrived unfences all the same."""
    done = changes(tables).set_state(EAST_1, ACTIVE, epoch=0, by="cleanup")

    assert (done.changed, done.peer) == (False, "in-sync")
    assert stored(tables, EAST_1, f"region#{EAST_1}") is None, "nothing was to be written"
