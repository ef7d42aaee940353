"""Reconciliation: compares all parameters of both regions and synchronizes those that differ, in case events were lost.

After one call that checks whether a region answers, descriptions are read 50 at a time and values 10 at a time, the
fewest calls that the API allows. Tags and labels, which have no version, cost calls for each parameter: they are
compared for a share of the names each time (`is_due`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger

from .deletions import Brake, Budget, brake
from .errors import DeletionWithheld, NotCopyable, RetryAfter, Throttled
from .merge import Keep, Remove
from .store import Listed, Store
from .sync import Action, Outcome, Permit, Synchronizer

_BATCH = 10
_MAX_CHUNK = 100  # names between two checks of the remaining time
_PROGRESS = 1000  # names between two log lines


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A differing parameter, without values. `kept`: the region whose side wins, or `deleted`."""

    name: str
    parts: tuple[str, ...]
    kept: str
    lost: str = ""


@dataclass(kw_only=True)
class Reconciled:
    """The result of a reconciliation or comparison. `after`: the name after which to continue; None at the end.
    `needs_allowance`: an operator has to decide on the withheld deletions; otherwise a later reconciliation does."""

    compared: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)  # reason by name
    later: dict[str, int] = field(default_factory=dict)  # seconds until the retry, by name
    withheld: dict[str, str] = field(default_factory=dict)  # reason by name, of deletions that were not made
    most_deletions: int = 0  # that the limits or the operator's allowance permit
    missing: int = 0  # parameters that only one region had at the beginning
    needs_allowance: bool = False
    after: str | None = None


Act = Callable[[Reconciled, str, tuple[str, ...], Permit], None]
"""The handling of a name and its differing fields."""


