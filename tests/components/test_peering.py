"""The peering between the two regions' VPCs."""

from collections.abc import Callable

import pulumi
import pytest

from components.network.peering import CrossRegionNetwork, CrossRegionNetworkArgs, one_per_zone
from shared.places import Place
from shared.zones import zone_names
from tests.handles import REGIONS, handles
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
CIDRS = {Place.PRIMARY: "10.0.0.0/16", Place.SECONDARY: "10.1.0.0/16"}


def peering(zones: int) -> Callable[[], object]:
    named = {place: zone_names(region, zones) for place, region in REGIONS.items()}

    def program() -> None:
        regions = handles(
            {
                place: {
                    "network.vpc_id": f"vpc-{place}",
                    "network.cidr": CIDRS[place],
                    "network.private_route_table_ids": [f"rtb-{place}-{index}" for index in range(zones)],
                }
                for place in Place
            }
        )
        CrossRegionNetwork(
            "peering",
            CrossRegionNetworkArgs(name="peering-dev", regions=regions, zones=named, has_nat=True),
            opts=pulumi.ResourceOptions(providers=[regions[Place.PRIMARY].provider]),
        )

    return program


def test_the_primary_asks_and_the_secondary_accepts(build: Build) -> None:
    built = build(peering(3))
    request, accept = built.one("VpcPeeringConnection"), built.one("VpcPeeringConnectionAccepter")

    assert (request.inputs["vpcId"], request.inputs["peerVpcId"]) == ("vpc-primary", "vpc-secondary")
    assert (request.inputs["peerRegion"], request.inputs["autoAccept"]) == ("us-east-2", False)
    assert "::primary" in request.provider
    assert (accept.inputs["vpcPeeringConnectionId"], accept.inputs["autoAccept"]) == ("peering-request-id", True)
    assert "::secondary" in accept.provider


def test_each_side_resolves_names_through_its_own_region_once_the_connection_is_active(build: Build) -> None:
    built = build(peering(3))
    primary, secondary = (built.one("PeeringConnectionOptions", f"peering-{place}") for place in Place)

    allowed = {"allowRemoteVpcDnsResolution": True}
    assert primary.inputs == {"vpcPeeringConnectionId": "peering-accept-id", "requester": allowed}
    assert secondary.inputs == {"vpcPeeringConnectionId": "peering-accept-id", "accepter": allowed}
    assert "::primary" in primary.provider
    assert "::secondary" in secondary.provider


@pytest.mark.parametrize("zones", [2, 3])
@pytest.mark.parametrize("place", Place)
def test_every_private_route_table_leads_to_the_other_region(build: Build, zones: int, place: Place) -> None:
    built = build(peering(zones))
    routes = [each for each in built.all("Route") if each.name.startswith(f"peering-{place}-")]

    assert {each.inputs["routeTableId"] for each in routes} == {f"rtb-{place}-{index}" for index in range(zones)}
    assert {each.inputs["destinationCidrBlock"] for each in routes} == {CIDRS[place.other]}
    assert {each.inputs["vpcPeeringConnectionId"] for each in routes} == {"peering-accept-id"}
    assert all(f"::{place}" in each.provider for each in routes)


def test_a_region_with_another_number_of_zones_is_refused() -> None:
    with pytest.raises(ValueError, match="stack secondary has 3 private route tables, but network:zones is 2 here"):
        one_per_zone(["rtb-1", "rtb-2", "rtb-3"], ["us-east-2a", "us-east-2b"], Place.SECONDARY)
