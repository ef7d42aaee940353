"""Waiting for the writer: which region is called, and when waiting ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from recovery import context, errors
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.clock import Pace
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.recovery.settings import recovery_settings

NOW = datetime.now(UTC)


class Rds:
    """What a survivor in us-east-2 sees of a switchover to us-east-1; us-east-1 itself is not called."""

    def __init__(self, *, status: str, writer: str) -> None:
        self._status, self._writer = status, writer

    def __call__(self, service: str, region: str) -> Any:
        assert (service, region) == ("rds", EAST_2), f"{service} in {region} was asked"
        return self

    def describe_global_clusters(self, **_asked: str) -> dict[str, Any]:
        members = [
            {"DBClusterArn": f"arn:aws:rds:{region}:000000000000:cluster:c", "IsWriter": region == self._writer}
            for region in (EAST_1, EAST_2)
        ]
        return {"GlobalClusters": [{"Status": self._status, "GlobalClusterMembers": members}]}


@pytest.fixture
def ctx() -> RecoveryContext:
    return replace(context.make_context(recovery_settings()), pace=Pace(now=lambda: NOW))


def described(ctx: RecoveryContext, rds: Rds, *, waited: float) -> dict[str, Any]:
    since = (NOW - timedelta(seconds=waited)).isoformat()
    event = {"operation": "describe-writer", "region": EAST_1, "lost": None, "since": since}
    return perform(event, replace(ctx, client=rds))


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
    found = described(ctx, Rds(status=status, writer=EAST_2), waited=waited)

    assert (found["ready"], found["reason"]) == (False, why)


def test_a_switchover_that_rds_has_abandoned_is_not_waited_for(ctx: RecoveryContext) -> None:
    with pytest.raises(errors.WriterTimeout, match="the change of writer to us-east-1 was abandoned"):
        described(ctx, Rds(status="available", writer=EAST_2), waited=31.0)
