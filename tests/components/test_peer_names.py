"""Names for what the peer region offers over the peering."""

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.network.peering import PeerNames, PeerNamesArgs, PeerTarget, service_host
from tests.components.answers import answer
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
JOURNAL = "dynamodb.us-east-2.amazonaws.com"


@pytest.fixture
def built(build: Build, monkeypatch: pytest.MonkeyPatch) -> Built:
    answer(monkeypatch, "Zone", zoneId=lambda zone: f"{zone.name}-id")

    def program() -> None:
        provider = aws.Provider("global", region="us-east-1")
        PeerNames(
            "names",
            PeerNamesArgs(
                vpc_id="vpc-primary",
                region="us-east-1",
                targets={service_host("dynamodb", "us-east-2"): PeerTarget(host="vpce-9.example", zone_id="ZPEER")},
            ),
            opts=pulumi.ResourceOptions(providers=[provider]),
        )

    return build(program)


def test_the_peers_service_keeps_its_usual_name(built: Built) -> None:
    record = built.one("Record").inputs

    assert (record["name"], record["zoneId"]) == (JOURNAL, f"names-{JOURNAL}-id")
    assert record["aliases"] == [{"name": "vpce-9.example", "zoneId": "ZPEER", "evaluateTargetHealth": False}]


def test_the_name_answers_in_the_asking_vpc_and_is_all_its_zone_holds(built: Built) -> None:
    zone = built.one("Zone").inputs

    assert zone["vpcs"] == [{"vpcId": "vpc-primary", "vpcRegion": "us-east-1"}]
    assert zone["name"] == JOURNAL, "a zone any wider would hide the region's other names"