class Reconciliation:
    """Compares the stores of both regions. Methods raise RegionUnavailable if either does not answer: one side alone
    decides nothing."""

    def __init__(
        self, stores: tuple[Store, Store], synchronizer: Synchronizer, logger: Logger, *, budget: Budget
    ) -> None:
        self._stores = stores
        self._synchronizer = synchronizer
        self._logger = logger
        self._budget = budget

    def brake(self) -> Brake:
        """The limits of deletions for the trees as they are now."""
        one, other = self._listed()
        return brake(one.keys(), other.keys(), budget=self._budget, allowed=None)

    def repair(
        self,
        *,
        after: str,
        is_due: Callable[[str], bool],
        should_stop: Callable[[], bool],
        allowed: int | None = None,
        restore: bool = False,
    ) -> Reconciled:
        """Synchronize the parameters after `after`, ordered by name, until the end or until `should_stop`. `is_due`:
        names that are synchronized even if no difference was found. `allowed` as in `brake`, `restore` as in
        `decide`."""

        def act(result: Reconciled, name: str, _parts: tuple[str, ...], permit: Permit) -> None:
            outcome = self._synchronizer.synchronize(name, permit=permit, restore=restore)
            if outcome.action is not Action.NOTHING:
                result.outcomes.append(outcome)

        return self._compare_all(act, after=after, is_due=is_due, should_stop=should_stop, allowed=allowed)

    def compare(self, *, after: str, should_stop: Callable[[], bool]) -> Reconciled:
        """List the differing parameters after `after`, without changes."""

        def act(result: Reconciled, name: str, parts: tuple[str, ...], _permit: Permit) -> None:
            planned = self._synchronizer.plan(name)
            if isinstance(planned, Remove):
                result.differences.append(Difference(name=name, parts=parts, kept="deleted"))
            elif isinstance(planned, Keep):
                lost = f"version {planned.lost.version} in {planned.lost.region}" if planned.lost else ""
                result.differences.append(Difference(name=name, parts=parts, kept=planned.region, lost=lost))

        return self._compare_all(act, after=after, is_due=lambda _: False, should_stop=should_stop)

    def _compare_all(
        self,
        act: Act,
        *,
        after: str,
        is_due: Callable[[str], bool],
        should_stop: Callable[[], bool],
        allowed: int | None = None,
    ) -> Reconciled:
        one, other = self._listed()
        limits = brake(one.keys(), other.keys(), budget=self._budget, allowed=allowed)
        result = Reconciled(most_deletions=limits.most, missing=limits.missing)
        names = iter(sorted(name for name in one.keys() | other.keys() if name > after))
        last = after
        while chunk := _next_chunk(names, one, other):
            if should_stop():
                result.after = last
                break
            unequal = self._unequal(result, chunk, one, other)
            for name in chunk:
                if (parts := unequal.get(name)) or is_due(name):
                    _attempt(result, name, parts or (), act, limits.permit)
            before, result.compared = result.compared, result.compared + len(chunk)
            if before // _PROGRESS != result.compared // _PROGRESS:
                self._logger.info(
                    "parameters compared",
                    event="parameters-compared",
                    compared=result.compared,
                    differing=len(result.outcomes),
                )
            last = chunk[-1]
        if result.after is None:
            # What earlier parts and this one have left missing will be missing in the next reconciliation, too.
            unknown = sum(name <= after or name in result.failures for name in one.keys() ^ other.keys())
        else:
            unknown = 0
        result.needs_allowance = limits.holds(len(result.withheld), unknown=unknown)
        return result

    def _listed(self) -> tuple[dict[str, Listed], dict[str, Listed]]:
        for store in self._stores:
            store.reach()
        one, other = (store.listed() for store in self._stores)
        return one, other

    def _unequal(
        self, result: Reconciled, names: Iterable[str], one: dict[str, Listed], other: dict[str, Listed]
    ) -> dict[str, tuple[str, ...]]:
        """The differing fields by name, of names that differ."""
        found: dict[str, tuple[str, ...]] = {}
        alike: list[str] = []
        for name in names:
            if missing := [
                store.region for store, tree in zip(self._stores, (one, other), strict=True) if name not in tree
            ]:
                found[name] = (f"missing in {missing[0]}",)
            elif parts := _different_descriptions(one[name], other[name]):
                found[name] = tuple(parts)
            else:
                alike.append(name)
        for name in self._differing_values(result, alike):
            found[name] = ("Value",)
        return found

    def _differing_values(self, result: Reconciled, names: list[str]) -> Iterator[str]:
        """The names whose values differ. Read as one batch; one by one if a value in it cannot be read."""
        if not names:
            return
        try:
            here, there = (store.values(names) for store in self._stores)
        except NotCopyable as problem:
            if len(names) == 1:
                result.failures[names[0]] = str(problem)
                return
            for name in names:
                yield from self._differing_values(result, [name])
            return
        for name in names:
            if here.get(name, (0, ""))[1] != there.get(name, (0, ""))[1] or (name in here) != (name in there):
                yield name


def share(now: float, *, minutes: int, turns: int) -> Callable[[str], bool]:
    """A predicate of the names that are due in this reconciliation: each name once in `turns` reconciliations,
    `minutes` apart. `now` in Unix seconds."""
    turn = int(now) // (60 * minutes) % turns
    return lambda name: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % turns == turn


def _next_chunk(names: Iterator[str], one: dict[str, Listed], other: dict[str, Listed]) -> list[str]:
    """The next names, up to the tenth whose value has to be compared, so that batches are full."""
    chunk: list[str] = []
    alike = 0
    for name in names:
        chunk.append(name)
        alike += name in one and name in other and not _different_descriptions(one[name], other[name])
        if alike == _BATCH or len(chunk) == _MAX_CHUNK:
            break
    return chunk


def _different_descriptions(one: Listed, other: Listed) -> list[str]:
    tiers = [] if one.content.tier == other.content.tier else ["Tier"]
    return one.content.differences(other.content) + tiers


def _attempt(result: Reconciled, name: str, parts: tuple[str, ...], act: Act, permit: Permit) -> None:
    if name in result.failures:
        return
    try:
        act(result, name, parts, permit)
    except DeletionWithheld as withheld:
        result.withheld[name] = str(withheld)
    except RetryAfter as retry:
        result.later[name] = retry.seconds
    except (NotCopyable, Throttled) as problem:
        result.failures[name] = str(problem)
