"""Expectations, judged on an observation, and the calls that make one."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import httpx
import pytest
from moto import mock_aws

from drill.model import expectation as model_expectation
from drill.model.attempts import Recent
from drill.model.errors import ProbeError
from drill.model.expectation import Expectation, HealthSettings, Observation
from drill.model.status import Status
from drill.observe import local
from drill.probes.traffic import AcceptedAsOffered, ReplicationKeepsUp, ServedBy, TargetsHealthy
from drill.verdict.result import Limits
from shared.places import Place

REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}


def observation(recent: Recent | None = None, **status: Any) -> Observation:
    return Observation(status=Status.model_validate(status), recent=recent or Recent(), rate=50, regions=REGIONS)


def targets(*states: tuple[str, str]) -> dict[str, Any]:
    return {"targets": [{"region": region, "target_group": "tg", "state": state} for region, state in states]}


@pytest.mark.parametrize(
    ("expectation", "seen", "met"),
    [
        (AcceptedAsOffered(), observation(Recent(ok=50)), True),
        (AcceptedAsOffered(), observation(Recent(ok=46)), True),
        (AcceptedAsOffered(), observation(Recent(ok=40)), False),
        (AcceptedAsOffered(), observation(Recent(ok=50, failed=0.5)), False),
        (AcceptedAsOffered(), observation(), False),
        (TargetsHealthy(), observation(**targets(("us-east-1", "healthy"), ("us-east-2", "healthy"))), True),
        (TargetsHealthy(), observation(**targets(("us-east-1", "initial"), ("us-east-2", "healthy"))), False),
        (TargetsHealthy(), observation(**targets(("us-east-1", "healthy"))), False),
        (
            TargetsHealthy(),
            observation(**targets(*[(r, "healthy") for r in REGIONS.values()], ("us-east-2", "unused"))),
            True,
        ),
        (TargetsHealthy(), observation(**targets(("us-east-1", "unavailable"), ("us-east-2", "healthy"))), False),
        (TargetsHealthy(), observation(), False),
        (ServedBy(Place.PRIMARY), observation(Recent(by_region={"us-east-1": 50.0})), True),
        (ServedBy(Place.PRIMARY), observation(Recent(by_region={"us-east-2": 50.0})), False),
        (ServedBy(Place.PRIMARY), observation(Recent(by_region={"us-east-1": 49.0, "us-east-2": 1.0})), False),
        (ServedBy(Place.PRIMARY), observation(), False),
        (ReplicationKeepsUp(), observation(), True),
        (ReplicationKeepsUp(), observation(replication={"backlog": {"us-east-1": 0}}), True),
        (ReplicationKeepsUp(), observation(replication={"backlog": {"us-east-1": 100, "us-east-2": 100}}), True),
        (ReplicationKeepsUp(), observation(replication={"backlog": {"us-east-1": 101, "us-east-2": 0}}), False),
        (ReplicationKeepsUp(), replace(observation(replication={"backlog": {"us-east-1": 1}}), rate=0), False),
    ],
)
def test_an_expectation_is_met_or_not_by_what_was_seen(expectation: Expectation, seen: Observation, met: bool) -> None:
    found = expectation.check(seen)

    assert found.met is met
    assert found.evidence


def asked(answer: Callable[[httpx.Request], httpx.Response]) -> Status:
    async def run() -> Status:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await local.status(client, "http://127.0.0.1:1/_localaws")

    return asyncio.run(run())


def test_a_status_may_have_more_fields_than_the_drill_reads() -> None:
    status = asked(
        lambda _: httpx.Response(
            200,
            json={
                "speed": 5.0,
                "regions": {
                    "us-east-1": {
                        "outage": {"kind": "reset", "since": 1.0},
                        "refused": {"control:dynamodb": 3, "data:nlb": 9},
                    },
                    "us-east-2": {"outage": None, "refused": {}},
                },
                "databases": [{"region": "us-east-1", "role": "writer"}],
            },
        )
    )

    assert status.refused("us-east-1") == {"control:dynamodb": 3, "data:nlb": 9}
    assert status.regions["us-east-2"].outage is None


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(500), httpx.Response(200, text="no JSON"), httpx.Response(200, json={"targets": [{"state": 1}]})],
)
def test_an_invalid_status_is_an_error_not_an_empty_observation(answer: httpx.Response) -> None:
    with pytest.raises(ProbeError, match="status cannot be read"):
        asked(lambda _: answer)


@mock_aws
def test_the_limit_follows_the_health_check_that_is_deployed() -> None:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    elbv2 = boto3.client("elbv2", region_name="us-east-1")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    [group] = elbv2.create_target_group(
        Name="tg", Protocol="TCP", Port=443, VpcId=vpc, HealthCheckIntervalSeconds=30, UnhealthyThresholdCount=3
    )["TargetGroups"]

    settings = model_expectation.health_settings(elbv2, group["TargetGroupArn"], "us-east-1")

    assert settings.until_unhealthy == 90
    assert Limits(health_checks=[settings], speed=5).rto_limit_seconds == pytest.approx((2 * 90 + 2) / 5)


def test_the_slower_of_two_health_checks_sets_the_limit() -> None:
    quick = HealthSettings(region="a", interval_aws_seconds=5, unhealthy_threshold=2, healthy_threshold=2)
    slow = HealthSettings(region="b", interval_aws_seconds=10, unhealthy_threshold=2, healthy_threshold=2)

    assert Limits(health_checks=[quick, slow], speed=1).rto_limit_seconds == 42
