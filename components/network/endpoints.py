"""Interface VPC endpoints, used when NAT is off, for this region's functions and the peer's.

Who uses which endpoint by which name is decided in docs/decisions/0002-private-ways-to-aws.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_aws as aws

from shared.outputs import PeerServicesOutputs
from shared.references import TextInput, TextsInput

HTTPS = 443

SERVICES: Mapping[str, str] = {
    "events": "publishing payment events to the region's bus",
    "kms": "decrypting what is kept under the region's key",
    "lambda": "invoking a function from another",
    "logs": "log groups that are written or read by name; Lambda ships a function's own logs itself",
    "monitoring": "measurements that are not taken from logs",
    "rds": "moving the database's writer",
    "rds-data": "SQL through the Data API",
    "secretsmanager": "the database secret",
    "sns": "notifications",
    "sqs": "queues and dead letters",
    "ssm": "Parameter Store",
    "states": "starting the failover state machine, and answering it",
    "sts": "asking who one is, and session credentials",
    "xray": "segments that are sent past the Lambda runtime's own daemon",
}
"""Services that our functions call, by their endpoint's name, with the reason. S3 and DynamoDB of the own region have
gateway endpoints, which cost nothing (`components.network.vpc`)."""

PEER_SERVICES = ("dynamodb", "lambda", "rds", "rds-data", "secretsmanager", "ssm")
"""Services that the peer region's functions call here: the journal and control record, and the parameters; in a
failback also the database that is to take the writer's role back, and its region's ledger."""


class DnsEntry(Protocol):
    """One of the names that AWS gives to an interface endpoint."""

    @property
    def dns_name(self) -> str | None: ...

    @property
    def hosted_zone_id(self) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class InterfaceEndpointsArgs:
    name: str  # of the network
    region: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    clients: Mapping[str, pulumi.Input[str]]  # security groups of our functions, by function
    peer_cidr: str
    services: Sequence[str] = tuple(SERVICES)
    peer_services: Sequence[str] = PEER_SERVICES

    def __post_init__(self) -> None:
        if not self.clients:
            raise ValueError(f"interface endpoints of {self.name} have no clients; name the functions' security groups")


class InterfaceEndpoints(pulumi.ComponentResource):
    """One endpoint per service, in every private subnet. Two security groups: the peer region may reach fewer
    services here than the region's own functions, and it can be identified by its addresses only [VPC-3]."""

    security_group_id: pulumi.Output[str]
    outputs: PeerServicesOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: InterfaceEndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:interface_endpoints:InterfaceEndpoints", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        own, peer = self._own_group(), self._peer_group()
        self.security_group_id = own.id
        entries = {}
        for service in sorted({*args.services, *args.peer_services}):
            groups = [own.id] if service in args.services else []
            if service in args.peer_services:
                groups.append(peer.id)
            endpoint = self._endpoint(service, groups)
            if service in args.peer_services:
                entries[service] = endpoint.dns_entries.apply(regional_entry)
        self.outputs = PeerServicesOutputs(
            hosts=[entries[each].apply(lambda entry: entry[0]) for each in args.peer_services],
            zone_ids=[entries[each].apply(lambda entry: entry[1]) for each in args.peer_services],
        )
        self.register_outputs(self.outputs.to_plain())

    def _endpoint(self, service: str, groups: list[pulumi.Output[str]]) -> aws.ec2.VpcEndpoint:
        return aws.ec2.VpcEndpoint(
            f"{self._prefix}-{service}",
            vpc_id=self._args.vpc_id,
            service_name=f"com.amazonaws.{self._args.region}.{service}",
            vpc_endpoint_type="Interface",
            subnet_ids=list(self._args.subnet_ids),
            security_group_ids=groups,
            # DynamoDB's interface endpoint has no private DNS [DYNAMODB-5], and own calls go through the gateway
            # endpoint in any case.
            private_dns_enabled=service in self._args.services and service != "dynamodb",
            tags={"Name": f"{self._args.name}-{service}"},
            opts=self._child,
        )

    def _own_group(self) -> aws.ec2.SecurityGroup:
        group = self._group("own", "AWS endpoints: our functions only")
        for client, client_group in self._args.clients.items():
            self._ingress(client, group, f"function {client}", peer_group=client_group)
        return group

    def _peer_group(self) -> aws.ec2.SecurityGroup:
        group = self._group("peer", "AWS endpoints: the peer region over the peering only")
        # A security group of another region cannot be named [VPC-3].
        self._ingress("peer-region", group, "functions of the peer region", cidr=self._args.peer_cidr)
        return group

    def _group(self, role: str, description: str) -> aws.ec2.SecurityGroup:
        """A group without egress: endpoints answer, they do not call."""
        name = f"{self._args.name}-endpoints-{role}"
        return aws.ec2.SecurityGroup(
            f"{self._prefix}-{role}",
            name=name,
            vpc_id=self._args.vpc_id,
            description=description,
            tags={"Name": name},
            opts=self._child,
        )

    def _ingress(
        self,
        role: str,
        group: aws.ec2.SecurityGroup,
        what: str,
        *,
        peer_group: pulumi.Input[str] | None = None,
        cidr: str | None = None,
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{self._prefix}-{role}",
            security_group_id=group.id,
            description=what,
            referenced_security_group_id=peer_group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )


def regional_entry(entries: Sequence[DnsEntry] | None) -> tuple[str, str]:
    """Host and hosted zone of the endpoint's regional name among `entries`, which also hold a name per zone and, with
    private DNS, the service's own. Raises ValueError if there is none.

    A zonal name is the regional one with the zone added to its first label [PRIVATELINK-1], so the regional one is the
    shortest.
    """
    found = [
        (each.dns_name, each.hosted_zone_id)
        for each in entries or ()
        if each.dns_name and each.hosted_zone_id and each.dns_name.endswith(".vpce.amazonaws.com")
    ]
    if not found:
        raise ValueError("an interface endpoint has no name under vpce.amazonaws.com; is it of type Interface?")
    return min(found, key=lambda each: len(each[0]))
