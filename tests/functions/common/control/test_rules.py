"""The state table of the control rules, a test per row, and a cell's memory from one observation to the next."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from common.clock import timestamp
from common.control.records import ControlRecords, RegionRecord, RegionState, WriterRecord, newest
from common.control.rules import (
    TABLE,
    Memory,
    Reason,
    Times,
    View,
    Vouched,
    Witness,
    decide,
    may_claim_writer,
    may_take_over,
    remember,
)
from tests.functions.harness import EAST_1, EAST_2

TIMES = Times()
NOW = 1000.0
CALM = ControlRecords(own=RegionRecord(), peer=RegionRecord(), writer=WriterRecord(region=EAST_1))
FENCED = RegionRecord(state=RegionState.FENCED, epoch=1)
STRANGE = RegionRecord(state=RegionState.UNKNOWN, epoch=1)


def memory(**changed: Any) -> Memory:
    """Of a cell that observed, was confirmed, and was called by a health checker a second ago."""
    return replace(Memory(known=CALM, vouched_at=NOW - 1, seen_at=NOW - 1, checked_at=NOW - 1), **changed)


def view(**changed: Any) -> View:
    """Of the writer's cell while all is well."""
    calm = View(region=EAST_1, at=NOW, own=CALM, peer=CALM, memory=memory(), witness=Witness.UP)
    return replace(calm, **changed)


def records(**changed: Any) -> ControlRecords:
    return replace(CALM, **changed)


def bound(*, claimed: float) -> ControlRecords:
    """The peer is fenced, and this region claimed the writer after that, `claimed` seconds ago."""
    since = timestamp(datetime.fromtimestamp(NOW - claimed, UTC))
    return records(peer=FENCED, writer=WriterRecord(region=EAST_1, epoch=1, since=since))


