"""Names by which one region's VPC finds what the peer region offers it over the peering (global stack).

Needed where there is no NAT; see docs/decisions/0002-private-ways-to-aws.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


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
