"""The walk through both trees: what it finds, what it costs, and where it goes on."""

from functools import partial

import pytest
from parameter_sync.errors import RegionUnavailable
from parameter_sync.reconcile import share

from tests.functions.harness import EAST_1, EAST_2
from tests.functions.parameter_sync.world import World


def filled(names: int) -> World:
    """Equal on both sides."""
    world = World()
    for number in range(names):
        world.put(EAST_1, f"/app/dev/{number:05}", "one")
    assert world.reconcile().failures == {}
    for store in world.regions.values():
        store.calls.clear()
        store.writes.clear()
    return world


def test_with_nothing_to_do_it_calls_as_seldom_as_the_api_allows() -> None:
    world = filled(1000)

    walk = world.reconcile()

    assert (walk.compared, walk.outcomes) == (1000, [])
    assert world.calls() == 2 * (1 + 1000 // 50 + 1000 // 10)
    assert world.writes() == 0


def test_batches_are_full_also_among_parameters_that_one_side_lacks() -> None:
    world = filled(100)
    for number in range(100):
        world.put(EAST_2, f"/app/dev/{number:05}-only-there", "two")

    world.reconcile()

    assert world.east1.shown() == world.east2.shown()
    assert world.east2.calls["get_parameters"] == 1 + 100 // 10 + 100, (
        "ten at a time, and once for each that is written"
    )


@pytest.mark.parametrize("lost", [EAST_1, EAST_2])
def test_nothing_is_read_from_a_lost_regions_control_plane(lost: str) -> None:
    world = filled(3)
    asked: list[str] = []
    world.regions[lost].before = asked.append
    world.regions[lost].reachable = lambda: False

    with pytest.raises(RegionUnavailable, match=lost):
        world.reconcile()

    assert asked == ["get_parameters"]


@pytest.mark.parametrize("part", ["Value", "Description", "Tier", "AllowedPattern"])
def test_every_part_of_a_parameter_is_compared(part: str) -> None:
    world = filled(3)
    given = {"Value": "two", "Description": "two", "Tier": "Advanced", "AllowedPattern": "o"}
    value = given[part] if part == "Value" else "one"
    world.put(EAST_2, "/app/dev/00001", value, **({} if part == "Value" else {part: given[part]}))

    (difference,) = world.compare().differences

    assert (difference.name, difference.parts, difference.kept) == ("/app/dev/00001", (part,), EAST_2)
    assert world.writes() == 0, "comparing changed something"


def test_tags_and_labels_are_seen_when_it_is_their_turn() -> None:
    world = filled(2)
    world.tag(EAST_2, "/app/dev/00001", Owner="you")

    assert world.reconcile().outcomes == []
    assert [outcome.name for outcome in world.reconcile(deep=True).outcomes] == ["/app/dev/00001"]
    assert world.east1.tags["/app/dev/00001"]["Owner"] == "you"


@pytest.mark.parametrize("minutes", [5, 15, 20, 60])
def test_every_name_has_its_turn_once_in_so_many_walks(minutes: int) -> None:
    names = [f"/app/dev/{number}" for number in range(200)]
    walks = [share(1_700_000_000 + 60 * minutes * number, minutes=minutes, turns=96) for number in range(96)]

    assert [sum(is_due(name) for is_due in walks) for name in names] == [1] * 200


def test_it_stops_on_request_and_goes_on_where_it_stopped() -> None:
    world = filled(95)
    for number in range(95):
        world.put(EAST_2, f"/app/dev/{number:05}", "two")
    seen, after, parts = 0, "", 0
    while True:
        walk = world.reconcile(after=after, should_stop=partial(next, iter([False, False, True])))
        seen, parts = seen + walk.compared, parts + 1
        if walk.after is None:
            break
        after = walk.after

    assert (seen, parts) == (95, 5)
    assert world.east1.shown() == world.east2.shown()


def test_a_value_that_cannot_be_read_spoils_no_other() -> None:
    world = filled(10)
    for number in range(10):
        world.put(EAST_2, f"/app/dev/{number:05}", "two")
    world.east1.refusals["get_parameters", "/app/dev/00004"] = "AccessDeniedException"

    walk = world.reconcile()

    assert walk.failures == {"/app/dev/00004": "get_parameters in us-east-1: AccessDeniedException"}
    assert [world.east1.value(f"/app/dev/{number:05}") for number in (3, 4, 5)] == ["two", "one", "two"]


def test_a_regions_own_parameters_are_left_alone() -> None:
    world = filled(1)
    world.put(EAST_1, "/app/dev/local/endpoints/us-east-1/api", "https://here")

    world.reconcile(deep=True)

    assert "/app/dev/local/endpoints/us-east-1/api" not in world.east2.versions


def test_a_rename_is_a_deletion_and_a_creation() -> None:
    world = filled(1)
    world.put(EAST_1, "/app/dev/new-name", "one")
    world.delete(EAST_1, "/app/dev/00000")

    world.reconcile(EAST_2)

    assert list(world.east2.shown()) == ["/app/dev/new-name"]
