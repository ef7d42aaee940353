"""Three-way merge of a parameter from both regions' states; both regions compute the same result. Pure functions.

Each side carries a marker of the last common state. It distinguishes a change from a copy, a deletion from a creation,
and a later change from a concurrent one (a conflict).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from .parameter import Change, Content, ParameterState, digest

Facet = TypeVar("Facet", Mapping[str, str], frozenset[str])


@dataclass(frozen=True, kw_only=True)
class LostChange:
    """A change that lost a conflict; it is still in its region's parameter history."""

    region: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Both regions are to hold this."""

    change: Change
    content: Content
    region: str  # whose side wins
    tags: Mapping[str, str]
    labels: frozenset[str]
    lost: LostChange | None = None
    revived: bool = False  # one side had deleted what the other changed later


@dataclass(frozen=True, kw_only=True)
class Remove:
    """The parameter is to be deleted in `region`, because it was deleted in the other one."""

    region: str


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """One side's candidate. `fresh`: it changed since the last common state. `change` is None for a copy of unknown
    origin."""

    held: ParameterState
    content: Content
    change: Change | None
    fresh: bool
    overwritten: bool = False  # found in the history: a copy was written over it


def decide(one: ParameterState | None, other: ParameterState | None, *, restore: bool = False) -> Keep | Remove | None:
    """The state that both regions are to have. None if the parameter exists in neither. `restore`: a parameter that one
    region lacks is created there again, instead of being deleted in the other."""
    if one is None or other is None:
        held = one or other
        return _alone(held, restore=restore) if held else None
    winner, loser = _ranked(_claim(one), _claim(other))
    conflict = winner.fresh and loser.fresh and not _follows(winner, loser)
    lost = None
    if conflict and loser.change and not winner.content.agrees_with(loser.content):
        lost = LostChange(region=loser.change.region, version=loser.change.version)
    base = _base(one, other)
    return Keep(
        change=winner.change or _own_change(winner.held),
        content=winner.content,
        region=winner.held.region,
        tags=_merge(winner.held.tags, loser.held.tags, base[0]),
        labels=_merge(winner.held.labels, loser.held.labels, base[1]),
        lost=lost,
    )


def _alone(held: ParameterState, *, restore: bool) -> Keep | Remove:
    """The other region lacks the parameter: it was deleted there if both had this state, else it was not copied there
    yet. A copy of unknown origin existed there, too: copies are created with a marker, except one that was written over
    a deletion."""
    claim = _claim(held)
    is_deleted = held.is_settled or claim.change is None
    if is_deleted and not restore:
        return Remove(region=held.region)
    return Keep(
        change=claim.change or _own_change(held),
        content=claim.content,
        region=held.region,
        tags=held.tags,
        labels=held.labels,
        revived=held.marker is not None and not is_deleted,
    )


def _claim(held: ParameterState) -> _Claim:
    if held.marker and held.is_settled:
        return _Claim(held=held, content=held.content, change=held.marker.change, fresh=False)
    if not held.by_sync:
        return _Claim(held=held, content=held.content, change=_own_change(held), fresh=True)
    if found := held.overwritten:
        return _Claim(held=held, content=found.content, change=found.change, fresh=True, overwritten=True)
    return _Claim(held=held, content=held.content, change=None, fresh=False)


def _ranked(one: _Claim, other: _Claim) -> tuple[_Claim, _Claim]:
    """Winner, loser."""
    if _follows(one, other):
        return one, other
    if _follows(other, one):
        return other, one
    # An overwritten change may have lost before, to a change that is no longer recorded in the markers.
    by_time = bool(one.overwritten or other.overwritten)
    first, second = sorted((one, other), key=lambda claim: _rank(claim, by_time=by_time), reverse=True)
    return first, second


def _follows(one: _Claim, other: _Claim) -> bool:
    """Whether `one` was changed on top of the other's change: it is later, regardless of the clocks."""
    marker = one.held.marker
    return one.fresh and marker is not None and marker.change == other.change


def _rank(claim: _Claim, *, by_time: bool) -> tuple[bool, bool, tuple[int, int, str], bool, tuple[int, str]]:
    """A change ranks above the common state before it, and that above a copy of unknown origin. Of two sides with the
    same change, the region that made it ranks higher."""
    change = claim.change
    order = change.order if change else (0, 0, "")
    is_origin = change is not None and change.region == claim.held.region
    return (change is not None, claim.fresh and not by_time, order, is_origin, (claim.held.at, claim.held.region))


def _own_change(held: ParameterState) -> Change:
    return Change(at=held.at, version=held.version, region=held.region)


def _base(one: ParameterState, other: ParameterState) -> tuple[str | None, str | None]:
    """Digests of the tags and labels of the last common state."""
    markers = [held.marker for held in (one, other) if held.marker]
    if not markers:
        return None, None
    newest = max(markers, key=lambda marker: (marker.change.order, marker.set_at, marker.tags, marker.labels))
    return newest.tags, newest.labels


def _merge(winner: Facet, loser: Facet, base: str | None) -> Facet:
    """The side that changed since the common state; the winner's if both did, or if there was no common state."""
    return loser if base is not None and digest(winner) == base else winner
