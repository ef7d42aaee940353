"""Alarms on what ties the regions together, each in the region where its metric lives, and the dashboard of both."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.monitoring import catalogue_data, catalogue_traffic
from components.monitoring import dashboard as layout
from components.monitoring.alarms import Alarms, AlarmsArgs, Monitored
from components.monitoring.dashboard import Dashboard, DashboardArgs
from components.storage.bucket_replication import rule_id
from shared.naming import Names
from shared.places import Place
from shared.references import Regions

# Where Route 53 publishes the metrics of all health checks [R53-4].
HEALTH_METRICS_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class GlobalMonitoringArgs:
    names: Names
    journal_table: pulumi.Input[str]
    accelerator_arn: pulumi.Input[str]
    regions: Regions
    health_checks: Mapping[Place, Mapping[str, pulumi.Input[str]]]  # ids by place and endpoint


class GlobalMonitoring(pulumi.ComponentResource):
    """Replication lag where it is measured, health checks, backups; and one dashboard with both regions in it."""

    dashboard: pulumi.Output[str]

    def __init__(self, name: str, args: GlobalMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:global:GlobalMonitoring", name, None, opts)
        sections = [self._traffic(args)]
        checks = _health_checks(args)
        if not any(region.region == HEALTH_METRICS_REGION for region in args.regions.values()):
            pulumi.warn(f"no region is {HEALTH_METRICS_REGION}, where health checks report: they have no alarm", self)
        for place, region in args.regions.items():
            monitored = [*_replication(args, place), *(checks if region.region == HEALTH_METRICS_REGION else [])]
            Alarms(
                f"{name}-{place}",
                AlarmsArgs(
                    # Not the region's own prefix, whose alarms are the regional stack's.
                    prefix=args.names.regional("alarm-global", place),
                    region=region.region,
                    topic_arn=region.outputs.messaging.topic_arn,
                    monitored=monitored,
                    composite=None,
                ),
                opts=pulumi.ResourceOptions(parent=self, provider=region.provider),
            )
            sections.append(
                layout.Section(title=f"{place}: {region.region}", widgets=layout.alarm_graphs(region.region, monitored))
            )
        self.dashboard = Dashboard(
            f"{name}-dashboard",
            DashboardArgs(name=args.names.shared("dashboard"), sections=sections),
            opts=pulumi.ResourceOptions(parent=self),
        ).name
        self.register_outputs({"dashboard": self.dashboard})

    def _traffic(self, args: GlobalMonitoringArgs) -> layout.Section:
        accelerator = pulumi.Output.from_input(args.accelerator_arn).apply(layout.accelerator_id)
        widgets = [layout.accelerator_traffic(accelerator)]
        for region in args.regions.values():
            widgets.append(layout.load_balancer_traffic(region.region, region.outputs.ingress.nlb_arn_suffix))
            ingress = region.outputs.ingress
            widgets.append(layout.api_traffic(region.region, ingress.api_name, ingress.api_stage))
        return layout.Section(title="Traffic", widgets=widgets)


def _health_checks(args: GlobalMonitoringArgs) -> list[Monitored]:
    return [
        Monitored(name=f"{what}-{place}", alarms=catalogue_traffic.HEALTH_CHECK, dimensions={"health_check": check})
        for place, checks in args.health_checks.items()
        for what, check in checks.items()
    ]


def _replication(args: GlobalMonitoringArgs, place: Place) -> list[Monitored]:
    """Replication metrics that AWS publishes in this region: of the sender or of the receiver, depending on the
    service."""
    here, there = args.regions[place], args.regions[place.other]
    own, other = here.outputs.storage, there.outputs.storage
    sent = {"source": own.bucket_name, "destination": other.bucket_name, "rule": rule_id(place)}
    received = {"source": other.bucket_name, "destination": own.bucket_name, "rule": rule_id(place.other)}
    monitored = [
        Monitored(
            name="database",
            alarms=catalogue_data.DATABASE_MEMBER,
            dimensions={"cluster": args.names.regional("aurora", place)},
        ),
        Monitored(
            name="journal",
            alarms=catalogue_data.JOURNAL,
            dimensions={"table": args.journal_table, "receiving_region": there.region},
        ),
        Monitored(name="bucket-out", alarms=catalogue_data.BUCKET_SENDING, dimensions=sent),
        Monitored(name="bucket-in", alarms=catalogue_data.BUCKET_RECEIVING, dimensions=received),
    ]
    if place is Place.PRIMARY:  # whose vault the backup plan fills
        vault = {"vault": own.vault_name}
        monitored.append(Monitored(name="backups", alarms=catalogue_data.BACKUP_PLAN, dimensions=vault))
    return monitored
