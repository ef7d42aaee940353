"""The return of a fenced region to service: its conditions, and after how long."""

from dataclasses import replace
from typing import Any

import pytest
from sentinel.returning import ReturnTimer, can_return

from common.control.records import ControlRecords, RegionRecord, RegionState, WriterRecord
from common.control.rules import View, Witness
from tests.functions.harness import EAST_1, EAST_2

FENCE = RegionRecord(state=RegionState.FENCED, epoch=1, by=f"failover-{EAST_1}-0-0-0")
AFTER = ControlRecords(own=RegionRecord(), peer=FENCE, writer=WriterRecord(region=EAST_2, epoch=1))
FENCED = {"load-balancer": "fenced", "api": "fenced"}


def view(**changed: Any) -> View:
    """Of the survivor in us-east-2, while the region that it fenced answers again."""
    calm = View(region=EAST_2, at=0.0, own=AFTER, peer=AFTER, memory=None, witness=Witness.UP)
    return replace(calm, **changed)


def test_a_fenced_region_that_is_well_can_return() -> None:
    assert can_return(view(), FENCED)


@pytest.mark.parametrize(
    ("seen", "health"),
    [
        (view(peer=None), FENCED),
        (view(own=None), FENCED),
        (view(), {"load-balancer": "fenced", "api": "status 503"}),
        (view(), {"load-balancer": "ok", "api": "ok"}),
        (view(), {}),
        (view(own=replace(AFTER, writer=WriterRecord(region=EAST_1)), peer=None), FENCED),
        (view(own=replace(AFTER, writer=WriterRecord(region=EAST_1, epoch=2))), FENCED),
        (view(own=replace(AFTER, own=replace(FENCE, epoch=2))), FENCED),
        (view(peer=replace(AFTER, writer=WriterRecord(region=EAST_1))), FENCED),
        (view(own=replace(AFTER, peer=replace(FENCE, by="by-hand-planned-1", epoch=2))), FENCED),
    ],
    ids=[
        "its journal is silent",
        "the own journal is silent",
        "one endpoint fails",
        "it does not know of the fence",
        "not probed",
        "silent, and it is the writer",
        "it is the writer",
        "the own region is fenced",
        "its replica is behind",
        "an operator fenced it",
    ],
)
def test_it_cannot_otherwise(seen: View, health: dict[str, str]) -> None:
    assert not can_return(seen, health)


def test_it_returns_after_the_wait_and_is_tried_again_after_another() -> None:
    timer = ReturnTimer(wait=600, gap=110)

    due = [at for at in range(0, 1900, 5) if timer.is_due(at, ready=True)]

    assert due == [600, 1200, 1800]


def test_a_relapse_and_a_gap_start_the_wait_again() -> None:
    timer = ReturnTimer(wait=20, gap=110)
    assert not timer.is_due(0, ready=True)
    assert not timer.is_due(10, ready=False)
    assert not timer.is_due(20, ready=True)
    assert not timer.is_due(200, ready=True)
    assert timer.is_due(220, ready=True)


def test_without_a_wait_it_never_returns() -> None:
    timer = ReturnTimer(wait=0, gap=110)

    assert not any(timer.is_due(at, ready=True) for at in range(0, 10_000, 50))
