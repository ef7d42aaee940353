"""The brake on mass deletion: a region that was emptied does not empty the other one, by whatever path."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from parameter_sync.batch import BatchProcessor
from parameter_sync.deletions import WINDOW, Budget, most_deletions
from parameter_sync.errors import DeletionWithheld

from tests.functions.harness import EAST_1, EAST_2
from tests.functions.parameter_sync.test_application import Function, Timed, change, function, session
from tests.functions.parameter_sync.world import DELETIONS, World

__all__ = ["function", "session"]

COUNT = 300
LIMIT = 15


def name(number: int) -> str:
    return f"/app/dev/{number:03}"


@pytest.fixture
def world() -> World:
    """Equal in both regions."""
    world = World()
    for number in range(COUNT):
        world.put(EAST_1, name(number), "one")
    world.reconcile()
    return world


def delete(world: World, count: int, *, region: str = EAST_2, first: int = 0) -> None:
    for number in range(first, first + count):
        world.delete(region, name(number))


@pytest.mark.parametrize(("names", "most"), [(0, 10), (200, 10), (300, 15), (10_000, 500)])
def test_the_limit_is_five_percent_and_at_least_ten(names: int, most: int) -> None:
    assert most_deletions(names) == most


@pytest.mark.parametrize("by", [EAST_1, EAST_2])
@pytest.mark.parametrize("deleted", [LIMIT + 1, COUNT])
def test_a_region_that_lacks_many_takes_none_from_the_other_while_changes_continue(
    world: World, by: str, deleted: int
) -> None:
    delete(world, deleted)
    world.put(EAST_1, "/app/dev/new", "new")
    world.put(EAST_1, name(COUNT - 1), "changed")

    walk = world.reconcile(by)

    assert len(world.east1.shown()) == COUNT + 1
    assert walk.needs_allowance
    assert set(walk.withheld) == {name(number) for number in range(deleted)} - {name(COUNT - 1)}
    assert world.east2.value("/app/dev/new") == "new"
    assert world.east2.value(name(COUNT - 1)) == "changed"


def test_as_many_as_the_limit_are_deleted(world: World) -> None:
    delete(world, LIMIT)

    walk = world.reconcile()

    assert world.east1.shown() == world.east2.shown()
    assert (walk.withheld, walk.needs_allowance) == ({}, False)


def test_an_operator_allows_deletions_up_to_a_number(world: World) -> None:
    delete(world, 40)

    assert len(world.reconcile(allowed=39).withheld) == 40
    assert world.reconcile(allowed=40).withheld == {}

    assert world.east1.shown() == world.east2.shown()
    delete(world, 1, first=50)
    assert world.reconcile().withheld == {}, "allowed deletions leave the limit of others alone"


@pytest.mark.parametrize("emptied", [EAST_1, EAST_2])
def test_an_operator_restores_what_is_missing_wherever_it_was_created(world: World, emptied: str) -> None:
    world.put(EAST_2, "/app/dev/secret", "s", Type="SecureString")
    world.tag(EAST_2, "/app/dev/secret", Owner="me")
    world.reconcile()
    before = world.regions[EAST_2 if emptied == EAST_1 else EAST_1].shown()
    delete(world, COUNT, region=emptied)
    world.delete(emptied, "/app/dev/secret")

    world.reconcile(restore=True)

    assert world.east1.shown() == world.east2.shown() == before
    assert world.reconcile().withheld == {}, "they count as missing again"


def test_a_slow_deletion_of_everything_is_stopped_within_the_hour(world: World) -> None:
    """Each reconciliation sees few missing parameters, so that only the number within the window shows it."""
    withheld: list[bool] = []
    for first in range(0, 60, 2):
        delete(world, 2, first=first)
        world.pass_time(60)
        withheld.append(world.reconcile(EAST_1 if first % 4 else EAST_2).needs_allowance)

    most = LIMIT - 1  # of the 298 that are left when the first two are missing
    assert len(world.east1.shown()) == COUNT - most
    assert withheld == [False] * (most // 2) + [True] * (30 - most // 2), "reported at once and until decided"


def test_the_limit_applies_to_each_hour_and_region(world: World) -> None:
    delete(world, LIMIT)
    world.reconcile()
    delete(world, 1, region=EAST_1, first=COUNT - 1)
    world.reconcile()
    assert name(COUNT - 1) not in world.east2.versions, "the other region's deletions were counted"

    world.pass_time(WINDOW)
    delete(world, LIMIT - 5, first=LIMIT)
    world.reconcile()

    assert world.east1.shown() == world.east2.shown()


@pytest.mark.parametrize("text", ["", "none yet", "[]", '{"since": 1}', '{"since": 4000000000, "base": 900}'])
def test_a_record_that_is_missing_or_unreadable_begins_a_new_window(world: World, text: str) -> None:
    if text:
        world.put(EAST_1, DELETIONS, text)
    store = world._stores(EAST_1)[0]
    budget = Budget(records={EAST_1: DELETIONS}, now=lambda: world.time / 1000)

    for _ in range(3):
        budget.spend(store, 3)
    with pytest.raises(DeletionWithheld, match="3 parameters were deleted in us-east-1 within 60 minutes"):
        budget.spend(store, 3)


def test_functions_that_delete_at_the_same_time_spend_one_budget(world: World) -> None:
    """Another deletion is counted between this one's read and its write."""
    store = world._stores(EAST_1)[0]
    one, other = (Budget(records={EAST_1: DELETIONS}, now=lambda: world.time / 1000) for _ in range(2))
    one.spend(store, 2)
    interrupted: list[str] = []

    def interrupt(operation: str) -> None:
        if operation == "put_parameter" and not interrupted:
            interrupted.append(operation)
            other.spend(store, 2)

    world.east1.before = interrupt

    with pytest.raises(DeletionWithheld):
        one.spend(store, 2)


