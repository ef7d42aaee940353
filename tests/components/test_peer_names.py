"""Names for what the peer region offers over the peering."""

from collections.abc import Callable

import pulumi
import pytest

from components.network.endpoints import PEER_SERVICES
from components.network.peering import CrossRegionNetwork, CrossRegionNetworkArgs
from shared.places import Place
from tests.components.answers import answer
from tests.handles import REGIONS, handles
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
JOURNAL = "dynamodb.us-east-2.amazonaws.com"
NAME = f"network-primary-{JOURNAL}"


@pytest.fixture
def built(build: Build, monkeypatch: pytest.MonkeyPatch) -> Built:
    answer(monkeypatch, "Zone", zoneId=lambda zone: f"{zone.name}-id")

    def program() -> None:
        regions = handles(
            {
                place: {
                    "network.vpc_id": f"vpc-{place}",
                    "network.private_route_table_ids": ["rtb-a", "rtb-b"],
                    "peer_services.hosts": [f"vpce-{place}-{service}.example" for service in PEER_SERVICES],
                    "peer_services.zone_ids": [f"Z-{place}-{service}" for service in PEER_SERVICES],
                }
                for place in Place
            }
        )
        CrossRegionNetwork(
            "network",
            CrossRegionNetworkArgs(
                name="peering-dev", regions=regions, zones={place: ["a", "b"] for place in Place}, has_nat=False
            ),
            opts=pulumi.ResourceOptions(providers=[regions[Place.PRIMARY].provider]),
        )

    return build(program)


def test_the_peers_service_keeps_its_usual_name(built: Built) -> None:
    record = built.one("Record", NAME).inputs

    assert (record["name"], record["zoneId"]) == (JOURNAL, f"{NAME}-id")
    (target,) = record["aliases"]
    assert (target["name"], target["zoneId"]) == ("vpce-secondary-dynamodb.example", "Z-secondary-dynamodb")
    assert target["evaluateTargetHealth"] is False


def test_each_region_finds_every_service_of_the_other(built: Built) -> None:
    hosts = {record.inputs["name"] for record in built.all("Record")}

    assert hosts == {f"{service}.{region}.amazonaws.com" for service in PEER_SERVICES for region in REGIONS.values()}


def test_the_name_answers_in_the_asking_vpc_and_is_all_its_zone_holds(built: Built) -> None:
    zone = built.one("Zone", NAME).inputs

    assert zone["vpcs"] == [{"vpcId": "vpc-primary", "vpcRegion": "us-east-1"}]
    assert zone["name"] == JOURNAL, "a zone any wider would hide the region's other names"
