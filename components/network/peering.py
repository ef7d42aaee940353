"""The private way between the two regions' VPCs (global stack)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.network.endpoints import PEER_SERVICES
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class PeeringSide:
    """One region's end of the peering."""

    region: str
    provider: aws.Provider
    vpc_id: pulumi.Input[str]
    cidr: pulumi.Input[str]
    zones: Sequence[str]  # decides how many routes there are, which a preview must know
    private_route_table_ids: pulumi.Input[Sequence[str]]  # one per zone, in the order of `zones`


@dataclass(frozen=True, kw_only=True)
class PeeringArgs:
    name: str
    sides: Mapping[Place, PeeringSide]


class Peering(pulumi.ComponentResource):
    """The primary asks, the secondary accepts; then names and routes, each side's through its own region's API
    [VPC-4]. Pass the primary's provider in `opts`."""

    connection_id: pulumi.Output[str]

    def __init__(self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:peering:Peering", name, None, opts)
        self._prefix, self._args = name, args
        requester, accepter = args.sides[Place.PRIMARY], args.sides[Place.SECONDARY]
        connection = aws.ec2.VpcPeeringConnection(
            f"{name}-request",
            vpc_id=requester.vpc_id,
            peer_vpc_id=accepter.vpc_id,
            peer_region=accepter.region,
            # The requester cannot accept for another region [VPC-5].
            auto_accept=False,
            tags={"Name": args.name},
            opts=self._at(requester),
        )
        accepted = aws.ec2.VpcPeeringConnectionAccepter(
            f"{name}-accept",
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags={"Name": args.name},
            opts=self._at(accepter),
        )
        # The accepter's id is the connection's own, known once it is active: names and routes need that.
        self.connection_id = accepted.id
        self._names(requester, accepter)
        for place, side in args.sides.items():
            self._routes(place, side, to=args.sides[place.other].cidr)
        self.register_outputs({"connection_id": self.connection_id})

    def _at(self, side: PeeringSide) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=side.provider)

    def _names(self, requester: PeeringSide, accepter: PeeringSide) -> None:
        """Public names of instances resolve to their private addresses over the peering [VPC-7]. Endpoints and load
        balancers are found by other names (`components.network.peering`)."""
        aws.ec2.PeeringConnectionOptions(
            f"{self._prefix}-{Place.PRIMARY}",
            vpc_peering_connection_id=self.connection_id,
            requester={"allow_remote_vpc_dns_resolution": True},
            opts=self._at(requester),
        )
        aws.ec2.PeeringConnectionOptions(
            f"{self._prefix}-{Place.SECONDARY}",
            vpc_peering_connection_id=self.connection_id,
            accepter={"allow_remote_vpc_dns_resolution": True},
            opts=self._at(accepter),
        )

    def _routes(self, place: Place, side: PeeringSide, *, to: pulumi.Input[str]) -> None:
        tables = pulumi.Output.from_input(side.private_route_table_ids).apply(
            lambda ids: one_per_zone(ids, side.zones, place)
        )
        for zone in side.zones:
            aws.ec2.Route(
                f"{self._prefix}-{place}-{zone}",
                route_table_id=tables[zone],
                destination_cidr_block=to,
                vpc_peering_connection_id=self.connection_id,
                opts=self._at(side),
            )


def one_per_zone(route_table_ids: Sequence[str], zones: Sequence[str], place: Place) -> dict[str, str]:
    """Route tables by zone. Raises ValueError if the region has more or fewer tables than zones are configured: a table
    without the route would cut its zone off from the peer region, and no one would see it before an outage."""
    if len(route_table_ids) != len(zones):
        raise ValueError(
            f"stack {place} has {len(route_table_ids)} private route tables, but network:zones is {len(zones)} here; "
            f"give both stacks the same network:zones and deploy {place} first"
        )
    return dict(zip(zones, route_table_ids, strict=True))


# Names by which one region's VPC finds what the peer region offers it over the peering (global stack).
#
# Needed where there is no NAT; see docs/decisions/0002-private-ways-to-aws.md.


def service_host(service: str, region: str) -> str:
    """The name that SDKs call a service of a region by: `dynamodb.us-east-2.amazonaws.com`."""
    return f"{service}.{region}.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class PeerTarget:
    """What a name leads to: an interface endpoint or a load balancer of the peer region."""

    host: pulumi.Input[str]
    zone_id: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class PeerNamesArgs:
    vpc_id: pulumi.Input[str]  # of the side that asks
    region: str  # of the side that asks
    targets: Mapping[str, PeerTarget]  # by the name that is asked for


class PeerNames(pulumi.ComponentResource):
    """A private zone per name, which answers in one VPC only and takes no other name away from it. Functions keep
    calling the peer's services by their usual names, and TLS keeps fitting them."""

    def __init__(self, name: str, args: PeerNamesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:peer_names:PeerNames", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for host, target in args.targets.items():
            zone = aws.route53.Zone(
                f"{name}-{host}",
                name=host,
                comment=f"{host} over the peering, for {args.region}",
                vpcs=[{"vpc_id": args.vpc_id, "vpc_region": args.region}],
                opts=child,
            )
            aws.route53.Record(
                f"{name}-{host}",
                zone_id=zone.zone_id,
                name=host,
                type="A",
                # The peer's health is judged by asking it, never by its name ceasing to answer.
                aliases=[{"name": target.host, "zone_id": target.zone_id, "evaluate_target_health": False}],
                opts=child,
            )
        self.register_outputs({})


# The regions' private way to each other: the peering and, where there is no NAT, the names that lead over it.


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
