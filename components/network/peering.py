"""The private network between the two regions: VPC peering and, where there is no NAT, private zones whose
names lead over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.network.endpoints import PEER_SERVICES
from shared import config
from shared.places import Place
from shared.references import RegionHandle, Regions


@dataclass(frozen=True, kw_only=True)
class CrossRegionNetworkArgs:
    name: str
    regions: Regions
    zones: Mapping[Place, Sequence[str]]  # decides how many routes there are, which a preview must know
    has_nat: bool


class CrossRegionNetwork(pulumi.ComponentResource):
    """The primary requests the peering, the secondary accepts it; then names and routes, each side's through its own
    region's API [VPC-4]. Without NAT also a private zone for each service that one region's functions call in the other
    (docs/decisions/0002-private-ways-to-aws.md). Pass the primary's provider in `opts`."""

    connection_id: pulumi.Output[str]

    def __init__(self, name: str, args: CrossRegionNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:network:CrossRegionNetwork", name, None, opts)
        self._prefix, self._args = name, args
        requester, accepter = args.regions[Place.PRIMARY], args.regions[Place.SECONDARY]
        connection = aws.ec2.VpcPeeringConnection(
            f"{name}-request",
            vpc_id=requester.outputs.network.vpc_id,
            peer_vpc_id=accepter.outputs.network.vpc_id,
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
        self._instance_names(requester, accepter)
        for place, region in args.regions.items():
            self._routes(region, to=args.regions[place.other])
            if not args.has_nat:
                self._service_names(region, args.regions[place.other])
        self.register_outputs({"connection_id": self.connection_id})

    def _at(self, region: RegionHandle) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=region.provider)

    def _instance_names(self, requester: RegionHandle, accepter: RegionHandle) -> None:
        """Public names of instances resolve to their private addresses over the peering [VPC-7]. Endpoints and load
        balancers are found by other names."""
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

    def _routes(self, region: RegionHandle, *, to: RegionHandle) -> None:
        zones = self._args.zones[region.place]
        tables = region.outputs.network.private_route_table_ids.apply(
            lambda ids: one_per_zone(ids, zones, region.place)
        )
        for zone in zones:
            aws.ec2.Route(
                f"{self._prefix}-{region.place}-{zone}",
                route_table_id=tables[zone],
                destination_cidr_block=to.outputs.network.cidr,
                vpc_peering_connection_id=self.connection_id,
                opts=self._at(region),
            )

    def _service_names(self, asking: RegionHandle, answering: RegionHandle) -> None:
        """A private zone per name, which answers in one VPC only and hides no other name from it. Functions keep
        calling the peer's services by their usual names, which TLS certificates cover."""
        child = pulumi.ResourceOptions(parent=self)
        targets = answering.outputs.peer_services
        for index, service in enumerate(PEER_SERVICES):
            host = service_host(service, answering.region)
            zone = aws.route53.Zone(
                f"{self._prefix}-{asking.place}-{host}",
                name=host,
                comment=f"{host} over the peering, for {asking.region}",
                vpcs=[{"vpc_id": asking.outputs.network.vpc_id, "vpc_region": asking.region}],
                opts=child,
            )
            aws.route53.Record(
                f"{self._prefix}-{asking.place}-{host}",
                zone_id=zone.zone_id,
                name=host,
                type="A",
                # The peer's health is judged by calling it, never by its name ceasing to resolve.
                aliases=[
                    {
                        "name": targets.hosts[index],
                        "zone_id": targets.zone_ids[index],
                        "evaluate_target_health": False,
                    }
                ],
                opts=child,
            )


def one_per_zone(route_table_ids: Sequence[str], zones: Sequence[str], place: Place) -> dict[str, str]:
    """Route tables by zone. Raises InvalidSettingsError if the region has more or fewer tables than zones are
    configured: a table without the route would cut its zone off from the peer region, unnoticed until an outage."""
    if len(route_table_ids) != len(zones):
        raise config.invalid(
            f"stack {place} has {len(route_table_ids)} private route tables, but network:zones is {len(zones)} here; "
            f"give both stacks the same network:zones and deploy {place} first"
        )
    return dict(zip(zones, route_table_ids, strict=True))


def service_host(service: str, region: str) -> str:
    """The name that SDKs call a service of a region by: `dynamodb.us-east-2.amazonaws.com`."""
    return f"{service}.{region}.amazonaws.com"
