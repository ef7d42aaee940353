"""The network of a region, by NAT mode."""

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.network.vpc import Nat, Network, NetworkArgs
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def network(nat: Nat, zones: tuple[str, ...] = ZONES) -> Callable[[], object]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        args = NetworkArgs(name="vpc-primary-dev", region="us-east-1", cidr="10.0.0.0/16", zones=zones, nat=nat)
        Network("network", args, opts=pulumi.ResourceOptions(providers=[provider]))

    return program


@pytest.mark.parametrize(("nat", "gateways", "nat_routes"), [("per-zone", 3, 3), ("one", 1, 3), ("none", 0, 0)])
def test_every_zone_has_the_way_out_that_its_nat_mode_gives(
    build: Build, nat: Nat, gateways: int, nat_routes: int
) -> None:
    built = build(network(nat))

    assert len(built.all("NatGateway")) == gateways
    routes = [route for route in built.all("Route") if "natGatewayId" in route.inputs]
    assert len(routes) == nat_routes
    assert len({route.inputs["routeTableId"] for route in routes}) == nat_routes, "a route table per zone"


def test_a_zone_with_its_own_gateway_leaves_through_it(build: Build) -> None:
    built = build(network("per-zone"))

    for zone in ZONES:
        assert built.one("Route", f"network-private-{zone}-nat").inputs["natGatewayId"] == f"network-nat-{zone}-id"


def test_everything_lands_in_the_region_it_was_given(build: Build) -> None:
    resources = [each for each in build(network("one")).resources if each.type.startswith("aws:")]

    assert resources, "the component registered nothing"
    assert all("::primary" in each.provider for each in resources), "a resource fell to the default provider"


def test_no_subnet_hands_out_public_addresses(build: Build) -> None:
    assert not [each for each in build(network("one")).all("Subnet") if each.inputs["mapPublicIpOnLaunch"]]


def test_storage_and_journal_are_reached_without_nat(build: Build) -> None:
    endpoints = build(network("none")).all("VpcEndpoint")

    assert {each.inputs["serviceName"] for each in endpoints} == {
        "com.amazonaws.us-east-1.s3",
        "com.amazonaws.us-east-1.dynamodb",
    }
    assert all(len(each.inputs["routeTableIds"]) == len(ZONES) for each in endpoints)


def test_one_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="a load balancer needs two or more"):
        NetworkArgs(name="vpc", region="us-east-1", cidr="10.0.0.0/16", zones=ZONES[:1], nat="one")
