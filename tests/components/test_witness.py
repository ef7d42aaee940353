"""The witness: the health of each region as seen from outside."""

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.edge.witness import Witness, WitnessArgs, witness_name
from localaws.engine.registration import Registration
from shared.places import Place
from tests.components.answers import answer
from tests.handles import handles
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
ZONE = "dr-dev.internal"
CHECKS = {place: [f"check-api-{place}", f"check-nlb-{place}"] for place in Place}
VPCS = {place: {"network.vpc_id": f"vpc-{place}"} for place in Place}


@pytest.fixture(autouse=True)
def zone_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "Zone", zoneId=lambda zone: f"{zone.name}-id")


def witness() -> None:
    provider = aws.Provider("global", region="us-east-1")
    Witness(
        "witness",
        WitnessArgs(suffix="dev", zone_name=ZONE, zone_id="ZONE", checks=CHECKS, regions=handles(VPCS)),
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def pair(built: Built, place: Place, zone: str = "ZONE") -> tuple[Registration, Registration]:
    """The record that answers while the region is seen, and the one that answers otherwise."""
    found = [
        each
        for each in built.all("Record")
        if each.inputs["zoneId"] == zone and each.inputs["name"] == witness_name(place, ZONE)
    ]
    by_policy = {each.inputs["failoverRoutingPolicies"][0]["type"]: each for each in found}
    assert len(found) == len(by_policy) == 2
    return by_policy["PRIMARY"], by_policy["SECONDARY"]


@pytest.mark.parametrize("place", Place)
def test_a_region_is_up_while_its_health_check_is_healthy_and_down_otherwise(build: Build, place: Place) -> None:
    up, down = pair(build(witness), place)

    assert (up.inputs["type"], up.inputs["records"]) == ("TXT", ["up"])
    assert up.inputs["healthCheckId"] == f"witness-{place}-id"
    assert down.inputs["records"] == ["down"]
    assert "healthCheckId" not in down.inputs, "it is the answer whenever the other fails"
    assert up.inputs["setIdentifier"] != down.inputs["setIdentifier"]
    assert up.inputs["ttl"] == down.inputs["ttl"] <= 10, "an old answer would delay the failover"


@pytest.mark.parametrize("place", Place)
def test_one_healthy_endpoint_is_enough_for_a_region_to_count_as_up(build: Build, place: Place) -> None:
    check = build(witness).one("HealthCheck", f"witness-{place}").inputs

    assert check["type"] == "CALCULATED"
    assert check["childHealthchecks"] == CHECKS[place], "a region's witness depends on its own endpoints only"
    assert check["childHealthThreshold"] == 1


def test_both_vpcs_resolve_the_witness_without_a_delegated_zone(build: Build) -> None:
    built = build(witness)

    for place in Place:
        zone = built.one("Zone", f"witness-{place}")
        assert zone.inputs["name"] == witness_name(place, ZONE), "a wider zone would hide other names from the VPCs"
        assert zone.inputs["vpcs"] == [
            {"vpcId": "vpc-primary", "vpcRegion": "us-east-1"},
            {"vpcId": "vpc-secondary", "vpcRegion": "us-east-2"},
        ]
        public, private = pair(built, place), pair(built, place, zone=f"witness-{place}-id")
        assert [each.inputs.get("healthCheckId") for each in private] == [
            each.inputs.get("healthCheckId") for each in public
        ]


def test_a_witness_that_hangs_on_one_endpoint_is_refused() -> None:
    with pytest.raises(ValueError, match="witness of secondary depends on one endpoint"):
        WitnessArgs(
            suffix="dev",
            zone_name=ZONE,
            zone_id="ZONE",
            checks=CHECKS | {Place.SECONDARY: ["check-nlb-secondary"]},
            regions={},
        )
