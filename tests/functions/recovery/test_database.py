"""Waiting for the writer: which region is called, what decides, and when waiting ends."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from recovery import context, errors
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.clock import Pace
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.recovery.settings import CLUSTERS, recovery_settings

NOW = datetime.now(UTC)


@dataclass
class Aurora:
    """RDS, the Data API and Secrets Manager, as clients of `recovery` in us-east-2 reach them. A member's Data API
    answers only while it is the writer [AURORA-17]; `reads` are members that answer as readers."""

    status: str = "available"
    writer: str = EAST_1  # by RDS
    accepts_writes: set[str] = field(default_factory=set)  # by the databases themselves
    reads: set[str] = field(default_factory=set)
    silent: set[tuple[str, str]] = field(default_factory=set)  # service and region
    called: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, service: str, region: str) -> "AuroraClient":
        return AuroraClient(self, service, region)


@dataclass
class AuroraClient:
    """One client."""

    aurora: Aurora
    service: str
    region: str

    def _call(self) -> None:
        self.aurora.called.append((self.service, self.region))
        if (self.service, self.region) in self.aurora.silent:
            raise ConnectTimeoutError(endpoint_url=f"https://{self.service}.{self.region}")

    def describe_global_clusters(self, **_asked: str) -> dict[str, Any]:
        self._call()
        members = [{"DBClusterArn": arn, "IsWriter": region == self.aurora.writer} for region, arn in CLUSTERS.items()]
        return {"GlobalClusters": [{"Status": self.aurora.status, "GlobalClusterMembers": members}]}

    def describe_secret(self, **_asked: str) -> dict[str, Any]:
        self._call()
        return {"ARN": "arn:secret"}

    def execute_statement(self, *, resourceArn: str, sql: str, **_asked: Any) -> dict[str, Any]:
        self._call()
        assert resourceArn == CLUSTERS[self.region]
        if self.region in self.aurora.accepts_writes | self.aurora.reads:
            is_reader = self.region in self.aurora.reads
            # As the engines answer: a boolean and a number.
            return {"records": [[{"booleanValue": is_reader} if "recovery" in sql else {"longValue": int(is_reader)}]]}
        raise ClientError({"Error": {"Code": "DatabaseUnavailableException"}}, "ExecuteStatement")


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
