"""The verdict on expectations of single scenarios, also where nothing may happen."""

from dataclasses import replace
from typing import Any

import pytest

from drill.model.objectives import NoTakeOver, Objectives, Service, TakeOver
from drill.observe.sentinel_log import Decision
from drill.verdict.interruptions import Interruption
from drill.verdict.writers import PromotionLoss
from shared.places import Place
from tests.drill.verdicts import (
    FAILBACK,
    HELD,
    LOST_AT,
    NOTHING_TO_PROMOTE,
    OBJECTIVES,
    SWITCHED_OVER,
    failover,
    judged,
)

QUIET = Objectives(
    service=Service(interrupted=False, serves_both=True),
    take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"witness-peer-up"})),
    is_lost=False,
)
HOLDS = Decision(at=LOST_AT, region="us-east-2", verdict="hold", reason="witness-peer-up")
CALM: dict[str, Any] = {
    "interruptions": (),
    "answered_meanwhile": {"us-east-1": 9, "us-east-2": 9},
    "calls_refused": 0,
    "runs": (),
    "decisions": (HOLDS,),
}


def test_where_nothing_must_happen_nothing_passes() -> None:
    assert judged(QUIET, **CALM) == ("passed", 0, None)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"runs": (HELD,)},
            "no failover begins: expected no run of a workflow, found failover drill-failover-2 in us-east-2",
        ),
        (
            {"decisions": (replace(HOLDS, reason="cool-down"),)},
            "the sentinel of us-east-2 holds for the expected reason: expected witness-peer-up, found cool-down",
        ),
        (
            {"decisions": (replace(HOLDS, region="us-east-1"),)},
            "the sentinel of us-east-2 holds for the expected reason",
        ),
        ({"decisions": (replace(HOLDS, verdict="act"),)}, "the sentinel of us-east-2 holds for the expected reason"),
        (
            {"interruptions": (Interruption(start=10, end=10.2), Interruption(start=20, end=21.1))},
            "service continues without an interruption: expected none above 1.00 s, found 2, the longest 1.10 s",
        ),
        (
            {"answered_meanwhile": {"us-east-1": 9}},
            "both regions serve their clients: expected answers from both, found 9 from us-east-1, 0 from us-east-2",
        ),
    ],
)
def test_where_nothing_must_happen_everything_fails(changes: dict[str, Any], named: str) -> None:
    word, status, first_broken = judged(QUIET, **(CALM | changes))

    assert first_broken is not None
    assert first_broken.startswith(named)
    assert (word, status) == ("failed", 1)


def with_take_over(**changes: Any) -> Objectives:
    return replace(OBJECTIVES, take_over=TakeOver(lost=Place.PRIMARY, **changes))


@pytest.mark.parametrize(
    ("objectives", "good", "bad", "named"),
    [
        (
            with_take_over(loses_rows=True),
            {"promotion_loss": PromotionLoss(had=90, lost=30, brought_back=30)},
            {"promotion_loss": PromotionLoss(had=90, lost=30, brought_back=29)},
            "the replay restores the rows that the promotion lost: expected rows lost, and all of them restored, found "
            "30 of 90 rows lost, 29 restored",
        ),
        (
            with_take_over(by_switchover=True),
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            {"runs": (failover(), FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            "the database is switched over, and loses no row: expected switchover, 0 rows lost, found promotion, 0 of "
            "90 rows lost",
        ),
        (
            with_take_over(by_switchover=True),
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=1, brought_back=1)},
            "the database is switched over, and loses no row: expected switchover, 0 rows lost, found switchover, 1 of "
            "90 rows lost",
        ),
        (
            with_take_over(by_switchover=True),
            {"runs": (SWITCHED_OVER, FAILBACK), "promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            {"runs": (SWITCHED_OVER, FAILBACK)},
            "the database is switched over, and loses no row: expected switchover, 0 rows lost, found switchover, no "
            "snapshot of the ledger",
        ),
        (
            with_take_over(loses_rows=True),
            {"promotion_loss": PromotionLoss(had=90, lost=1, brought_back=1)},
            {"promotion_loss": PromotionLoss(had=90, lost=0, brought_back=0)},
            "the replay restores the rows",
        ),
        (
            with_take_over(by_sentinel=False, requested=2),
            {"runs": (failover(), HELD, FAILBACK)},
            {"runs": (failover(), FAILBACK)},
            "exactly one failover takes place, and succeeds: expected 1 run succeeds of 2 or more that were started",
        ),
        (
            with_take_over(promotes=False),
            {"runs": (NOTHING_TO_PROMOTE, FAILBACK), "promoted_at": None},
            {"runs": (failover(), FAILBACK), "promoted_at": None},
            "the ledger is drained in time, apart from",
        ),
        (
            OBJECTIVES,
            {"planned_second_runs": 2, "second_runs": ({"primary": [], "global": []},) * 2},
            {
                "planned_second_runs": 2,
                "second_runs": ({"primary": [], "global": []}, {"primary": [], "global": ["updated: x"]}),
            },
            "running the stack programs again changes nothing: expected 0 changes, 2 times, found changes: primary 0, "
            "global 0; primary 0, global 1 (updated: x)",
        ),
        (
            OBJECTIVES,
            {"planned_second_runs": 2, "second_runs": ({"global": []},) * 2},
            {"planned_second_runs": 2, "second_runs": ({"global": []},)},
            "running the stack programs again",
        ),
        (
            replace(OBJECTIVES, poisoned=2),
            {"reported_poison": {"poison-a": "lacks amount", "poison-b": "refused"}},
            {"reported_poison": {"poison-a": "lacks amount"}},
            "entries that cannot be posted become dead letters, with the reason: expected 2 reported, found poison-a",
        ),
        (
            replace(OBJECTIVES, poisoned=1),
            {"reported_poison": {"poison-a": "refused"}},
            {"reported_poison": {"poison-a": ""}},
            "entries that cannot be posted become dead letters",
        ),
    ],
)  # fmt: skip
def test_what_only_some_scenarios_must_show_is_seen_to_fail(
    objectives: Objectives, good: dict[str, Any], bad: dict[str, Any], named: str
) -> None:
    assert judged(objectives, **good) == ("passed", 0, None)

    word, status, first_broken = judged(objectives, **bad)
    assert first_broken is not None
    assert first_broken.startswith(named)
    assert (word, status) == ("failed", 1)
