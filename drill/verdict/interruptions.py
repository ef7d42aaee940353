"""Interruptions, gaps, latencies and counts of a run, computed from its recorded attempts. Pure functions."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from drill.model.attempts import Attempt, Intent


@dataclass(frozen=True, kw_only=True)
class SteadyRun:
    """Criterion for restored service: successes in a row, at least this many, sent over at least this long.

    Both are required. Retries that pile up come back in a burst, so a count alone would call a lucky moment steady;
    at a low rate a time alone would call a single answer steady.
    """

    count: int
    seconds: float

    @classmethod
    def of(cls, rate: float) -> "SteadyRun":
        """Half of what is offered in a second, over at least a second; at a low rate three requests."""
        return cls(count=max(3, math.ceil(rate / 2)), seconds=max(1.0, 2 / rate))


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """From sending the first request that failed to the first answer to a steady run of good ones."""

    start: float
    end: float | None  # None: nothing steady came any more

    @property
    def seconds(self) -> float | None:
        return None if self.end is None else self.end - self.start


def interruptions(attempts: Iterable[Attempt], steady: SteadyRun) -> list[Interruption]:
    """Every interruption, in order. Attempts are ordered by when they were sent, since that is what a client chose."""
    ordered = sorted(attempts, key=lambda attempt: attempt.sent)
    found: list[Interruption] = []
    position = 0
    while position < len(ordered):
        if ordered[position].ok:
            position += 1
            continue
        run = _steady_run(ordered, position, steady)
        # Of requests under way together, the one sent first need not be the one answered first.
        end = min(attempt.ended for attempt in ordered[run]) if run else None
        found.append(Interruption(start=ordered[position].sent, end=end))
        if run is None:
            break
        position = run.stop
    return found


def _steady_run(ordered: Sequence[Attempt], position: int, steady: SteadyRun) -> slice | None:
    """The position of the first steady series after `position`."""
    first: int | None = None
    for index in range(position, len(ordered)):
        if not ordered[index].ok:
            first = None
            continue
        first = index if first is None else first
        span = ordered[index].sent - ordered[first].sent
        if index - first + 1 >= steady.count and span >= steady.seconds:
            return slice(first, index + 1)
    return None


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """The time until payments were acknowledged promptly again: `seconds` until a whole window of them was, None if
    never; `share` of those offered in that window, or in the last window. `given_up` are payments offered since, whose
    clients never got an answer."""

    seconds: float | None
    share: float
    given_up: int = 0


_RECOVERY_STEP = 0.25


def recovery(
    intents: Iterable[Intent], *, since: float, until: float, share: float, window: float = 2.0, promptly: float = 1.0
) -> Recovery:
    """The first `window` seconds after `since` in which at least `share` of the payments offered were acknowledged
    within `promptly` seconds. Only payments that are new then count: acknowledging those that waited is no goodput."""
    offered = sorted((each for each in intents if each.offered >= since), key=lambda each: each.offered)
    given_up = sum(each.given_up is not None for each in offered)
    start, found = since, 0.0
    while start + window <= until:
        inside = [each for each in offered if start <= each.offered < start + window]
        prompt = sum(each.acknowledged is not None and each.acknowledged - each.offered <= promptly for each in inside)
        found = prompt / len(inside) if inside else 0.0
        if inside and found >= share:
            return Recovery(seconds=start + window - since, share=found, given_up=given_up)
        start += _RECOVERY_STEP
    return Recovery(seconds=None, share=found, given_up=given_up)


def longest_gap(attempts: Iterable[Attempt], *, start: float, end: float) -> float:
    """The longest time between `start` and `end` in which no client got a good answer."""
    answered = sorted(attempt.ended for attempt in attempts if attempt.ok and start <= attempt.ended <= end)
    edges = [start, *answered, end]
    return max(later - earlier for earlier, later in pairwise(edges))


def percentile(values: Iterable[float], share: float) -> float | None:
    """The nearest-rank percentile: the smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def by_region(attempts: Iterable[Attempt]) -> dict[str, int]:
    """Good answers by the region that gave them."""
    return dict(sorted(Counter(attempt.region or "unknown" for attempt in attempts if attempt.ok).items()))


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Requests sent in one slice of the time line."""

    start: float
    ok: dict[str, int]  # by region
    failed: dict[str, int]  # by outcome


def timeline(attempts: Iterable[Attempt], *, start: float, end: float, width: float) -> list[Bin]:
    """Attempts between `start` and `end` in slices of `width` seconds, by when they were sent."""
    count = max(1, math.ceil((end - start) / width))
    ok: list[Counter[str]] = [Counter() for _ in range(count)]
    failed: list[Counter[str]] = [Counter() for _ in range(count)]
    for attempt in attempts:
        if start <= attempt.sent <= end:
            index = min(count - 1, int((attempt.sent - start) / width))
            if attempt.ok:
                ok[index][attempt.region or "unknown"] += 1
            else:
                failed[index][attempt.outcome] += 1
    return [Bin(start=start + index * width, ok=dict(ok[index]), failed=dict(failed[index])) for index in range(count)]
