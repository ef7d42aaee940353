"""Replays of the backlogs: what is posted, what is removed, and what a replay costs."""

import contextlib
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.client import BaseClient
from ledger.database import DIALECTS
from ledger.posting import Paused
from ledger.replay import ReplayRequestError

from common.backlog import Backlog
from common.clock import utc_now
from common.table_replica import Item, Replica, ReplicaUnavailable
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.ledger.world import Context, LedgerWorld, entry, ids, record

LONG_AGO = {"CLOCK_SPEED": "1000"}  # so that the margin of durability is a moment


def replay(aws: LedgerWorld, region: str = EAST_1, *, remaining_ms: int = 60_000, **event: Any) -> dict[str, Any]:
    request = {"operation": "replay", **event}
    return aws.function(region, **LONG_AGO).answer(request, Context(remaining_ms=remaining_ms))


def journaled(aws: LedgerWorld, *numbers: int, regions: tuple[str, ...] = (EAST_1, EAST_2)) -> list[dict[str, Any]]:
    """Payments in the journal's replicas, and the records of their stream."""
    for number in numbers:
        for region in regions:
            aws.put(entry(number).to_item(), region)
    return [record(entry(number).to_item(), number) for number in numbers]


def process(aws: LedgerWorld, records: list[dict[str, Any]], region: str = EAST_1, **changed: str) -> None:
    answer = aws.function(region, **changed).answer({"Records": records}, Context())
    assert answer == {"batchItemFailures": []}


def recorded(aws: LedgerWorld, region: str, *numbers: int) -> None:
    """A batch in a region's backlog, as its ledger leaves it while the other region is the writer."""
    backlog = Backlog(aws.client("dynamodb", region), region=region, table=aws.backlog_table)
    backlog.record(ids(*numbers), arrived=utc_now())


EPOCHS = itertools.count(1)


def name_writer(aws: LedgerWorld, region: str) -> None:
    """In both replicas, with a higher epoch than before."""
    epoch = next(EPOCHS)
    for each in (EAST_1, EAST_2):
        aws.put(aws.writer_record(region, epoch), each)


def until_durable(aws: LedgerWorld) -> dict[str, Any]:
    """The first replay that leaves nothing waiting."""
    end = time.monotonic() + 30
    while (found := replay(aws))["waiting"] and time.monotonic() < end:
        time.sleep(0.2)
    return found


@contextlib.contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The calls to AWS that are made meanwhile."""
    calls: list[str] = []
    any_client: Any = BaseClient
    call = any_client._make_api_call

    def counting(client: Any, operation: str, arguments: Any) -> Any:
        calls.append(operation)
        return call(client, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", counting)
        yield calls


def test_what_the_own_backlog_holds_is_posted_and_leaves_it(aws: LedgerWorld) -> None:
    journaled(aws, *range(250))
    recorded(aws, EAST_1, *range(100))
    recorded(aws, EAST_1, *range(100, 250))
    process(aws, [record(entry(number).to_item(), number) for number in range(0, 250, 2)])

    found = replay(aws)

    names = ("checked", "missing", "posted", "waiting", "done", "continuation", "unreachable")
    assert [found[name] for name in names] == [250, 125, 125, 250, True, None, {}]
    assert len(aws.rows()) == 250
    assert until_durable(aws)["missing"] == 0
    assert aws.backlog() == []
    assert replay(aws)["checked"] == 0


def test_payments_of_the_other_regions_backlog_are_posted_and_stay_until_they_are_durable_there(
    aws: LedgerWorld,
) -> None:
    journaled(aws, 1, 2, 3, regions=(EAST_2,))  # not replicated: only the other region's journal holds them
    recorded(aws, EAST_2, 1, 2, 3)

    found = replay(aws)

    assert (found["missing"], found["posted"], found["waiting"]) == (3, 3, 3)
    assert aws.rows() == ["order-0001", "order-0002", "order-0003"]
    assert aws.backlog(EAST_2), "a promotion could still lose them"

    assert until_durable(aws)["missing"] == 0
    assert aws.backlog(EAST_2) == []


def test_payments_that_a_promotion_lost_are_posted_again(aws: LedgerWorld) -> None:
    """Rows that the old writer never replicated: the new writer's backlog holds them."""
    records = journaled(aws, *range(1, 6))
    recorded(aws, EAST_1, 1, 2, 3)
    process(aws, records)
    aws.database.sql(EAST_1, "DELETE FROM ledger WHERE payment_id <= 'order-0003'")

    found = replay(aws)

    assert (found["missing"], found["posted"]) == (3, 3)
    assert len(aws.rows()) == 5


