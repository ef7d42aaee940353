"""The network of a region: a VPC with public and private subnets per zone, their routes and NAT gateways."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from shared.outputs import NetworkOutputs
from shared.references import TextInput, TextsInput

_SUBNETS = 16  # of equal size: room for three zones of public and private subnets, and as much again for what comes


@dataclass(frozen=True, kw_only=True)
class ZoneBlocks:
    """The blocks of one availability zone."""

    zone: str
    public: str
    private: str


def blocks(cidr: str, zones: list[str]) -> list[ZoneBlocks]:
    """One public and one private block per zone. A zone's blocks depend on its position only, so adding a zone at the
    end moves no other. Raises ValueError for more zones than there is room for."""
    if len(zones) > _SUBNETS // 2:
        raise ValueError(f"{len(zones)} zones do not fit into {cidr}; at most {_SUBNETS // 2} do")
    network = ipaddress.ip_network(cidr)
    subnets = [str(block) for block in network.subnets(prefixlen_diff=_SUBNETS.bit_length() - 1)]
    half = _SUBNETS // 2
    return [
        ZoneBlocks(zone=zone, public=subnets[index], private=subnets[half + index]) for index, zone in enumerate(zones)
    ]


Nat = Literal["per-zone", "one", "none"]
GATEWAY_SERVICES = ("s3", "dynamodb")


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    name: str  # of the VPC
    region: str
    cidr: str
    zones: Sequence[str]
    nat: Nat

    def __post_init__(self) -> None:
        if len(self.zones) < 2:
            raise ValueError(f"network has zones {list(self.zones)}; a load balancer needs two or more")


class Network(pulumi.ComponentResource):
    """A VPC whose private subnets reach AWS and, unless NAT is off, the internet.

    Without NAT gateways only the gateway endpoints (S3 and DynamoDB of this region) lead out.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    public_subnet_ids: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    internet_gateway: aws.ec2.InternetGateway
    outputs: NetworkOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:network:Network", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        layout = blocks(args.cidr, list(args.zones))

        # Both DNS attributes are needed for names across a peering [VPC-4].
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": args.name},
            opts=self._child,
        )
        self.vpc_id, self.cidr = vpc.id, args.cidr
        self.internet_gateway = aws.ec2.InternetGateway(f"{name}-internet", vpc_id=vpc.id, opts=self._child)
        public = self._subnets("public", [(each.zone, each.public) for each in layout])
        private = self._subnets("private", [(each.zone, each.private) for each in layout])
        self._public_routes(public)
        gateways = self._nat_gateways(public)
        tables = self._private_route_tables(private, gateways)
        self._gateway_endpoints(tables)

        self.public_subnet_ids = [subnet.id for subnet in public.values()]
        self.private_subnet_ids = [subnet.id for subnet in private.values()]
        self.outputs = NetworkOutputs(
            vpc_id=self.vpc_id,
            cidr=self.cidr,
            public_subnet_ids=self.public_subnet_ids,
            private_subnet_ids=self.private_subnet_ids,
            private_route_table_ids=[table.id for table in tables.values()],
        )
        self.register_outputs(self.outputs.to_plain())

    def _subnets(self, tier: str, blocks: list[tuple[str, str]]) -> dict[str, aws.ec2.Subnet]:
        return {
            zone: aws.ec2.Subnet(
                f"{self._prefix}-{tier}-{zone}",
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=block,
                map_public_ip_on_launch=False,
                tags={"Name": f"{self._args.name}-{tier}-{zone}"},
                opts=self._child,
            )
            for zone, block in blocks
        }

    def _public_routes(self, subnets: dict[str, aws.ec2.Subnet]) -> None:
        table = aws.ec2.RouteTable(f"{self._prefix}-public", vpc_id=self.vpc_id, opts=self._child)
        aws.ec2.Route(
            f"{self._prefix}-public-internet",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=self.internet_gateway.id,
            opts=self._child,
        )
        for zone, subnet in subnets.items():
            aws.ec2.RouteTableAssociation(
                f"{self._prefix}-public-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )

    def _nat_gateways(self, public: dict[str, aws.ec2.Subnet]) -> dict[str, aws.ec2.NatGateway]:
        """The NAT gateway that each zone's private subnet uses."""
        if self._args.nat == "none":
            return {}
        zones = list(self._args.zones)
        gateway_zones = zones if self._args.nat == "per-zone" else zones[:1]
        # Addresses can be released only while the internet gateway is there [VPC-2].
        after_internet = pulumi.ResourceOptions(parent=self, depends_on=[self.internet_gateway])
        made = {}
        for zone in gateway_zones:
            address = aws.ec2.Eip(f"{self._prefix}-nat-{zone}", domain="vpc", opts=after_internet)
            made[zone] = aws.ec2.NatGateway(
                f"{self._prefix}-nat-{zone}",
                subnet_id=public[zone].id,
                allocation_id=address.id,
                opts=after_internet,
            )
        return {zone: made.get(zone, made[gateway_zones[0]]) for zone in zones}

    def _private_route_tables(
        self, subnets: dict[str, aws.ec2.Subnet], gateways: dict[str, aws.ec2.NatGateway]
    ) -> dict[str, aws.ec2.RouteTable]:
        """One table per zone, so that a zone's way out can differ. Routes are resources of their own: the global stack
        adds the peering's, and a table must not mix them with inline ones [PROVIDER-2]."""
        tables = {}
        for zone, subnet in subnets.items():
            table = tables[zone] = aws.ec2.RouteTable(
                f"{self._prefix}-private-{zone}", vpc_id=self.vpc_id, opts=self._child
            )
            aws.ec2.RouteTableAssociation(
                f"{self._prefix}-private-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
            if gateway := gateways.get(zone):
                aws.ec2.Route(
                    f"{self._prefix}-private-{zone}-nat",
                    route_table_id=table.id,
                    destination_cidr_block="0.0.0.0/0",
                    nat_gateway_id=gateway.id,
                    opts=self._child,
                )
        return tables

    def _gateway_endpoints(self, tables: dict[str, aws.ec2.RouteTable]) -> None:
        for service in GATEWAY_SERVICES:
            aws.ec2.VpcEndpoint(
                f"{self._prefix}-{service}",
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{self._args.region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=[table.id for table in tables.values()],
                opts=self._child,
            )