LONG = TIMES.fenced_lease
AWAY = memory(seen_at=NOW - TIMES.away - 1, vouched_at=NOW - TIMES.away - 1)
ROWS: list[tuple[str, View, bool, bool, Reason]] = [
    ("its own journal is silent", view(own=None), False, False, Reason.JOURNAL_UNAVAILABLE),
    (
        "both regions are fenced, and it is the writer",
        view(own=records(own=FENCED, peer=FENCED)),
        True,
        False,
        Reason.BOTH_FENCED,
    ),
    (
        "both regions are fenced, and it is the reader",
        view(region=EAST_2, own=records(own=FENCED, peer=FENCED)),
        False,
        False,
        Reason.FENCED,
    ),
    ("it is fenced by its own replica", view(own=records(own=FENCED)), False, False, Reason.FENCED),
    ("only the peer's copy fences it", view(peer=records(own=FENCED)), False, False, Reason.FENCED),
    (
        "it remembers being fenced, and the peer is silent",
        view(peer=None, memory=memory(known=records(own=FENCED))),
        False,
        False,
        Reason.FENCED,
    ),
    (
        "it comes back from being away to a silent peer",
        view(peer=None, memory=AWAY, witness=Witness.DOWN),
        False,
        False,
        Reason.RETURNING,
    ),
    (
        "it made no observation for long, and the witness noticed nothing",
        view(peer=None, memory=AWAY),
        True,
        False,
        Reason.CUT_OFF,
    ),
    (
        "it came back a moment ago, and the peer is still silent",
        view(peer=None, memory=memory(vouched_at=None, back_at=NOW - 5), witness=Witness.SILENT),
        False,
        False,
        Reason.RETURNING,
    ),
    (
        "it has waited long enough for its peer",
        view(peer=None, memory=memory(vouched_at=None, back_at=NOW - TIMES.grace)),
        True,
        False,
        Reason.CUT_OFF,
    ),
    ("it comes back and the peer answers", view(memory=AWAY), True, True, Reason.CONFIRMED),
    (
        "two records of one epoch name different writers",
        view(
            own=records(writer=WriterRecord(region=EAST_1, epoch=3)),
            peer=records(writer=WriterRecord(region=EAST_2, epoch=3)),
        ),
        True,
        False,
        Reason.WRITER_DISPUTED,
    ),
    ("the other region is the writer", view(region=EAST_2), True, False, Reason.READER),
    (
        "only the peer knows of the new writer",
        view(peer=records(writer=WriterRecord(region=EAST_2, epoch=1))),
        True,
        False,
        Reason.READER,
    ),
    ("nobody understands its own record", view(own=records(own=STRANGE)), True, False, Reason.STATE_UNKNOWN),
    ("the peer confirms, the witness contradicts", view(witness=Witness.DOWN), True, True, Reason.CONFIRMED),
    ("the witness contradicts", view(peer=None, witness=Witness.DOWN), True, False, Reason.WITNESS_DOWN),
    ("the peer confirms, the witness agrees", view(), True, True, Reason.CONFIRMED),
    ("the peer confirms, the witness is silent", view(witness=Witness.SILENT), True, True, Reason.CONFIRMED),
    ("nobody answers", view(peer=None, witness=Witness.SILENT), True, False, Reason.PEER_AND_WITNESS_SILENT),
    (
        "nobody answers, though the peer is fenced",
        view(peer=None, witness=Witness.SILENT, own=records(peer=FENCED)),
        True,
        False,
        Reason.PEER_AND_WITNESS_SILENT,
    ),
    (
        "it claimed the writer after it fenced the peer, and was last confirmed minutes ago",
        view(peer=None, own=bound(claimed=9 * LONG), memory=memory(vouched_at=NOW - LONG, checked_at=None)),
        True,
        True,
        Reason.PEER_BOUND,
    ),
    (
        "it claimed the writer minutes ago, and its chain was broken before",
        view(peer=None, own=bound(claimed=LONG), memory=memory(vouched_at=None), witness=Witness.DOWN),
        True,
        True,
        Reason.PEER_BOUND,
    ),
    (
        "it claimed the writer after it fenced the peer, and was last confirmed too long ago",
        view(peer=None, own=bound(claimed=9 * LONG), memory=memory(vouched_at=NOW - LONG - 0.1)),
        True,
        False,
        Reason.CUT_OFF,
    ),
    (
        "it claimed the writer too long ago, and its chain is broken",
        view(peer=None, own=bound(claimed=LONG + 0.1), memory=memory(vouched_at=None)),
        True,
        False,
        Reason.CUT_OFF,
    ),
    (
        "the time of its claim is malformed",
        view(
            peer=None,
            own=records(peer=FENCED, writer=WriterRecord(region=EAST_1, epoch=1, since="soon")),
            memory=memory(vouched_at=None),
        ),
        True,
        False,
        Reason.CUT_OFF,
    ),
    (
        "it was the writer already when it fenced the peer, which may not have received that",
        view(peer=None, own=records(peer=FENCED), memory=memory(vouched_at=NOW - TIMES.lease - 1)),
        True,
        False,
        Reason.CUT_OFF,
    ),
    (
        "the witness is up, but no health checker has called",
        view(peer=None, memory=memory(checked_at=None)),
        True,
        False,
        Reason.UNCHECKED,
    ),
    (
        "the last call of a health checker is older than the lease",
        view(peer=None, memory=memory(checked_at=NOW - TIMES.lease - 0.1)),
        True,
        False,
        Reason.UNCHECKED,
    ),
    (
        "a health checker called this process a moment ago",
        view(peer=None, memory=memory(checked_at=None), checked_at=NOW - 1),
        True,
        True,
        Reason.WITNESS_VOUCHED,
    ),
    (
        "the last good word is older than the lease",
        view(peer=None, memory=memory(vouched_at=NOW - TIMES.lease - 0.1)),
        True,
        False,
        Reason.CUT_OFF,
    ),
    ("it heard a bad word since", view(peer=None, memory=memory(vouched_at=None)), True, False, Reason.CUT_OFF),
    ("it never reached its peer", view(peer=None, memory=None), True, False, Reason.CUT_OFF),
    ("the witness has vouched for it all along", view(peer=None), True, True, Reason.WITNESS_VOUCHED),
]


