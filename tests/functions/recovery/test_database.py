"""Waiting for the writer: which region is called, what decides, and when waiting ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from recovery import context, errors
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.clock import Pace
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.recovery.aurora import Aurora
from tests.functions.recovery.settings import recovery_settings

NOW = datetime.now(UTC)


@pytest.fixture
def ctx() -> RecoveryContext:
    return replace(context.make_context(recovery_settings()), pace=Pace(now=lambda: NOW))


def described(ctx: RecoveryContext, aurora: Aurora, *, region: str, waited: float = 5.0) -> dict[str, Any]:
    since = (NOW - timedelta(seconds=waited)).isoformat()
    event = {"operation": "describe-writer", "region": region, "lost": None, "since": since}
    return perform(event, replace(ctx, client=aurora))


@pytest.mark.parametrize(
    ("status", "waited", "why"),
    [
        ("switching-over", 600.0, "the change of writer is in progress"),
        ("available", 5.0, "the member in us-east-1 is a reader"),
    ],
)
def test_a_switchover_is_followed_from_the_own_region(
    ctx: RecoveryContext, status: str, waited: float, why: str
) -> None:
    aurora = Aurora(status=status, writer=EAST_2)

    found = described(ctx, aurora, region=EAST_1, waited=waited)

    assert (found["ready"], found["reason"]) == (False, why)
    assert aurora.called == [("rds", EAST_2)], "the region that is being restored was called"


def test_a_switchover_that_rds_has_abandoned_is_not_waited_for(ctx: RecoveryContext) -> None:
    with pytest.raises(errors.WriterTimeout, match="the change of writer to us-east-1 was abandoned"):
        described(ctx, Aurora(writer=EAST_2), region=EAST_1, waited=31.0)


def test_a_promotion_that_rds_has_abandoned_is_not_waited_for(ctx: RecoveryContext) -> None:
    with pytest.raises(errors.WriterTimeout, match="the change of writer to us-east-2 was abandoned"):
        described(ctx, Aurora(writer=EAST_1), region=EAST_2, waited=31.0)


@pytest.mark.parametrize("region", [EAST_1, EAST_2])
@pytest.mark.parametrize("status", ["failing-over", "switching-over", "available"])
def test_a_member_that_accepts_writes_is_ready_whatever_rds_calls_the_change(
    ctx: RecoveryContext, status: str, region: str
) -> None:
    aurora = Aurora(status=status, writer=region, accepts_writes={region})

    assert described(ctx, aurora, region=region)["ready"]


def test_the_own_member_is_ready_without_rds(ctx: RecoveryContext) -> None:
    aurora = Aurora(accepts_writes={EAST_2}, silent={("rds", EAST_2)})

    assert described(ctx, aurora, region=EAST_2)["ready"]


@pytest.mark.parametrize("engine", ["aurora-postgresql", "aurora-mysql"])
def test_a_member_that_answers_as_a_reader_is_not_ready(ctx: RecoveryContext, engine: str) -> None:
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"database_engine": engine}))

    as_reader = described(ctx, Aurora(writer=EAST_2, reads={EAST_2}), region=EAST_2)
    as_writer = described(ctx, Aurora(writer=EAST_2, accepts_writes={EAST_2}), region=EAST_2)

    assert (as_reader["ready"], as_reader["reason"]) == (False, "the member in us-east-2 is a reader")
    assert as_writer["ready"]


@pytest.mark.parametrize(
    ("aurora", "why"),
    [
        (Aurora(status="failing-over"), "the change of writer is in progress"),
        (Aurora(writer=EAST_2), "the member in us-east-2 does not answer: DatabaseUnavailableException"),
        (
            Aurora(silent={("rds", EAST_2)}),
            "the member in us-east-2 does not answer: DatabaseUnavailableException; "
            "RDS in us-east-2 did not answer: ConnectTimeoutError",
        ),
    ],
)
def test_the_reason_of_a_member_that_is_not_ready(ctx: RecoveryContext, aurora: Aurora, why: str) -> None:
    found = described(ctx, aurora, region=EAST_2)

    assert (found["ready"], found["reason"]) == (False, why)


def promoted(ctx: RecoveryContext, aurora: Aurora, **given: Any) -> dict[str, Any]:
    return perform({"operation": "promote", **given}, replace(ctx, client=aurora))


def test_a_promotion_is_requested_in_the_own_region(ctx: RecoveryContext) -> None:
    aurora = Aurora()

    found = promoted(ctx, aurora)

    assert (found["state"], found["method"]) == ("started", "promotion")
    assert aurora.requested == [("promotion", EAST_2)]
    assert {region for _, region in aurora.called} == {EAST_2}, "the lost region was called"


def test_a_promotion_that_is_in_progress_is_not_requested_again(ctx: RecoveryContext) -> None:
    aurora = Aurora(status="failing-over")

    assert promoted(ctx, aurora)["state"] == "in-progress"
    assert aurora.requested == []


def test_a_promotion_that_rds_accepts_during_a_switchover_is_started(ctx: RecoveryContext) -> None:
    aurora = Aurora(status="switching-over")

    assert promoted(ctx, aurora, after_switchover=True)["method"] == "promotion"


def test_a_promotion_that_rds_refuses_during_a_switchover_is_retried_until_that_has_ended(ctx: RecoveryContext) -> None:
    aurora = Aurora(status="switching-over", busy={"promotion"})

    with pytest.raises(errors.DatabaseNotReady, match="InvalidGlobalClusterStateFault"):
        promoted(ctx, aurora, after_switchover=True)
    aurora.status, aurora.writer = "available", EAST_2

    found = promoted(ctx, aurora, after_switchover=True)
    assert (found["state"], found["method"]) == ("already-writer", "switchover")


def test_a_promotion_whose_first_request_arrived_unnoticed_is_in_progress(ctx: RecoveryContext) -> None:
    aurora = Aurora(busy={"promotion"}, begins_nevertheless=True)

    assert promoted(ctx, aurora)["state"] == "in-progress"


def test_a_member_that_is_the_writer_is_not_promoted(ctx: RecoveryContext) -> None:
    aurora = Aurora(writer=EAST_2)

    found = promoted(ctx, aurora)

    assert (found["state"], found["method"], aurora.requested) == ("already-writer", "none", [])