def test_a_region_whose_backlog_does_not_answer_holds_nothing_up(aws: LedgerWorld) -> None:
    journaled(aws, 1)
    recorded(aws, EAST_1, 1)

    found = aws.function(PEER_BACKLOG_TABLE="none").answer({"operation": "replay"}, Context())

    assert (found["posted"], found["done"]) == (1, True)
    assert found["unreachable"] == {EAST_2: "ResourceNotFoundException"}
    assert aws.rows() == ["order-0001"]


def test_payments_are_posted_although_their_durability_cannot_be_read(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    journaled(aws, 1, 2)
    recorded(aws, EAST_1, 1)
    recorded(aws, EAST_2, 2)
    broken = replace(DIALECTS["aurora-postgresql"], durable_until="SELECT * FROM nothing_like_it()")
    monkeypatch.setitem(DIALECTS, "aurora-postgresql", broken)

    found = replay(aws)

    assert (found["posted"], found["waiting"], found["durability_unknown"]) == (2, 2, "42883")
    assert (aws.backlog(EAST_1), aws.backlog(EAST_2)) == ([["order-0001"]], [["order-0002"]])


def test_a_replay_that_is_stopped_goes_on_with_what_is_left(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.replay.FIND_LIMIT", 20)
    journaled(aws, *range(60))
    for start in range(0, 60, 2):
        recorded(aws, EAST_1, start, start + 1)

    stopped = replay(aws, remaining_ms=0)
    assert (stopped["done"], stopped["posted"]) == (False, 20)

    continued = replay(aws, continuation=stopped["continuation"], remaining_ms=0)
    assert (continued["posted"], continued["checked"]) == (40, 40)
    afresh = replay(aws)  # of another run, which does not know the continuation

    assert (afresh["missing"], afresh["posted"], afresh["done"]) == (20, 20, True)
    assert len(aws.rows()) == 60


def test_a_replay_ends_although_batches_keep_arriving(aws: LedgerWorld) -> None:
    journaled(aws, *range(40))
    for number in range(20):
        recorded(aws, EAST_1, number)
    stopped = replay(aws, remaining_ms=0)
    for number in range(20, 40):
        recorded(aws, EAST_1, number)

    found = replay(aws, continuation=stopped["continuation"])

    assert (found["checked"], found["done"]) == (20, True)
    assert len(aws.rows()) == 20


def test_the_cost_of_a_replay_does_not_depend_on_the_journal(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def cost_of(*numbers: int) -> list[str]:
        until_durable(aws)
        recorded(aws, EAST_1, *numbers)
        with counted(monkeypatch) as calls:
            assert replay(aws)["posted"] == len(numbers)
        return sorted(calls)

    journaled(aws, *range(20))
    process(aws, [record(entry(0).to_item(), 0)])  # which creates the ledger's table
    few = cost_of(*range(1, 10))
    journaled(aws, *range(20, 400))

    assert cost_of(*range(11, 20)) == few
    assert "Scan" not in few


def test_small_batches_cost_no_more_than_large_ones(aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a low rate each batch holds one payment."""

    def cost_of(*batches: Sequence[int]) -> list[str]:
        until_durable(aws)
        for batch in batches:
            recorded(aws, EAST_1, *batch)
        with counted(monkeypatch) as calls:
            assert replay(aws)["posted"] == 30
        return sorted(calls)

    journaled(aws, *range(100))
    process(aws, [record(entry(99).to_item(), 99)])  # which creates the ledger's table

    assert cost_of(*([number] for number in range(30))) == cost_of(range(30, 60))


def test_a_replay_reports_what_it_cannot_post_and_removes_it(aws: LedgerWorld) -> None:
    journaled(aws, *range(1, 5))
    recorded(aws, EAST_1, 1, 2, 3, 4)
    for region in (EAST_1, EAST_2):
        aws.put({"pk": {"S": "payment#order-0002"}, "kind": {"S": "payment"}}, region)
        aws.put(entry(3, currency="FOUR").to_item(), region)
        aws.client("dynamodb", region).delete_item(TableName=aws.table, Key={"pk": {"S": "payment#order-0004"}})

    found = replay(aws)

    assert (found["checked"], found["posted"], found["poisoned"]) == (4, 1, 3)
    reasons = {message["payment_id"]: message["reason"] for message in aws.messages(aws.poison_url)}
    assert set(reasons) == {"order-0002", "order-0003", "order-0004"}
    assert "no replica of the journal" in reasons["order-0004"]
    assert (found["waiting"], aws.backlog()) == (1, [["order-0001"]])
    assert until_durable(aws)["poisoned"] == 0, "reported again"
    assert aws.backlog() == []


def test_a_batch_that_was_removed_meanwhile_is_not_shortened_back_into_the_backlog(aws: LedgerWorld) -> None:
    recorded(aws, EAST_1, 1, 2)
    backlog = Backlog(aws.client("dynamodb", EAST_1), region=EAST_1, table=aws.backlog_table)
    (batch,) = backlog.page(after="", until="9", limit=10)

    backlog.shorten(batch, ids(1))
    assert aws.backlog() == [["order-0001"]]
    backlog.remove([batch])
    backlog.shorten(batch, ids(1))

    assert aws.backlog() == []


def test_only_statements_that_write_are_bound_to_the_decision_to_post(
    aws: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_client: Any = BaseClient
    call = any_client._make_api_call
    allowed: dict[str, set[float]] = {}

    def measuring(client: Any, operation: str, arguments: Any) -> Any:
        if "sql" in arguments:
            allowed.setdefault(arguments["sql"].split()[0], set()).add(client.meta.config.read_timeout)
        return call(client, operation, arguments)

    journaled(aws, 1)
    recorded(aws, EAST_1, 1)
    monkeypatch.setattr(any_client, "_make_api_call", measuring)

    assert aws.function(CONTROL_STATEMENT_SECONDS="2").answer({"operation": "replay"}, Context())["posted"] == 1

    assert (allowed["SELECT"], allowed["INSERT"]) == ({10.0}, {2.0})


def test_a_replay_in_the_readers_region_is_refused(aws: LedgerWorld) -> None:
    journaled(aws, 1)

    with pytest.raises(Paused, match="reader"):
        replay(aws, EAST_2)


def test_the_scheduled_call_posts_in_the_writers_region_and_measures_in_both(aws: LedgerWorld) -> None:
    journaled(aws, 1, 2)
    recorded(aws, EAST_1, 1)
    recorded(aws, EAST_2, 2)

    assert aws.function(EAST_2).answer({"operation": "catch-up"}, Context()) == {}
    assert aws.function().answer({"operation": "catch-up"}, Context())["posted"] == 2

    assert aws.rows() == ["order-0001", "order-0002"]


def published(capsys: pytest.CaptureFixture[str]) -> tuple[float, float]:
    """Size and age of the backlog, by the metrics of the last scheduled call."""
    *_, metrics = [line for line in capsys.readouterr().out.splitlines() if "BacklogOldestSeconds" in line]
    found = json.loads(metrics)
    return found["BacklogEntries"][0], found["BacklogOldestSeconds"][0]


def test_the_scheduled_call_publishes_the_size_and_age_of_the_backlog(
    aws: LedgerWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [record(entry(1).to_item(), 1, age=1000), record(entry(2).to_item(), 2)]
    process(aws, old, EAST_2)

    aws.function(EAST_2).answer({"operation": "catch-up"}, Context())

    size, age = published(capsys)
    assert size == 2
    assert 1000 <= age < 1100


def test_in_the_writers_region_the_age_is_that_of_what_is_not_posted(
    aws: LedgerWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_all = Replica.read_all

    def without_peer(replica: Replica, keys: Sequence[str]) -> dict[str, Item]:
        if replica.region == EAST_2 and any(key.startswith("payment#") for key in keys):
            raise ReplicaUnavailable(EAST_2, "ConnectTimeoutError")
        return read_all(replica, keys)

    journaled(aws, 1)
    name_writer(aws, EAST_2)
    process(aws, [record(entry(1).to_item(), 1, age=1000)], EAST_1)
    name_writer(aws, EAST_1)

    aws.function().answer({"operation": "catch-up"}, Context())
    assert published(capsys) == (1, 0), "posted, and not yet durable in the other region"

    name_writer(aws, EAST_2)
    process(aws, [record(entry(2).to_item(), 2, age=1000)], EAST_1)  # in no journal that answers
    name_writer(aws, EAST_1)
    monkeypatch.setattr(Replica, "read_all", without_peer)
    aws.function().answer({"operation": "catch-up"}, Context())
    assert published(capsys)[1] > 900


def test_the_scheduled_call_survives_a_database_that_does_not_answer(aws: LedgerWorld) -> None:
    journaled(aws, 1)
    recorded(aws, EAST_1, 1)
    reader = aws.database.clusters[EAST_2]

    assert aws.function(CLUSTER_ARN=reader).answer({"operation": "catch-up"}, Context()) == {}
    assert aws.log_lines()[-1]["event"] == "replay-failed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": "soon"},
        {"seconds": 0},
        {"continuation": {}},
        {"continuation": {"until": "", "positions": {"eu-west-1": ""}, "counts": {}}},
        {"continuation": {"until": "", "positions": {EAST_1: ""}, "counts": {"sent": 1}}},
    ],
)
def test_an_invalid_replay_request_is_rejected_with_its_reason(aws: LedgerWorld, wrong: dict[str, Any]) -> None:
    with pytest.raises(ReplayRequestError):
        replay(aws, **wrong)
