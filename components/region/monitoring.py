"""A region's alarms, from the catalogue, and its dashboard."""

from dataclasses import dataclass

import pulumi

from components.monitoring import catalogue_compute, catalogue_data, catalogue_traffic
from components.monitoring import dashboard as layout
from components.monitoring.alarms import Alarms, AlarmsArgs, Monitored
from components.monitoring.dashboard import Dashboard, DashboardArgs
from components.region.functions import RegionFunctions
from components.region.ingress import RegionIngress
from components.region.storage import RegionStorage
from shared.places import Place
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class RegionMonitoringArgs:
    place: Place
    settings: RegionSettings
    functions: RegionFunctions
    ingress: RegionIngress
    storage: RegionStorage


class RegionMonitoring(pulumi.ComponentResource):
    """Alarms on everything of the region that can fail by itself, and a graph for each."""

    def __init__(self, name: str, args: RegionMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionMonitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names, region = args.settings.names, args.settings.region(args.place)
        monitored = [*args.functions.monitored, *_ingress(args.ingress), *_storage(args)]
        Alarms(
            "alarms",
            AlarmsArgs(
                prefix=names.regional("alarm", args.place),
                region=region,
                topic_arn=args.storage.topic.arn,
                monitored=monitored,
                composite=names.regional("alarm-region", args.place),
            ),
            opts=child,
        )
        balancers, api = args.ingress.load_balancers, args.ingress.api
        traffic = [
            layout.load_balancer_traffic(region, balancers.nlb.arn_suffix),
            layout.api_traffic(region, api.name, api.stage),
        ]
        Dashboard(
            "dashboard",
            DashboardArgs(
                name=names.regional("dashboard", args.place),
                sections=[
                    layout.Section(title="Traffic", widgets=traffic),
                    layout.Section(title="Alarms", widgets=layout.alarm_graphs(region, monitored)),
                ],
            ),
            opts=child,
        )
        self.register_outputs({})


def _ingress(ingress: RegionIngress) -> list[Monitored]:
    balancers, api = ingress.load_balancers, ingress.api
    return [
        Monitored(
            name="alb",
            alarms=catalogue_traffic.LOAD_BALANCER,
            dimensions={"load_balancer": balancers.alb.arn_suffix},
        ),
        Monitored(
            name="nlb",
            alarms=catalogue_traffic.TARGETS,
            dimensions={
                "load_balancer": balancers.nlb.arn_suffix,
                "target_group": balancers.target_group.arn_suffix,
            },
        ),
        Monitored(name="api", alarms=catalogue_traffic.API, dimensions={"api": api.name, "stage": api.stage}),
        Monitored(
            name="certificate",
            alarms=catalogue_traffic.CERTIFICATE,
            dimensions={"certificate": ingress.certificate.arn},
        ),
    ]


def _storage(args: RegionMonitoringArgs) -> list[Monitored]:
    vault = args.storage.vault.name
    other = args.settings.names.regional("vault", args.place.other)
    return [
        Monitored(
            name="dead-letters",
            alarms=catalogue_compute.DEAD_LETTER_QUEUE,
            dimensions={"queue": args.storage.dead_letters.name},
        ),
        Monitored(name="vault", alarms=catalogue_data.BACKUP_VAULT, dimensions={"vault": vault}),
        # A copy is counted under the vault it goes to; in which region, AWS does not document: both have the alarm.
        Monitored(name="copies-here", alarms=catalogue_data.BACKUP_COPIES, dimensions={"vault": vault}),
        Monitored(name="copies-there", alarms=catalogue_data.BACKUP_COPIES, dimensions={"vault": other}),
    ]
