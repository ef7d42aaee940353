"""A switchover away from a region that is lost for clients: when it is tried, and when it is given up."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from recovery import context, lossless
from recovery.context import RecoveryContext, leaving_deadline
from recovery.operations import perform

from common.clock import Pace
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.recovery.aurora import Aurora
from tests.functions.recovery.settings import recovery_settings

NOW = datetime.now(UTC)


@pytest.fixture
def ctx() -> RecoveryContext:
    return replace(context.make_context(recovery_settings()), pace=Pace(now=lambda: NOW))


def tried(ctx: RecoveryContext, aurora: Aurora) -> dict[str, Any]:
    return perform({"operation": "try-switchover"}, replace(ctx, client=aurora, quick_client=aurora))


def followed(ctx: RecoveryContext, aurora: Aurora, *, waited: float) -> dict[str, Any]:
    since = (NOW - timedelta(seconds=waited)).isoformat()
    event = {"operation": "describe-switchover", "since": since}
    return perform(event, replace(ctx, client=aurora, quick_client=aurora))


def test_a_lost_region_whose_database_answers_is_left_by_a_switchover(ctx: RecoveryContext) -> None:
    aurora = Aurora(accepts_writes={EAST_1})

    found = tried(ctx, aurora)

    assert (found["state"], found["method"]) == ("started", "switchover")
    assert aurora.requested == [("switchover", EAST_1)], "a switchover is requested in the writer's region"


@pytest.mark.parametrize(
    ("aurora", "why"),
    [
        (Aurora(down={EAST_1}), "the member in us-east-1 does not answer: ConnectTimeoutError"),
        (
            Aurora(silent={("rds-data", EAST_1)}),
            "the member in us-east-1 does not answer: ConnectTimeoutError",
        ),
        (Aurora(), "the member in us-east-1 does not answer: DatabaseUnavailableException"),
        (Aurora(reads={EAST_1}), "the member in us-east-1 is a reader"),
        (
            Aurora(accepts_writes={EAST_1}, silent={("rds", EAST_1)}),
            "RDS in us-east-1 does not describe its member: ConnectTimeoutError",
        ),
        (Aurora(accepts_writes={EAST_1}, cluster_status="upgrading"), "the member in us-east-1 is upgrading"),
        (
            Aurora(accepts_writes={EAST_1}, busy={"switchover"}),
            "RDS in us-east-1 does not start a switchover: InvalidGlobalClusterStateFault",
        ),
    ],
)
def test_without_an_answer_of_the_database_and_of_rds_there_is_no_switchover(
    ctx: RecoveryContext, aurora: Aurora, why: str
) -> None:
    found = tried(ctx, aurora)

    assert (found["state"], found["reason"], aurora.requested) == ("not-possible", why, [])


def test_no_control_plane_of_a_lost_region_is_called(ctx: RecoveryContext) -> None:
    aurora = Aurora(down={EAST_1})

    tried(ctx, aurora)

    assert [each for each in aurora.called if each[1] == EAST_1] == [("secretsmanager", EAST_1)]


@pytest.mark.parametrize(
    ("aurora", "state", "method"),
    [
        (Aurora(writer=EAST_2), "already-writer", "none"),
        (Aurora(status="switching-over"), "in-progress", "switchover"),
        (Aurora(status="failing-over"), "in-progress", "promotion"),
    ],
)
def test_a_writer_that_is_here_or_on_its_way_is_not_switched(
    ctx: RecoveryContext, aurora: Aurora, state: str, method: str
) -> None:
    found = tried(ctx, aurora)

    assert (found["state"], found["method"], aurora.requested) == (state, method, [])
    assert {region for _, region in aurora.called} == {EAST_2}, "the lost region was called"


@pytest.mark.stack  # it limits real time
def test_a_region_that_hangs_costs_no_more_than_the_deadline(
    ctx: RecoveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "_LEAST_DEADLINE_SECONDS", 0.1)
    fast = replace(ctx, pace=Pace(now=lambda: NOW, speed=20.0))
    monkeypatch.setattr(lossless, "_leaving_obstacle", lambda _: time.sleep(3))

    began = time.monotonic()
    found = tried(fast, Aurora())

    assert found["reason"] == "the database in us-east-1 does not answer within 0.1 s"
    assert time.monotonic() - began < 2.5, "it was waited for"


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 2.0), (20.0, 1.5)])
def test_the_deadline_is_two_seconds_and_never_less_than_a_loaded_machine_needs(speed: float, seconds: float) -> None:
    assert leaving_deadline(recovery_settings(), Pace(speed=speed)) == seconds


@pytest.mark.parametrize(
    ("aurora", "waited", "state", "why"),
    [
        (Aurora(accepts_writes={EAST_2}), 20.0, "done", "the member in us-east-2 accepts writes"),
        (Aurora(accepts_writes={EAST_2}, status="switching-over"), 20.0, "done", "the member in us-east-2 accepts"),
        (Aurora(status="switching-over"), 59.0, "in-progress", "does not answer"),
        (Aurora(status="switching-over"), 61.0, "given-up", "after 61 s: "),
        (Aurora(), 29.0, "in-progress", "does not answer"),
        (Aurora(), 31.0, "given-up", "RDS has abandoned the switchover"),
        (Aurora(silent={("rds", EAST_2)}), 59.0, "in-progress", "RDS in us-east-2 did not answer"),
        (Aurora(silent={("rds", EAST_2)}), 61.0, "given-up", "RDS in us-east-2 did not answer"),
        (Aurora(writer=EAST_2), 59.0, "in-progress", "does not answer"),
    ],
)
def test_a_switchover_is_waited_for_until_its_time_is_over(
    ctx: RecoveryContext, aurora: Aurora, waited: float, state: str, why: str
) -> None:
    found = followed(ctx, aurora, waited=waited)

    assert found["state"] == state
    assert why in found["reason"]
