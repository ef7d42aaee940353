"""The sentinel's decision, row by row."""

from dataclasses import replace

import pytest
from sentinel.decision import CALM, TABLE, Act, Evidence, Hold, OwnRegion, Rounds, Runs, decide

from common.control.records import ControlRecords, RegionRecord, RegionState, WriterRecord
from common.control.rules import Witness

HERE, IN_SYNC = "us-east-2", "us-east-1"
ACTIVE = RegionRecord(state=RegionState.ACTIVE, epoch=2)
FENCED = RegionRecord(state=RegionState.FENCED, epoch=3)
FAILING = Rounds(seen=5, failed=4, needed=4, last={"api": "status 503", "load-balancer": "ConnectTimeoutError"})
OWN = OwnRegion(fit=True, reason="", endpoints={"api": "ok"}, any_endpoint_alive=True)


def records(own: RegionRecord = ACTIVE, peer: RegionRecord = ACTIVE, writer: str = IN_SYNC) -> ControlRecords:
    return ControlRecords(own=own, peer=peer, writer=WriterRecord(region=writer, epoch=1))


LOST = Evidence(
    rounds=FAILING,
    region=HERE,
    own=OWN,
    records=records(),
    witness_own=Witness.UP,
    witness_peer=Witness.DOWN,
    runs=Runs(),
    seconds_since_change=600.0,
    cool_down_seconds=300.0,
    retry_seconds=60.0,
    retry_max_seconds=900.0,
)

HOLDS = {
    Hold.PEER_ANSWERS: replace(LOST, rounds=replace(FAILING, failed=0)),
    Hold.NOT_ENOUGH_FAILURES: replace(LOST, rounds=replace(FAILING, failed=3)),
    Hold.OWN_JOURNAL: replace(LOST, records=None),
    Hold.OWN_FENCED: replace(LOST, records=records(own=FENCED)),
    Hold.ALREADY: replace(LOST, records=records(peer=FENCED, writer=HERE)),
    Hold.RUNS_UNKNOWN: replace(LOST, runs=None),
    Hold.RUNNING: replace(LOST, runs=Runs(in_progress="failover-us-east-1-2-1-0")),
    Hold.DECLINED: replace(LOST, runs=Runs(unfinished=True, declined=True, seconds_since_attempt=600.0)),
    Hold.OVERLOADED: replace(
        LOST,
        rounds=replace(FAILING, overloaded=1),
        peer_journal=True,
        overload_seconds=599.0,
        overload_limit_seconds=600.0,
    ),
    Hold.OWN_ENDPOINTS: replace(LOST, own=replace(OWN, any_endpoint_alive=False)),
    Hold.WITNESS_OWN_DOWN: replace(LOST, witness_own=Witness.DOWN),
    Hold.WITNESS_UP: replace(LOST, witness_peer=Witness.UP),
    Hold.WITNESS_SILENT: replace(LOST, witness_peer=Witness.SILENT),
    Hold.OWN_UNFIT: replace(LOST, own=replace(OWN, fit=False)),
    Hold.COOL_DOWN: replace(LOST, seconds_since_change=299.0),
    Hold.RETRY_LATER: replace(LOST, runs=Runs(attempts=1, failed=1, seconds_since_attempt=59.0)),
}


def test_a_lost_peer_that_the_witness_calls_down_is_acted_upon() -> None:
    verdict = decide(LOST)

    assert (verdict.act, verdict.reason) == (True, Act.PEER_LOST)


@pytest.mark.parametrize("reason", HOLDS, ids=str)
def test_each_reason_alone_is_enough_to_hold(reason: Hold) -> None:
    verdict = decide(HOLDS[reason])

    assert (verdict.act, verdict.reason) == (False, reason)


def test_every_row_and_every_reason_has_its_test() -> None:
    assert {row.reason for row in TABLE} == set(HOLDS) == set(Hold)


OVERLOADED = HOLDS[Hold.OVERLOADED]


def test_overload_needs_attention() -> None:
    assert Hold.OVERLOADED not in CALM


@pytest.mark.parametrize(
    "evidence",
    [
        replace(OVERLOADED, overload_seconds=600.0),
        replace(OVERLOADED, peer_journal=False),
        replace(OVERLOADED, rounds=replace(FAILING, failed=5, overloaded=1)),
    ],
    ids=["for too long", "of a region whose journal does not answer either", "in too few rounds"],
)
def test_overload_is_a_loss(evidence: Evidence) -> None:
    assert decide(evidence).reason is Act.PEER_LOST


def test_overload_of_a_fenced_peer_does_not_stop_a_failover_half_way() -> None:
    assert decide(replace(OVERLOADED, records=records(peer=FENCED, writer=IN_SYNC))).reason is Act.UNFINISHED


def test_a_failover_that_stopped_half_way_is_taken_up_again() -> None:
    verdict = decide(replace(LOST, records=records(peer=FENCED, writer=IN_SYNC)))

    assert (verdict.act, verdict.reason) == (True, Act.UNFINISHED)


MOVED = replace(LOST, records=records(peer=FENCED, writer=HERE), seconds_since_change=10.0)


def test_a_failover_that_failed_after_it_moved_the_writer_is_finished_without_a_cool_down() -> None:
    left = Runs(unfinished=True, seconds_since_attempt=60.0)

    verdict = decide(replace(MOVED, runs=left))

    assert (verdict.act, verdict.reason) == (True, Act.UNFINISHED)


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (None, Hold.ALREADY),
        (Runs(unfinished=True, failed=1, seconds_since_attempt=59.0), Hold.RETRY_LATER),
        (Runs(unfinished=True, failed=3, attempts=3, seconds_since_attempt=239.0), Hold.RETRY_LATER),
    ],
)
def test_what_is_left_is_not_tried_without_a_pause(runs: Runs | None, reason: Hold) -> None:
    assert decide(replace(MOVED, runs=runs)).reason is reason


@pytest.mark.parametrize(
    ("failed", "minutes"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (6, 15), (50, 15), (10_000, 15)]
)
def test_failed_runs_are_followed_by_others_without_end_and_with_growing_pauses(failed: int, minutes: int) -> None:
    def after(seconds: float) -> Evidence:
        return replace(LOST, runs=Runs(attempts=failed, failed=failed, seconds_since_attempt=seconds))

    assert decide(after(60 * minutes - 1)).reason is Hold.RETRY_LATER
    assert decide(after(60 * minutes)).act


@pytest.mark.parametrize("reason", [Hold.COOL_DOWN, Hold.RETRY_LATER])
def test_waiting_ends(reason: Hold) -> None:
    later = replace(HOLDS[reason], seconds_since_change=300.0)
    if reason is Hold.RETRY_LATER:
        later = replace(later, runs=Runs(attempts=1, failed=1, seconds_since_attempt=60.0))

    assert decide(later).act


def test_a_region_that_never_changed_does_not_wait() -> None:
    assert decide(replace(LOST, seconds_since_change=None)).act


def test_losing_the_region_without_the_writer_is_acted_upon_too() -> None:
    assert decide(replace(LOST, records=records(writer=HERE))).act
