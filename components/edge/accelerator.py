"""Global Accelerator: two static anycast addresses in front of both regions.

Without endpoint groups an accelerator is an address that leads nowhere: the groups below, one per region with that
region's NLB in it, are what makes it carry traffic.
"""

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from shared.places import Place
from shared.references import Regions

HTTPS = 443
Mode = Literal["active-active", "active-passive"]


def dials(mode: Mode) -> dict[Place, int]:
    """Share of traffic, in percent, that each region's group takes while it is healthy. A dial of 0 does not keep a
    healthy group from taking over when no other is healthy [GA-1]."""
    return {Place.PRIMARY: 100, Place.SECONDARY: 100 if mode == "active-active" else 0}


@dataclass(frozen=True, kw_only=True)
class AcceleratorArgs:
    name: str
    mode: Mode
    regions: Regions


class Accelerator(pulumi.ComponentResource):
    """An accelerator with a listener on 443 and one endpoint group per region. It follows the health of the NLBs'
    target groups; its own health-check settings do not apply to load balancers and are left unset [GA-2]."""

    arn: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    hosted_zone_id: pulumi.Output[str]
    ips: pulumi.Output[list[str]]

    def __init__(self, name: str, args: AcceleratorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:accelerator:Accelerator", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        accelerator = aws.globalaccelerator.Accelerator(
            f"{name}-accelerator", name=args.name, ip_address_type="IPV4", enabled=True, opts=child
        )
        listener = aws.globalaccelerator.Listener(
            f"{name}-https",
            accelerator_arn=accelerator.arn,
            protocol="TCP",
            port_ranges=[{"from_port": HTTPS, "to_port": HTTPS}],
            # Payments carry their own identity: no client needs to come back to the same region.
            client_affinity="NONE",
            opts=child,
        )
        for place, region in args.regions.items():
            aws.globalaccelerator.EndpointGroup(
                f"{name}-{place}",
                listener_arn=listener.arn,
                # Explicit, since the default is the provider's region and the two groups would collide [GA-3].
                endpoint_group_region=region.region,
                traffic_dial_percentage=dials(args.mode)[place],
                endpoint_configurations=[
                    {
                        "endpoint_id": region.outputs.ingress.nlb_arn,
                        "weight": 128,
                        # With it, Global Accelerator leaves a security group of its own in the VPC, which then cannot
                        # be deleted [GA-4].
                        "client_ip_preservation_enabled": False,
                    }
                ],
                opts=child,
            )
        self.arn, self.dns_name = accelerator.arn, accelerator.dns_name
        self.hosted_zone_id = accelerator.hosted_zone_id
        self.ips = accelerator.ip_sets.apply(
            lambda sets: [address for each in sets for address in each.ip_addresses or []]
        )
        self.register_outputs({"dns_name": self.dns_name})
