"""Alarms on what ties the regions together, each in the region where its metric lives, and the dashboard of both."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.monitoring import catalogue_data, catalogue_traffic
from components.monitoring import dashboard as layout
from components.monitoring.alarm import Watched
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.monitoring.dashboard import Dashboard, DashboardArgs
from components.storage.bucket_replication import rule_id
from shared.naming import Names
from shared.places import Place

# Where Route 53 reports its health checks, whatever they look at [R53-4].
HEALTH_METRICS_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class WatchedRegion:
    """What there is to watch at a place, from the region's outputs and the global stack's own resources."""

    region: str
    provider: aws.Provider
    topic_arn: pulumi.Input[str]
    bucket: pulumi.Input[str]
    cluster: pulumi.Input[str]
    vault: pulumi.Input[str] | None  # where the backup plan fills it
    nlb_arn_suffix: pulumi.Input[str]
    api_name: pulumi.Input[str]
    api_stage: pulumi.Input[str]
    health_checks: Mapping[str, pulumi.Input[str]]  # ids, by what they look at


@dataclass(frozen=True, kw_only=True)
class GlobalWatchArgs:
    names: Names
    journal_table: pulumi.Input[str]
    accelerator_arn: pulumi.Input[str]
    regions: Mapping[Place, WatchedRegion]


class GlobalWatch(pulumi.ComponentResource):
    """Replication lag where it is measured, health checks, backups; and one dashboard with both regions in it."""

    dashboard: pulumi.Output[str]

    def __init__(self, name: str, args: GlobalWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:watch:GlobalWatch", name, None, opts)
        sections = [self._traffic(args)]
        checks = _health_checks(args)
        if not any(region.region == HEALTH_METRICS_REGION for region in args.regions.values()):
            pulumi.warn(f"no region is {HEALTH_METRICS_REGION}, where health checks report: they have no alarm", self)
        for place, region in args.regions.items():
            watched = [*_replication(args, place), *(checks if region.region == HEALTH_METRICS_REGION else [])]
            Alarms(
                f"{name}-{place}",
                AlarmsArgs(
                    # Not the region's own prefix, whose alarms are the regional stack's.
                    prefix=args.names.regional("alarm-global", place),
                    region=region.region,
                    topic_arn=region.topic_arn,
                    watched=watched,
                    composite=None,
                ),
                opts=pulumi.ResourceOptions(parent=self, provider=region.provider),
            )
            sections.append(
                layout.Section(title=f"{place}: {region.region}", widgets=layout.watched(region.region, watched))
            )
        self.dashboard = Dashboard(
            f"{name}-dashboard",
            DashboardArgs(name=args.names.once("dashboard"), sections=sections),
            opts=pulumi.ResourceOptions(parent=self),
        ).name
        self.register_outputs({"dashboard": self.dashboard})

    def _traffic(self, args: GlobalWatchArgs) -> layout.Section:
        accelerator = pulumi.Output.from_input(args.accelerator_arn).apply(layout.accelerator_id)
        widgets = [layout.accelerator_traffic(accelerator)]
        for region in args.regions.values():
            widgets.append(layout.front_door_traffic(region.region, region.nlb_arn_suffix))
            widgets.append(layout.api_traffic(region.region, region.api_name, region.api_stage))
        return layout.Section(title="Traffic", widgets=widgets)


def _health_checks(args: GlobalWatchArgs) -> list[Watched]:
    return [
        Watched(name=f"{what}-{place}", alarms=catalogue_traffic.HEALTH_CHECK, dimensions={"health_check": check})
        for place, region in args.regions.items()
        for what, check in region.health_checks.items()
    ]


def _replication(args: GlobalWatchArgs, place: Place) -> list[Watched]:
    """What this region's metrics say of replication: sent from here, or received here, as AWS reports each."""
    here, there = args.regions[place], args.regions[place.other]
    sent = {"source": here.bucket, "destination": there.bucket, "rule": rule_id(place)}
    received = {"source": there.bucket, "destination": here.bucket, "rule": rule_id(place.other)}
    watched = [
        Watched(
            name="database",
            alarms=catalogue_data.DATABASE_MEMBER,
            dimensions={"cluster": here.cluster, "source_region": there.region},
        ),
        Watched(
            name="journal",
            alarms=catalogue_data.JOURNAL,
            dimensions={"table": args.journal_table, "receiving_region": there.region},
        ),
        Watched(name="bucket-out", alarms=catalogue_data.BUCKET_SENDING, dimensions=sent),
        Watched(name="bucket-in", alarms=catalogue_data.BUCKET_RECEIVING, dimensions=received),
    ]
    if here.vault is not None:
        watched.append(Watched(name="backups", alarms=catalogue_data.BACKUP_PLAN, dimensions={"vault": here.vault}))
    return watched
