"""Optional resources for drills on AWS, off by default: AWS FIS templates and an ARC Region switch plan."""

from dataclasses import dataclass

import pulumi

from components.database.global_database import Database
from components.failover.region_switch import RegionSwitch, RegionSwitchArgs
from components.fault_injection.templates import FaultInjection, FaultInjectionArgs
from shared.references import Regions
from shared.settings import GlobalSettings


@dataclass(frozen=True, kw_only=True)
class OptionalDrillsArgs:
    settings: GlobalSettings
    regions: Regions
    database: Database


class OptionalDrills(pulumi.ComponentResource):
    """Empty unless `drill:faultInjection` or `drill:regionSwitch` is set. Pass the provider for what is global."""

    def __init__(self, name: str, args: OptionalDrillsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:global:OptionalDrills", name, None, opts)
        settings, regions = args.settings, args.regions
        if settings.fault_injection:
            for place, region in regions.items():
                FaultInjection(
                    f"fault-injection-{place}",
                    FaultInjectionArgs(settings=settings, region=region, peer_region=regions[place.other].region),
                    opts=pulumi.ResourceOptions(parent=self, provider=region.provider),
                )
        if settings.region_switch:
            RegionSwitch(
                "region-switch",
                RegionSwitchArgs(names=settings.names, regions=regions, database=args.database),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
