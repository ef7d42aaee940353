"""For any fate of the events and any change between two calls: both trees become equal, and it ends.

Each test is random and prints its seed, which is in its id too.
"""

import os
import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from parameter_sync.errors import RegionUnavailable, RetryAfter, Throttled

from tests.functions.harness import EAST_1, EAST_2
from tests.functions.parameter_sync.world import World

SEEDS = [int(os.environ.get("SEED", "1")) + each for each in range(3)]
REGIONS = (EAST_1, EAST_2)
ROUNDS = 40  # worlds a test, each checked at the end


class People:
    """Random changes in both regions, and what each changed last."""

    def __init__(self, world: World, chance: random.Random, names: int) -> None:
        self.world, self.chance = world, chance
        self.names = [f"/app/dev/{number}" for number in range(names)]
        self.changes = 0
        self.last: dict[str, dict[str, str]] = defaultdict(dict)  # name to region to what was put last, if it is there

    def act(self, name: str | None = None, region: str | None = None) -> str:
        """One change, mostly of a value; the name it was made to."""
        name, region = name or self.chance.choice(self.names), region or self.chance.choice(REGIONS)
        self.changes += 1
        there = name in self.world.regions[region].versions
        kind = self.chance.random()
        if there and kind < 0.1:
            self.world.delete(region, name)
            self.last[name].pop(region, None)
        elif there and kind < 0.2:
            self.world.tag(region, name, Owner=str(self.changes))
        elif there and kind < 0.25:
            self.world.label(region, name, f"l{self.chance.randrange(3)}")
        else:
            value = f"{region} {self.changes}"
            self.world.put(region, name, value, Description=str(self.changes % 3))
            self.last[name][region] = value
        return name

    def before_each_call(self, act: Callable[[str], None]) -> None:
        for store in self.world.regions.values():
            store.before = act

    def settle(self) -> None:
        """Two reconciliations, one from each region, comparing all tags and labels."""
        for region in REGIONS:
            assert self.world.reconcile(region, deep=True, allowed=len(self.names)).failures == {}

    def check(self) -> None:
        east1, east2 = self.world.east1, self.world.east2
        assert east1.shown() == east2.shown()
        for name in east1.versions:
            # Clocks agree here, so that the order of time is the order of changes.
            latest = max(self.last[name].values(), key=lambda value: int(value.split()[1]))
            assert east1.value(name) == latest, f"the last change of {name} is lost"
        before = self.world.writes()
        self.settle()
        assert self.world.writes() == before, "it never comes to rest"


def _people(seed: int, names: int) -> People:
    print(f"seed {seed}")
    return People(World(), random.Random(seed), names)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_may_be_dropped_doubled_late_and_out_of_order(seed: int) -> None:
    people = _people(seed, names=12)
    world, chance = people.world, people.chance
    waiting: list[tuple[str, str]] = []  # region and name

    def changed(region: str, name: str) -> None:
        waiting.extend([(region, name)] * chance.choice([0, 1, 1, 1, 2]))

    for region, store in world.regions.items():
        store.on_change = partial(changed, region)
    for _ in range(400):
        people.act()
        while waiting and chance.random() < 0.6:
            region, name = waiting.pop(chance.randrange(len(waiting)))
            world.synchronize(name, region)
    while waiting:
        region, name = waiting.pop(chance.randrange(len(waiting)))
        world.synchronize(name, region)
    people.settle()

    people.check()
    assert world.writes() <= people.changes, "copies of copies"


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_partition_amid_a_thousand_changes_needs_one_reconciliation(seed: int) -> None:
    people = _people(seed, names=150)
    world = people.world
    cut = False
    acting = EAST_1

    def reachable(region: str) -> bool:
        return not cut or region == acting

    for region, store in world.regions.items():
        store.reachable = partial(reachable, region)
    for number in range(1000):
        cut = 300 <= number < 700
        region = people.chance.choice(REGIONS)
        name, acting = people.act(region=region), region
        if cut:
            with pytest.raises(RegionUnavailable):
                world.synchronize(name, region)
        else:
            world.synchronize(name, region)

    walk = world.reconcile(EAST_2, deep=True)

    assert world.east1.shown() == world.east2.shown()
    assert any(outcome.lost for outcome in walk.outcomes), "no change was made on both sides"
    people.check()
    assert world.writes() <= people.changes


@pytest.mark.parametrize("seed", SEEDS)
def test_others_may_act_between_any_two_calls(seed: int) -> None:
    """Other people, and the function of the other region synchronizing the same name."""
    for number in range(ROUNDS):
        people = _people(1000 * seed + number, names=1)
        world, chance, depth = people.world, people.chance, 0

        def between(_operation: str, people: People = people) -> None:
            nonlocal depth
            if depth >= 2 or people.chance.random() > 0.1:
                return
            depth += 1
            if people.chance.random() < 0.5:
                people.act()
            else:
                _synchronize(people.world, people.names[0], people.chance.choice(REGIONS))
            depth -= 1

        people.before_each_call(between)
        for _ in range(chance.randrange(1, 6)):
            _synchronize(world, people.act(), chance.choice(REGIONS))
        people.before_each_call(lambda _: None)
        people.settle()

        people.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_function_may_end_before_any_of_its_calls(seed: int) -> None:
    for number in range(ROUNDS):
        people = _people(1000 * seed + number, names=1)
        world, chance = people.world, people.chance

        def end(_operation: str, chance: random.Random = chance) -> None:
            if chance.random() < 0.15:
                raise Ended

        for _ in range(chance.randrange(1, 6)):
            name = people.act()
            people.before_each_call(end)
            with suppress(Ended):
                world.synchronize(name, chance.choice(REGIONS))
            people.before_each_call(lambda _: None)
        people.settle()

        people.check()


class Ended(Exception):
    """The function's sandbox is gone."""


def _synchronize(world: World, name: str, region: str) -> None:
    """Deferred messages, which the queue would deliver again; the reconciliation at the end takes their place."""
    with suppress(Throttled, RetryAfter):
        world.synchronize(name, region)
