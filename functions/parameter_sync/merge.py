"""The order that both regions compute alike: what a parameter shall be, given both sides of it. Pure.

Each side carries a stamp of what both had in common last, so that a change is told from a copy, a deletion from a
creation, and a later change from one that did not know of the other (a conflict).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from .parameter import Change, Content, Held, digest

Facet = TypeVar("Facet", Mapping[str, str], frozenset[str])


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A change that gave way to one it did not know of; its region's history still has it."""

    region: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Both shall hold this."""

    change: Change
    content: Content
    region: str  # where it was found
    tags: Mapping[str, str]
    labels: frozenset[str]
    lost: Lost | None = None
    revived: bool = False  # one side had deleted what the other one changed since


@dataclass(frozen=True, kw_only=True)
class Remove:
    """Neither shall hold it: it was deleted in the other region than `region`."""

    region: str


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """What a side stands for. `fresh` if it changed since both had something in common; no `change` if what it holds
    is a copy of which no one knows what it is a copy of."""

    held: Held
    content: Content
    change: Change | None
    fresh: bool
    buried: bool = False  # found in the history, under a copy


def decide(one: Held | None, other: Held | None) -> Keep | Remove | None:
    """What shall be in both regions. None if the parameter is in neither."""
    if one is None or other is None:
        held = one or other
        return _alone(held) if held else None
    winner, loser = _ranked(_claim(one), _claim(other))
    conflict = winner.fresh and loser.fresh and not _knew_of(winner, loser)
    lost = None
    if conflict and loser.change and not winner.content.agrees_with(loser.content):
        lost = Lost(region=loser.change.region, version=loser.change.version)
    base = _base(one, other)
    return Keep(
        change=winner.change or _as_own(winner.held),
        content=winner.content,
        region=winner.held.region,
        tags=_merge(winner.held.tags, loser.held.tags, base[0]),
        labels=_merge(winner.held.labels, loser.held.labels, base[1]),
        lost=lost,
    )


def _alone(held: Held) -> Keep | Remove:
    """The other region has none: deleted there if both had this, else not yet copied there. A copy of no one knows what
    was there, too: what is copied is stamped when it is made, but for a copy that was written over a deletion."""
    claim = _claim(held)
    if held.is_settled or claim.change is None:
        return Remove(region=held.region)
    return Keep(
        change=claim.change,
        content=claim.content,
        region=held.region,
        tags=held.tags,
        labels=held.labels,
        revived=held.stamp is not None,
    )


def _claim(held: Held) -> _Claim:
    if held.stamp and held.is_settled:
        return _Claim(held=held, content=held.content, change=held.stamp.change, fresh=False)
    if not held.by_copier:
        return _Claim(held=held, content=held.content, change=_as_own(held), fresh=True)
    if found := held.overwritten:
        return _Claim(held=held, content=found.content, change=found.change, fresh=True, buried=True)
    return _Claim(held=held, content=held.content, change=None, fresh=False)


def _ranked(one: _Claim, other: _Claim) -> tuple[_Claim, _Claim]:
    """Winner, loser."""
    if _knew_of(one, other):
        return one, other
    if _knew_of(other, one):
        return other, one
    # What lies under a copy may have been beaten before, by a change that the stamps no longer tell of.
    by_time = bool(one.buried or other.buried)
    first, second = sorted((one, other), key=lambda claim: _rank(claim, by_time=by_time), reverse=True)
    return first, second


def _knew_of(one: _Claim, other: _Claim) -> bool:
    """Whether `one` was changed where the other's change was known: it comes after it, whatever the clocks say."""
    stamp = one.held.stamp
    return one.fresh and stamp is not None and stamp.change == other.change


def _rank(claim: _Claim, *, by_time: bool) -> tuple[bool, bool, tuple[int, int, str], bool, tuple[int, str]]:
    """A change beats what was common before it, and that a copy of no one knows what. Of two sides that claim the same,
    the one where it was made is right."""
    change = claim.change
    order = change.order if change else (0, 0, "")
    at_home = change is not None and change.region == claim.held.region
    return (change is not None, claim.fresh and not by_time, order, at_home, (claim.held.at, claim.held.region))


def _as_own(held: Held) -> Change:
    return Change(at=held.at, version=held.version, region=held.region)


def _base(one: Held, other: Held) -> tuple[str | None, str | None]:
    """Digests of the tags and labels that both had in common last."""
    stamps = [held.stamp for held in (one, other) if held.stamp]
    if not stamps:
        return None, None
    newest = max(stamps, key=lambda stamp: (stamp.change.order, stamp.set_at, stamp.tags, stamp.labels))
    return newest.tags, newest.labels


def _merge(winner: Facet, loser: Facet, base: str | None) -> Facet:
    """What changed since both had it in common; if both did, or nothing was common, the winner's."""
    return loser if base is not None and digest(winner) == base else winner
