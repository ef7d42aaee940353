"""Traffic to the regions: accelerator, hosted zone with health checks, and the witness."""

from dataclasses import dataclass

import pulumi

from components.edge.accelerator import Accelerator, AcceleratorArgs
from components.edge.dns import Dns, DnsArgs, ExistingZone
from components.edge.witness import Witness, WitnessArgs
from shared.places import Place
from shared.references import Regions
from shared.settings import GlobalSettings


@dataclass(frozen=True, kw_only=True)
class GlobalTrafficArgs:
    settings: GlobalSettings
    regions: Regions
    existing_zone: ExistingZone | None  # None creates one


class GlobalTraffic(pulumi.ComponentResource):
    """Services that exist once; pass the provider for what is global."""

    accelerator: Accelerator
    dns: Dns
    witness: Witness

    def __init__(self, name: str, args: GlobalTrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:global:GlobalTraffic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, regions = args.settings, args.regions
        self.accelerator = Accelerator(
            "accelerator",
            AcceleratorArgs(name=settings.names.shared("accelerator"), mode=settings.mode, regions=regions),
            opts=child,
        )
        self.dns = Dns(
            "dns",
            DnsArgs(settings=settings, regions=regions, existing=args.existing_zone, accelerator=self.accelerator),
            opts=child,
        )
        self.witness = Witness(
            "witness",
            WitnessArgs(
                suffix=settings.suffix,
                zone_name=settings.hosted_zone,
                zone_id=self.dns.zone_id,
                checks={place: list(self.dns.checks[place].values()) for place in Place},
                regions=regions,
            ),
            opts=child,
        )
        self.register_outputs({"dns_name": self.accelerator.dns_name})
