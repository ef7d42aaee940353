"""A regional cell: everything a region needs to take payments on its own. Both places are this component."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.compute.function import dependencies
from components.database.global_database import DatabasePlacement, DatabasePlacementArgs
from components.network.endpoints import InterfaceEndpoints, InterfaceEndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.vpc import Network, NetworkArgs
from components.region.functions import RegionFunctions, RegionFunctionsArgs
from components.region.ingress import RegionIngress, RegionIngressArgs
from components.region.monitoring import RegionMonitoring, RegionMonitoringArgs
from components.region.storage import RegionStorage, RegionStorageArgs
from components.workload.context import FunctionContext
from shared.outputs import PeerServicesOutputs
from shared.places import Place
from shared.references import RegionExports, TextInput, TextsInput
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class RegionArgs:
    place: Place
    settings: RegionSettings
    account: pulumi.Input[str]
    zone_id: pulumi.Input[str] | None  # of an existing hosted zone
    client_keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)  # by client


class Region(pulumi.ComponentResource):
    """Network, key, storage, functions, ingress and alarms of one region. It reads no other stack: names that it shares
    with others are derived on both sides (`shared.naming`)."""

    exports: RegionExports

    def __init__(self, name: str, args: RegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:Region", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, place = args.settings, args.place
        names, region = settings.names, settings.region(place)
        vpc_name = names.regional("vpc", place)

        network = Network(
            "network",
            NetworkArgs(
                name=vpc_name,
                region=region,
                cidr=settings.cidr(place),
                zones=settings.zone_names(place),
                nat=settings.nat,
            ),
            opts=child,
        )
        storage = RegionStorage(
            "storage", RegionStorageArgs(place=place, settings=settings, account=args.account), opts=child
        )
        FlowLogs(
            "flow-logs",
            FlowLogsArgs(
                name=vpc_name,
                role_name=names.regional("role-flow-logs", place),
                region=region,
                account=args.account,
                vpc_id=network.vpc_id,
                key_arn=storage.key_arn,
                retention_days=settings.log_retention_days,
            ),
            opts=child,
        )
        database = DatabasePlacement(
            "database",
            DatabasePlacementArgs(
                subnet_group_name=names.regional("subnets-database", place),
                security_group_name=names.regional("database", place),
                vpc_id=network.vpc_id,
                subnet_ids=network.private_subnet_ids,
            ),
            opts=child,
        )
        context = FunctionContext(
            place=place,
            settings=settings,
            account=args.account,
            network=network,
            key_arn=storage.key_arn,
            dead_letters=storage.dead_letters,
            topic_arn=storage.topic.arn,
            layers=[dependencies(names.regional("layer-dependencies", place), opts=child)],
        )
        functions = RegionFunctions(
            "functions", RegionFunctionsArgs(context=context, client_keys=args.client_keys), opts=child
        )
        peer_services: PeerServicesOutputs[TextInput, TextsInput] = PeerServicesOutputs(hosts=[], zone_ids=[])
        # Only where there is no NAT, through which AWS is reached at a fifth of the price.
        if settings.nat == "none":
            peer_services = InterfaceEndpoints(
                "endpoints",
                InterfaceEndpointsArgs(
                    name=vpc_name,
                    region=region,
                    vpc_id=network.vpc_id,
                    subnet_ids=network.private_subnet_ids,
                    clients={each.label: each.security_group_id for each in functions.by_name.values()},
                    peer_cidr=settings.cidr(place.other),
                ),
                opts=child,
            ).outputs
        ingress = RegionIngress(
            "ingress",
            RegionIngressArgs(
                place=place,
                settings=settings,
                network=network,
                key_arn=storage.key_arn,
                log_bucket=storage.log_bucket.name,
                function=functions.by_name["payments"],
                health_function=functions.by_name["health"],
                probers={each.label: each.security_group_id for each in functions.probers},
                zone_id=args.zone_id,
                client_keys=args.client_keys,
            ),
            opts=child,
        )
        RegionMonitoring(
            "monitoring",
            RegionMonitoringArgs(place=place, settings=settings, functions=functions, ingress=ingress, storage=storage),
            opts=child,
        )
        self.exports = RegionExports(
            place=str(place),
            region=region,
            account=args.account,
            suffix=settings.suffix,
            network=network.outputs,
            peer_services=peer_services,
            database=database.outputs,
            ingress=ingress.outputs,
            compute=functions.outputs,
            storage=storage.outputs,
            messaging=storage.messaging_outputs,
        )
        self.register_outputs({"vpc_id": network.vpc_id, "api_url": ingress.api.url})


def account_id(provider: aws.Provider) -> pulumi.Output[str]:
    """The account that a stack deploys to; looked up once by the stack program and passed to components."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id