@pytest.mark.parametrize(("seen", "healthy", "may_post", "reason"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_a_row_of_the_table(seen: View, healthy: bool, may_post: bool, reason: Reason) -> None:
    decision = decide(seen)

    assert (decision.healthy, decision.may_post, decision.reason) == (healthy, may_post, reason)


def test_every_row_has_a_test() -> None:
    assert {row[4] for row in ROWS} == {*Reason}
    assert {row.reason for row in TABLE} == {*Reason} - {Reason.JOURNAL_UNAVAILABLE}


def test_a_decision_names_the_newest_writer_and_its_epoch() -> None:
    named = records(writer=WriterRecord(region=EAST_2, epoch=7))

    assert (decide(view(peer=named)).writer, decide(view(peer=named)).epoch) == (EAST_2, 7)
    assert decide(view(own=None)).writer is None


def test_of_two_records_with_one_epoch_the_fence_holds() -> None:
    active = records(own=RegionRecord(state=RegionState.ACTIVE, epoch=1))
    fenced = records(own=FENCED)

    assert newest(active, fenced).own is newest(fenced, active).own is FENCED
    assert newest(fenced, records(own=RegionRecord(state=RegionState.ACTIVE, epoch=2))).own.epoch == 2


def observations(*seen: tuple[float, ControlRecords | None, Witness]) -> View:
    """The view of a cell that observed at these times, at its last one; it starts with `memory()`. Health checkers call
    it whenever the witness reports it up."""
    kept: Memory | None = memory()
    for at, peer, witness in seen:
        now = view(at=at, peer=peer, witness=witness, memory=kept, checked_at=at if witness is UP else None)
        assert now.records
        kept = remember(now, now.records)
    return now


UP, DOWN, SILENT = Witness.UP, Witness.DOWN, Witness.SILENT


def test_a_survivor_posts_for_as_long_as_the_witness_vouches() -> None:
    hours = [(NOW + 10 * i, None, UP) for i in range(1000)]

    assert decide(observations(*hours)).may_post


def test_a_short_silence_of_the_witness_does_not_break_the_chain() -> None:
    assert decide(observations((NOW, None, UP), (NOW + 7, None, SILENT), (NOW + 14, None, UP))).may_post


@pytest.mark.parametrize("bad", [DOWN, SILENT])
def test_a_broken_chain_stays_broken_until_the_peer_answers(bad: Witness) -> None:
    broken = [(NOW + i, None, bad) for i in range(1, 22, 5)]

    assert decide(observations(*broken, (NOW + 22, None, UP))).reason is Reason.CUT_OFF
    assert decide(observations(*broken, (NOW + 22, None, UP), (NOW + 3600, CALM, UP))).may_post
    assert decide(observations(*broken, (NOW + 22, CALM, UP), (NOW + 23, None, UP))).may_post


def test_a_gap_between_calls_of_health_checkers_breaks_the_chain() -> None:
    assert decide(observations((NOW, None, UP), (NOW + TIMES.lease + 0.1, None, UP))).reason is Reason.CUT_OFF
    assert (
        decide(observations((NOW, None, UP), (NOW + 14, None, SILENT), (NOW + 16, None, UP))).reason is Reason.CUT_OFF
    )


def test_a_cell_that_comes_back_waits_for_its_peer_and_not_for_ever() -> None:
    back = NOW + TIMES.away + 1
    steps = [(back + i, None, DOWN) for i in range(0, int(TIMES.grace) + 1, 2)]

    assert decide(observations(*steps[:1])).reason is Reason.RETURNING
    assert decide(observations(*steps[:-1])).reason is Reason.RETURNING
    assert decide(observations(*steps)).healthy
    assert decide(observations(*steps[:1], (back + 1, CALM, DOWN), (back + 2, None, DOWN))).healthy


def test_the_peers_last_response_is_kept_when_it_stops_responding() -> None:
    assert decide(observations((NOW, records(own=FENCED), UP), (NOW + 1, None, UP))).reason is Reason.FENCED


@pytest.mark.parametrize(
    ("seen", "allowed"),
    [
        (view(), True),
        (view(peer=None), True),
        (view(region=EAST_2, peer=None), True),
        (view(peer=None, memory=memory(vouched_at=None)), True),
        (view(peer=None, memory=memory(checked_at=None)), False),
        (view(witness=Witness.SILENT), False),
        (view(witness=Witness.DOWN), False),
        (view(own=records(own=FENCED)), False),
        (view(own=None), False),
    ],
)
def test_only_a_cell_that_is_well_takes_over(seen: View, allowed: bool) -> None:
    assert may_take_over(seen, decide(seen)) is allowed


def may_claim(**given: Any) -> bool:
    nothing: dict[str, Any] = {
        "seconds_fenced": 1000.0,
        "seconds_peer_fenced": 0.0,
        "seconds_down": 0.0,
        "may_be_fenced": False,
        "vouched": Vouched.NOTHING,
    }
    return may_claim_writer(**{**nothing, **given}, times=TIMES)


def test_nobody_claims_the_writer_before_the_other_has_surely_stopped() -> None:
    assert TIMES.settle == 40
    assert not may_claim(seconds_down=39.9)
    assert may_claim(seconds_down=40)
    assert not may_claim(seconds_peer_fenced=4.9)
    assert may_claim(seconds_peer_fenced=5)


def test_a_region_that_may_be_fenced_waits_for_the_long_lease_of_its_peer() -> None:
    assert TIMES.fenced_settle == 325
    assert not may_claim(seconds_down=324.9, may_be_fenced=True)
    assert may_claim(seconds_down=325, may_be_fenced=True)
    assert may_claim(seconds_peer_fenced=5, may_be_fenced=True)


def test_an_operators_word_replaces_the_witness_but_not_the_time() -> None:
    assert not may_claim(vouched=Vouched.PEER_DOWN, seconds_fenced=39.9)
    assert may_claim(vouched=Vouched.PEER_DOWN, seconds_fenced=40)
    assert not may_claim(vouched=Vouched.PEER_DOWN, seconds_fenced=324.9, may_be_fenced=True)
    assert may_claim(vouched=Vouched.PEER_DOWN, seconds_fenced=325, may_be_fenced=True)


@pytest.mark.parametrize(
    ("seen", "may_be"),
    [
        (view(), False),
        (view(peer=None), False),
        (view(own=records(own=FENCED)), True),
        (view(peer=None, memory=memory(vouched_at=None)), True),
        (view(own=None), True),
    ],
)
def test_a_region_that_is_cut_off_may_be_fenced_unnoticed(seen: View, *, may_be: bool) -> None:
    assert seen.may_be_fenced is may_be


@pytest.mark.parametrize(
    ("seen", "vouched_at"),
    [
        (view(peer=None, checked_at=NOW), NOW),
        (view(peer=None, checked_at=NOW, witness=Witness.SILENT), NOW),
        (view(peer=None, memory=memory(checked_at=None)), NOW - 1),
        (view(peer=None, checked_at=NOW, witness=Witness.DOWN), None),
        (view(peer=None, checked_at=NOW, witness=Witness.DOWN, own=bound(claimed=9)), NOW - 1),
        (view(peer=None, own=bound(claimed=9), memory=memory(vouched_at=None, checked_at=None)), NOW - 9),
        (view(peer=None, checked_at=NOW, witness=Witness.DOWN, own=records(peer=FENCED)), None),
        (view(peer=None, own=bound(claimed=999), memory=memory(vouched_at=NOW - 301)), None),
        (view(peer=None, memory=memory(vouched_at=None)), None),
    ],
    ids=[
        "up",
        "silent",
        "unchecked",
        "down",
        "down, claimed",
        "claimed",
        "down, fenced only",
        "too long ago",
        "broken",
    ],
)
def test_the_chain_of_confirmations(seen: View, vouched_at: float | None) -> None:
    assert seen.records
    assert remember(seen, seen.records).vouched_at == vouched_at
