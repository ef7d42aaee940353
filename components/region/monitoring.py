"""A region's alarms and its dashboard: what is watched there, by the catalogue."""

from dataclasses import dataclass

import pulumi

from components.monitoring import catalogue_compute, catalogue_data, catalogue_traffic
from components.monitoring import dashboard as layout
from components.monitoring.alarm import Watched
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.monitoring.dashboard import Dashboard, DashboardArgs
from components.region.functions import RegionFunctions
from components.region.ingress import RegionIngress
from components.region.storage import RegionStore
from components.workload.parameter_sync import ParameterSync
from shared.places import Place
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class RegionWatchArgs:
    place: Place
    settings: RegionSettings
    functions: RegionFunctions
    parameters: ParameterSync
    ingress: RegionIngress
    store: RegionStore


class RegionWatch(pulumi.ComponentResource):
    """Alarms on everything of the region that can fail by itself, and a graph for each."""

    def __init__(self, name: str, args: RegionWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionWatch", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names, region = args.settings.names, args.settings.region(args.place)
        watched = [*_functions(args.functions), *args.parameters.watched, *_ingress(args.ingress), *_store(args)]
        Alarms(
            "alarms",
            AlarmsArgs(
                prefix=names.regional("alarm", args.place),
                region=region,
                topic_arn=args.store.topic.arn,
                watched=watched,
                composite=names.regional("alarm-region", args.place),
            ),
            opts=child,
        )
        front_door, api = args.ingress.front_door, args.ingress.api
        traffic = [
            layout.front_door_traffic(region, front_door.nlb_arn_suffix),
            layout.api_traffic(region, api.name, api.stage),
        ]
        Dashboard(
            "dashboard",
            DashboardArgs(
                name=names.regional("dashboard", args.place),
                sections=[
                    layout.Section(title="Traffic", widgets=traffic),
                    layout.Section(title="Alarms", widgets=layout.watched(region, watched)),
                ],
            ),
            opts=child,
        )
        self.register_outputs({})


def _functions(functions: RegionFunctions) -> list[Watched]:
    """A function that reads a stream can fall behind it; one that is started by events can lose them."""
    alarms = {
        functions.payments: catalogue_compute.FUNCTION,
        functions.health: catalogue_compute.FUNCTION,
        functions.ledger: catalogue_compute.STREAM_FUNCTION,
        functions.recovery: catalogue_compute.FUNCTION,
        functions.sentinel: catalogue_compute.ASYNC_FUNCTION,
        **dict.fromkeys(functions.plan_steps.values(), catalogue_compute.FUNCTION),
    }
    machines = {"failover": functions.failover, "failback": functions.failback}
    return [
        *(
            Watched(
                name=function.label,
                alarms=chosen,
                dimensions={"function": function.name},
                limits={"timeout_ms": function.timeout * 1000},
            )
            for function, chosen in alarms.items()
        ),
        *(
            Watched(name=name, alarms=catalogue_compute.STATE_MACHINE, dimensions={"machine": machine.arn})
            for name, machine in machines.items()
        ),
    ]


def _ingress(ingress: RegionIngress) -> list[Watched]:
    front_door, api = ingress.front_door, ingress.api
    return [
        Watched(
            name="alb",
            alarms=catalogue_traffic.LOAD_BALANCER,
            dimensions={"load_balancer": front_door.alb_arn_suffix},
        ),
        Watched(
            name="nlb",
            alarms=catalogue_traffic.TARGETS,
            dimensions={
                "load_balancer": front_door.nlb_arn_suffix,
                "target_group": front_door.target_group_arn_suffix,
            },
        ),
        Watched(name="api", alarms=catalogue_traffic.API, dimensions={"api": api.name, "stage": api.stage}),
        Watched(
            name="certificate",
            alarms=catalogue_traffic.CERTIFICATE,
            dimensions={"certificate": ingress.certificate.arn},
        ),
    ]


def _store(args: RegionWatchArgs) -> list[Watched]:
    vault = args.store.vault.name
    other = args.settings.names.regional("vault", args.place.other)
    return [
        Watched(
            name="dead-letters",
            alarms=catalogue_compute.DEAD_LETTER_QUEUE,
            dimensions={"queue": args.store.dead_letters.name},
        ),
        Watched(name="vault", alarms=catalogue_data.BACKUP_VAULT, dimensions={"vault": vault}),
        # A copy is counted under the vault it goes to; in which region, AWS does not say: both are watched.
        Watched(name="copies-here", alarms=catalogue_data.BACKUP_COPIES, dimensions={"vault": vault}),
        Watched(name="copies-there", alarms=catalogue_data.BACKUP_COPIES, dimensions={"vault": other}),
    ]
