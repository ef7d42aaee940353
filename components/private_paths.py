"""The regions' private way to each other: the peering and, where there is no NAT, the names that lead over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.interface_endpoints import PEER_SERVICES
from components.peer_names import PeerNames, PeerNamesArgs, PeerTarget, service_host
from components.peering import Peering, PeeringArgs, PeeringSide
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class PrivateSide:
    """A region's network, from its outputs."""

    region: str
    provider: aws.Provider
    vpc_id: pulumi.Output[str]
    cidr: pulumi.Output[str]
    zones: Sequence[str]
    private_route_table_ids: pulumi.Output[list[str]]
    # What the other side's functions reach here without NAT, in the order of PEER_SERVICES.
    service_hosts: pulumi.Output[list[str]]
    service_zone_ids: pulumi.Output[list[str]]


@dataclass(frozen=True, kw_only=True)
class PrivatePathsArgs:
    name: str
    sides: Mapping[Place, PrivateSide]
    has_nat: bool


class PrivatePaths(pulumi.ComponentResource):
    """Peering in any case; without NAT also a private zone for each service that one region's functions call in the
    other (docs/decisions/0002-private-ways-to-aws.md)."""

    connection_id: pulumi.Output[str]

    def __init__(self, name: str, args: PrivatePathsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:peering:PrivatePaths", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.connection_id = Peering(
            f"{name}-peering",
            PeeringArgs(
                name=args.name,
                sides={
                    place: PeeringSide(
                        region=side.region,
                        provider=side.provider,
                        vpc_id=side.vpc_id,
                        cidr=side.cidr,
                        zones=side.zones,
                        private_route_table_ids=side.private_route_table_ids,
                    )
                    for place, side in args.sides.items()
                },
            ),
            opts=child,
        ).connection_id
        if not args.has_nat:
            for place, side in args.sides.items():
                PeerNames(f"{name}-{place}", _names(side, args.sides[place.other]), opts=child)
        self.register_outputs({"connection_id": self.connection_id})


def _names(asking: PrivateSide, answering: PrivateSide) -> PeerNamesArgs:
    targets = {
        service_host(service, answering.region): PeerTarget(
            host=answering.service_hosts[index], zone_id=answering.service_zone_ids[index]
        )
        for index, service in enumerate(PEER_SERVICES)
    }
    return PeerNamesArgs(vpc_id=asking.vpc_id, region=asking.region, targets=targets)
