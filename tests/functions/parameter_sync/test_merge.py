"""The order that both regions compute alike, row by row (docs/decisions/0008-parameters-in-two-regions.md).

Each row is evaluated both ways round: the result is the same in either region.
"""

from dataclasses import replace
from typing import Any

import pytest
from parameter_sync.merge import Keep, LostChange, Remove, decide
from parameter_sync.parameter import (
    Change,
    Content,
    Overwritten,
    ParameterState,
    SyncMarker,
    digest,
    read_marker,
    write_marker,
)

from tests.functions.harness import EAST_1, EAST_2

OF_1, OF_2 = Change(at=1000, version=7, region=EAST_1), Change(at=2000, version=3, region=EAST_2)


def held(region: str, value: str, *, version: int, at: int, **more: Any) -> ParameterState:
    content = Content(value=value, type="String")
    given = {"by_sync": False, "tags": {}, "labels": frozenset[str](), **more}
    return ParameterState(region=region, content=content, version=version, at=at, **given)


def marker(change: Change, *, here: int) -> SyncMarker:
    return SyncMarker(version=here, change=change, tags=digest({}), labels=digest(frozenset()), set_at=1)


def kept(one: ParameterState | None, other: ParameterState | None) -> Keep:
    """The same both ways round."""
    verdict, turned = decide(one, other), decide(other, one)
    assert verdict == turned
    assert isinstance(verdict, Keep)
    return verdict


def own(region: str, value: str = "own", **more: Any) -> ParameterState:
    """Changed by a person: in us-east-1 that is OF_1, in us-east-2 OF_2."""
    change = OF_1 if region == EAST_1 else OF_2
    return held(region, value, **{"version": change.version, "at": change.at, **more})


def test_what_changed_since_the_common_state_beats_what_did_not() -> None:
    copied = held(EAST_2, "old", version=9, at=9000, by_sync=True, marker=marker(OF_1, here=9))
    changed = own(EAST_1, "new", version=8, at=1500, marker=marker(OF_1, here=7))

    verdict = kept(changed, copied)

    assert (verdict.content.value, verdict.lost) == ("new", None)


@pytest.mark.parametrize("region", [EAST_1, EAST_2])
def test_a_change_that_followed_the_other_comes_after_it_at_any_clock_difference(region: str) -> None:
    known, place = (OF_2, EAST_2) if region == EAST_1 else (OF_1, EAST_1)
    knew = held(region, "knew", version=5, at=1, marker=marker(known, here=4))

    verdict = kept(knew, own(place))

    assert (verdict.content.value, verdict.lost) == ("knew", None)


def test_of_two_that_were_concurrent_the_later_wins() -> None:
    verdict = kept(own(EAST_1, "earlier"), own(EAST_2, "later"))

    assert (verdict.content.value, verdict.change) == ("later", OF_2)
    assert verdict.lost == LostChange(region=EAST_1, version=7)


def test_equal_changes_are_no_conflict() -> None:
    assert kept(own(EAST_1, "same"), own(EAST_2, "same")).lost is None


@pytest.mark.parametrize("at", [1, 10_000_000])
def test_a_copy_of_unknown_origin_never_wins_however_late_it_was_written(at: int) -> None:
    stale = held(EAST_2, "stale", version=4, at=at, by_sync=True, marker=marker(OF_2, here=3))

    verdict = kept(own(EAST_1, "right"), stale)

    assert (verdict.content.value, verdict.lost) == ("right", None)


def test_a_later_change_under_a_copy_is_found_in_the_history_and_comes_back() -> None:
    buried = Overwritten(change=replace(OF_2, version=4), content=Content(value="buried", type="String"))
    written_over = held(EAST_2, "copy", version=5, at=3000, by_sync=True, overwritten=buried)

    verdict = kept(own(EAST_1, "copy", marker=marker(OF_1, here=7)), written_over)

    assert (verdict.content.value, verdict.region) == ("buried", EAST_2)


def test_an_earlier_change_under_a_copy_stays_in_the_history() -> None:
    buried = Overwritten(change=Change(at=1, version=4, region=EAST_2), content=Content(value="old", type="String"))
    written_over = held(EAST_2, "copy", version=5, at=3000, by_sync=True, overwritten=buried)

    assert kept(own(EAST_1, "right", marker=marker(OF_1, here=7)), written_over).content.value == "right"


@pytest.mark.parametrize("by_sync", [True, False])
def test_what_both_had_and_one_side_lacks_was_deleted_there(by_sync: bool) -> None:
    common = own(EAST_1, by_sync=by_sync, marker=marker(OF_1, here=7))

    assert decide(common, None) == decide(None, common) == Remove(region=EAST_1)


def test_a_copy_written_over_a_deletion_goes_again() -> None:
    assert decide(own(EAST_1, by_sync=True), None) == Remove(region=EAST_1)


def test_what_was_never_copied_is_new() -> None:
    assert not kept(own(EAST_1), None).revived


def test_what_changed_since_both_had_it_outlives_its_deletion_on_the_other_side() -> None:
    assert kept(own(EAST_1, marker=marker(OF_1, here=6)), None).revived


def test_nowhere_is_nothing_to_do() -> None:
    assert decide(None, None) is None


@pytest.mark.parametrize(
    ("there", "here", "merged"),
    [
        ({"Owner": "me"}, {}, {"Owner": "me"}),
        ({}, {"Owner": "you"}, {"Owner": "you"}),
        ({"Owner": "me"}, {"Owner": "you"}, {"Owner": "me"}),
    ],
)
def test_tags_are_whose_changed_since_the_common_state_and_the_winners_if_both_did(
    there: dict[str, str], here: dict[str, str], merged: dict[str, str]
) -> None:
    winner = own(EAST_2, "new", version=4, tags=there, marker=marker(OF_2, here=3))
    loser = held(EAST_1, "old", version=8, at=1, by_sync=True, tags=here, marker=marker(OF_2, here=8))

    assert kept(winner, loser).tags == merged


def test_a_marker_is_read_as_it_was_written_and_fits_a_tag() -> None:
    written = write_marker(marker(OF_1, here=123456))

    assert read_marker(written) == marker(OF_1, here=123456)
    assert len(written) <= 256


@pytest.mark.parametrize("text", [None, "", "v1", "v1 here=x", "v2 here=1 from=us-east-1/1/1 tags=a labels=a set=1"])
def test_a_malformed_marker_is_none(text: str | None) -> None:
    assert read_marker(text) is None