def test_a_few_deletions_among_many_new_parameters_need_no_operator(world: World) -> None:
    delete(world, 3)
    for number in range(20):
        world.put(EAST_1, f"/app/dev/new/{number}", "new")

    first, second = world.reconcile(), world.reconcile()

    assert (len(first.withheld), first.needs_allowance) == (3, False)
    assert (second.withheld, second.needs_allowance) == ({}, False)
    assert world.east1.shown() == world.east2.shown()


def test_deletions_spread_over_several_parts_of_a_reconciliation_are_counted_together(world: World) -> None:
    for number in range(0, COUNT, 15):
        world.delete(EAST_2, name(number))
    after: str | None = ""
    parts = []
    while after is not None:
        answers = iter([False, False])
        parts.append(world.reconcile(after=after, should_stop=partial(next, answers, True)))
        after = parts[-1].after

    assert len(parts) > 2
    assert len(world.east1.shown()) == COUNT
    assert parts[-1].needs_allowance


@pytest.mark.parametrize("at_once", [1, 10, 100])
def test_no_speed_of_events_deletes_more_than_the_limit(world: World, at_once: int) -> None:
    """Events are processed while the deletion goes on; each is deferred once by the settling time."""
    deferred: list[dict[str, Any]] = []
    processor = world.batches(EAST_2, deferred)
    for first in range(0, COUNT, at_once):
        delete(world, at_once, first=first)
        deliver_events(processor, [change(name(number)) for number in range(first, first + at_once)])
        if first % 20 == 0:
            deliver_events(processor, [deferred.pop(0) for _ in deferred[:10]])
    while deferred:
        deliver_events(processor, [deferred.pop(0) for _ in deferred[:10]])

    assert len(world.east1.shown()) >= COUNT - LIMIT
    if at_once > LIMIT:
        assert len(world.east1.shown()) == COUNT
    assert world.reconcile(EAST_1).needs_allowance


def records(bodies: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"messageId": str(number), "receiptHandle": "any", "body": json.dumps(body)}
        for number, body in enumerate(bodies)
    ]


def deliver_events(processor: BatchProcessor, bodies: list[dict[str, Any]]) -> None:
    assert processor.run(records(bodies), lambda _: None) == {"batchItemFailures": []}


def deliver(function: Function, *bodies: Any) -> None:
    """As one batch, of which nothing is to be delivered again."""
    assert function.run({"Records": records(bodies)}) == {"batchItemFailures": []}


def test_a_storm_of_deletion_events_deletes_nothing_and_is_reported(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [name(number) for number in range(30)]
    for each in names:
        function.put(each, Type="String")
    function.run({"operation": "reconcile"})
    for start in range(0, len(names), 10):
        batch = names[start : start + 10]
        function.ssm(EAST_2).delete_parameters(Names=batch)
        deliver(function, *[change(each) for each in batch])  # while the deletion goes on
    while messages := function.taken("changes"):
        deliver(function, *messages)
    function.run({"operation": "reconcile"})

    pages = function.ssm(EAST_1).get_paginator("describe_parameters").paginate()
    assert {each["Name"] for page in pages for each in page["Parameters"]} == set(names)
    (letter,) = function.messages("dead")
    assert (letter["withheld_deletions"], set(letter["reasons"])) == (len(names), set(names))
    assert '"ParameterDeletionsWithheld"' in capsys.readouterr().out


def test_an_operators_command_deletes_what_it_allows_and_names_what_is_left(function: Function) -> None:
    for number in range(20):
        function.put(name(number), Type="String")
    function.run({"operation": "reconcile"})
    for number in range(12):
        function.ssm(EAST_2).delete_parameter(Name=name(number))
    command = {"operation": "reconcile", "waits": True}

    stopped = function.run(command)
    allowed = function.run({**command, "allow_deletions": 12}, Timed())

    assert (stopped["withheld"], stopped["deleted"], stopped["most_deletions"], stopped["missing"]) == (12, 0, 10, 12)
    assert (allowed["withheld"], allowed["deleted"]) == (0, 12)
    assert function.messages("dead") == [], "who waits reads it here"
