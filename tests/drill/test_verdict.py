"""The verdict: one broken expectation is enough, and the exit status says of which kind."""

from typing import Any

import pytest

from drill import verdict
from drill.measures import Interruption
from drill.verdict import Measured
from drill.verify import Verification

ALL_WELL = Verification(
    acknowledged=100,
    in_journal=100,
    in_journal_by_region={"us-east-1": 100, "us-east-2": 100},
    unconfirmed=0,
    lost=(),
    duplicated=(),
)


def measured(**changes: Any) -> Measured:
    good: dict[str, Any] = {
        "rto_limit": 4.4,
        "interruptions": [Interruption(start=10.0, end=14.0)],
        "load_ended": 60.0,
        "failed_before_outage": 0,
        "survivor": "us-east-2",
        "answered_by_survivor": 500,
        "calls_refused": 12,
        "shed": 0,
        "given_up": 0,
        "verification": ALL_WELL,
        "not_restored": None,
        "left_behind": (),
        "blind": (),
    }
    return Measured(**(good | changes))


def lost(*sentences: str) -> Verification:
    return Verification(**(vars(ALL_WELL) | {"lost": sentences, "in_journal": 99}))


def doubled(*sentences: str) -> Verification:
    return Verification(**(vars(ALL_WELL) | {"duplicated": sentences}))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as it must be"),
        pytest.param({"interruptions": []}, id="nobody noticed the outage"),
        pytest.param(
            {"interruptions": [Interruption(start=10, end=14), Interruption(start=40, end=40.5)]},
            id="a short hiccup when the region returns",
        ),
        pytest.param(
            {"interruptions": [Interruption(start=10, end=14), Interruption(start=59.5, end=None)]},
            id="a failure so late that nothing steady could follow",
        ),
        pytest.param({"interruptions": [Interruption(start=10, end=14.4004)]}, id="at the limit, to the millisecond"),
    ],
)
def test_a_run_that_meets_everything_passes(changes: dict[str, Any]) -> None:
    checks = verdict.checks(measured(**changes))

    assert verdict.verdict(checks) == ("passed", None)
    assert verdict.exit_status(checks) == 0


@pytest.mark.parametrize(
    ("changes", "word", "status", "named"),
    [
        (
            {"verification": lost("x is absent")},
            "failed",
            1,
            "no acknowledged payment is lost: expected 0 lost, found 1",
        ),
        ({"verification": doubled("x was paid 2 times")}, "failed", 1, "no payment is made twice"),
        (
            {"interruptions": [Interruption(start=10.0, end=14.401)]},
            "failed",
            1,
            "payments are accepted again in time: expected at most 4.400 s, found 4.401 s",
        ),
        (
            {"interruptions": [Interruption(start=10.0, end=None)]},
            "failed",
            1,
            "payments are accepted again in time: expected at most 4.400 s, found not restored",
        ),
        (
            {"interruptions": [Interruption(start=10, end=12), Interruption(start=40, end=45)]},
            "failed",
            1,
            "service stays restored",
        ),
        (
            {"interruptions": [Interruption(start=10, end=12), Interruption(start=50, end=None)]},
            "failed",
            1,
            "service stays restored",
        ),
        ({"answered_by_survivor": 0}, "failed", 1, "traffic moves to the other region by itself"),
        ({"given_up": 2}, "failed", 1, "every client is told in the end: expected 0 gave up, found 2"),
        ({"failed_before_outage": 1}, "deviated", 1, "nothing failed before the outage"),
        ({"calls_refused": 0}, "deviated", 1, "the region was really away"),
        ({"shed": 3}, "deviated", 1, "the load kept its schedule"),
        ({"blind": ("at 3 s no answer",)}, "deviated", 1, "the system could be watched throughout"),
        ({"not_restored": "targets: 0 of 1"}, "deviated", 3, "the steady state returns"),
        ({"left_behind": ("postgres (12)",)}, "deviated", 3, "no process is left behind"),
        ({"not_restored": "x", "verification": lost("x")}, "failed", 3, "no acknowledged payment is lost"),
        ({"shed": 3, "given_up": 1}, "failed", 1, "every client is told in the end"),
    ],
)
def test_each_broken_expectation_shows_in_verdict_status_and_name(
    changes: dict[str, Any], word: str, status: int, named: str
) -> None:
    checks = verdict.checks(measured(**changes))

    found, first_broken = verdict.verdict(checks)
    assert found == word
    assert first_broken is not None
    assert first_broken.startswith(named)
    assert verdict.exit_status(checks) == status


def test_a_run_in_which_nobody_was_acknowledged_proves_nothing() -> None:
    nobody = Verification(**(vars(ALL_WELL) | {"acknowledged": 0, "in_journal": 0}))

    assert verdict.verdict(verdict.checks(measured(verification=nobody)))[0] == "failed"
