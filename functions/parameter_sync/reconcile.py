"""A walk through both trees: finds what differs, whatever became of the events, and has it looked at.

Descriptions come 50 at a time and values 10 at a time from each region, which is the least the API allows, after one
call that finds out whether it answers. What no version tells of, tags and labels, costs calls for each parameter: they
are looked at in turns (`is_due`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger

from .errors import Busy, NotCopyable, NotYet
from .merge import Keep, Remove
from .store import Listed, Store
from .sync import Copying, Did, Outcome

_BATCH = 10
_MOST = 100  # names between two looks at the clock
_PROGRESS = 1000  # names between two lines in the log


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Without values. `kept` is the region whose side will stay, or the word `deleted`."""

    name: str
    parts: tuple[str, ...]
    kept: str
    lost: str = ""


@dataclass(kw_only=True)
class Walk:
    """What a walk found and did; `after` is where to go on, None when it came to the end."""

    compared: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)  # name to reason
    later: dict[str, int] = field(default_factory=dict)  # name to seconds until the next look
    after: str | None = None


class Reconciliation:
    """Raises RegionUnavailable if either region cannot be asked: nothing is decided by one side alone."""

    def __init__(self, stores: tuple[Store, Store], copying: Copying, logger: Logger) -> None:
        self._stores = stores
        self._copying = copying
        self._logger = logger

    def repair(self, *, after: str, is_due: Callable[[str], bool], should_stop: Callable[[], bool]) -> Walk:
        """Make equal what comes after `after` in the order of names, until the end or until `should_stop`."""

        def act(walk: Walk, name: str, _parts: tuple[str, ...]) -> None:
            outcome = self._copying.look(name)
            if outcome.did is not Did.NOTHING:
                walk.outcomes.append(outcome)

        return self._walk(act, after=after, is_due=is_due, should_stop=should_stop)

    def compare(self, *, after: str, should_stop: Callable[[], bool]) -> Walk:
        """Find what differs and change nothing."""

        def act(walk: Walk, name: str, parts: tuple[str, ...]) -> None:
            planned = self._copying.plan(name)
            if isinstance(planned, Remove):
                walk.differences.append(Difference(name=name, parts=parts, kept="deleted"))
            elif isinstance(planned, Keep):
                lost = f"version {planned.lost.version} in {planned.lost.region}" if planned.lost else ""
                walk.differences.append(Difference(name=name, parts=parts, kept=planned.region, lost=lost))

        return self._walk(act, after=after, is_due=lambda _: False, should_stop=should_stop)

    def _walk(
        self,
        act: Callable[[Walk, str, tuple[str, ...]], None],
        *,
        after: str,
        is_due: Callable[[str], bool],
        should_stop: Callable[[], bool],
    ) -> Walk:
        walk = Walk()
        for store in self._stores:
            store.reach()
        one, other = (store.listed() for store in self._stores)
        names = iter(sorted(name for name in one.keys() | other.keys() if name > after))
        last = after
        while chunk := _next_chunk(names, one, other):
            if should_stop():
                walk.after = last
                return walk
            unequal = self._unequal(walk, chunk, one, other)
            for name in chunk:
                if (parts := unequal.get(name)) or is_due(name):
                    _attempt(walk, name, parts or (), act)
            before, walk.compared = walk.compared, walk.compared + len(chunk)
            if before // _PROGRESS != walk.compared // _PROGRESS:
                self._logger.info(
                    "parameters compared",
                    event="parameters-compared",
                    compared=walk.compared,
                    differing=len(walk.outcomes),
                )
            last = chunk[-1]
        return walk

    def _unequal(
        self, walk: Walk, names: Iterable[str], one: dict[str, Listed], other: dict[str, Listed]
    ) -> dict[str, tuple[str, ...]]:
        """What differs of each name that differs."""
        found: dict[str, tuple[str, ...]] = {}
        alike: list[str] = []
        for name in names:
            if missing := [
                store.region for store, tree in zip(self._stores, (one, other), strict=True) if name not in tree
            ]:
                found[name] = (f"missing in {missing[0]}",)
            elif parts := _described_otherwise(one[name], other[name]):
                found[name] = tuple(parts)
            else:
                alike.append(name)
        for name in self._of_other_value(walk, alike):
            found[name] = ("Value",)
        return found

    def _of_other_value(self, walk: Walk, names: list[str]) -> Iterator[str]:
        """In tens; one by one where some value cannot be read, so that it spoils no other."""
        if not names:
            return
        try:
            here, there = (store.values(names) for store in self._stores)
        except NotCopyable as problem:
            if len(names) == 1:
                walk.failures[names[0]] = str(problem)
                return
            for name in names:
                yield from self._of_other_value(walk, [name])
            return
        for name in names:
            if here.get(name, (0, ""))[1] != there.get(name, (0, ""))[1] or (name in here) != (name in there):
                yield name


def share(now: float, *, minutes: int, turns: int) -> Callable[[str], bool]:
    """Whether it is a name's turn to be looked at whether or not it differs: each is once in `turns` walks, `minutes`
    apart. `now` in Unix seconds."""
    turn = int(now) // (60 * minutes) % turns
    return lambda name: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % turns == turn


def _next_chunk(names: Iterator[str], one: dict[str, Listed], other: dict[str, Listed]) -> list[str]:
    """Names up to the tenth whose values have to be compared, so that batches are full."""
    chunk: list[str] = []
    alike = 0
    for name in names:
        chunk.append(name)
        alike += name in one and name in other and not _described_otherwise(one[name], other[name])
        if alike == _BATCH or len(chunk) == _MOST:
            break
    return chunk


def _described_otherwise(one: Listed, other: Listed) -> list[str]:
    tiers = [] if one.content.tier == other.content.tier else ["Tier"]
    return one.content.differences(other.content) + tiers


def _attempt(walk: Walk, name: str, parts: tuple[str, ...], act: Callable[[Walk, str, tuple[str, ...]], None]) -> None:
    if name in walk.failures:
        return
    try:
        act(walk, name, parts)
    except NotYet as soon:
        walk.later[name] = soon.seconds
    except (NotCopyable, Busy) as problem:
        walk.failures[name] = str(problem)
