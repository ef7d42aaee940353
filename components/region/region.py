"""A regional cell: everything a region needs to take payments on its own. Both places are this component."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.compute.function import dependencies
from components.database.placement import DatabasePlacement, DatabasePlacementArgs
from components.network.endpoints import PEER_SERVICES, InterfaceEndpoints, InterfaceEndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.vpc import Network, NetworkArgs, zone_names
from components.region.functions import RegionFunctions, RegionFunctionsArgs
from components.region.ingress import RegionIngress, RegionIngressArgs
from components.region.monitoring import RegionWatch, RegionWatchArgs
from components.region.storage import RegionStore, RegionStoreArgs
from components.storage.kms_key import DataKey, DataKeyArgs
from components.workload.context import Cell
from components.workload.parameter_sync import ParameterSync, ParameterSyncArgs
from shared.places import Place
from shared.references import RegionExports
from shared.settings import RegionSettings

_NONE = pulumi.Output.from_input  # an output that this environment does not use is empty, never missing


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
        self._args, self._settings, self._place = args, args.settings, args.place
        self._names, self._region = args.settings.names, args.settings.region(args.place)
        self._child = pulumi.ResourceOptions(parent=self)

        self._network = self._make_network()
        self._key = DataKey(
            "data",
            DataKeyArgs(alias=self._names.data_key_alias, account=args.account, region=self._region),
            opts=self._child,
        )
        self._store = RegionStore(
            "store",
            RegionStoreArgs(place=self._place, settings=self._settings, account=args.account, key_arn=self._key.arn),
            opts=self._child,
        )
        self._flow_logs()
        self._database = DatabasePlacement(
            "database",
            DatabasePlacementArgs(
                name=self._names.regional("subnets-database", self._place),
                vpc_id=self._network.vpc_id,
                subnet_ids=self._network.private_subnet_ids,
            ),
            opts=self._child,
        )
        cell = self._cell()
        self._functions = RegionFunctions(
            "functions", RegionFunctionsArgs(cell=cell, client_keys=args.client_keys), opts=self._child
        )
        self._parameters = ParameterSync("parameters", ParameterSyncArgs(cell=cell), opts=self._child)
        self._endpoints = self._interface_endpoints()
        self._ingress = RegionIngress(
            "ingress",
            RegionIngressArgs(
                place=self._place,
                settings=self._settings,
                network=self._network,
                key_arn=self._key.arn,
                log_bucket=self._store.log_bucket.name,
                function=self._functions.payments,
                health_function=self._functions.health,
                probers={each.label: each.security_group_id for each in self._functions.probers},
                zone_id=args.zone_id,
                client_keys=args.client_keys,
            ),
            opts=self._child,
        )
        RegionWatch(
            "watch",
            RegionWatchArgs(
                place=self._place,
                settings=self._settings,
                functions=self._functions,
                parameters=self._parameters,
                ingress=self._ingress,
                store=self._store,
            ),
            opts=self._child,
        )
        self.exports = self._exports()
        self.register_outputs({"vpc_id": self._network.vpc_id, "api_url": self._ingress.api.url})

    def _make_network(self) -> Network:
        return Network(
            "network",
            NetworkArgs(
                name=self._names.regional("vpc", self._place),
                region=self._region,
                cidr=self._settings.cidr(self._place),
                zones=zone_names(self._region, self._settings.zones),
                nat=self._settings.nat,
            ),
            opts=self._child,
        )

    def _flow_logs(self) -> None:
        FlowLogs(
            "flow-logs",
            FlowLogsArgs(
                name=self._names.regional("vpc", self._place),
                role_name=self._names.regional("role-flow-logs", self._place),
                region=self._region,
                account=self._args.account,
                vpc_id=self._network.vpc_id,
                key_arn=self._key.arn,
                retention_days=self._settings.log_retention_days,
            ),
            opts=self._child,
        )

    def _cell(self) -> Cell:
        return Cell(
            place=self._place,
            settings=self._settings,
            account=self._args.account,
            network=self._network,
            key_arn=self._key.arn,
            dead_letters=self._store.dead_letters,
            topic_arn=self._store.topic.arn,
            layers=[dependencies(self._names.regional("layer-dependencies", self._place), opts=self._child)],
        )

    def _interface_endpoints(self) -> InterfaceEndpoints | None:
        """Only where there is no NAT, through which AWS is reached at a fifth of the price."""
        if self._settings.nat != "none":
            return None
        return InterfaceEndpoints(
            "endpoints",
            InterfaceEndpointsArgs(
                name=self._names.regional("vpc", self._place),
                region=self._region,
                vpc_id=self._network.vpc_id,
                subnet_ids=self._network.private_subnet_ids,
                clients={
                    each.label: each.security_group_id for each in [*self._functions.all, self._parameters.function]
                },
                peer_cidr=self._settings.cidr(self._place.other),
            ),
            opts=self._child,
        )

    def _exports(self) -> RegionExports:
        network, store, ingress, endpoints = self._network, self._store, self._ingress, self._endpoints
        functions = self._functions
        front_door, api, domain, access = ingress.front_door, ingress.api, ingress.api_domain, ingress.access
        return RegionExports(
            place=str(self._place),
            region=self._region,
            account=self._args.account,
            suffix=self._settings.suffix,
            vpc_id=network.vpc_id,
            vpc_cidr=network.cidr,
            public_subnet_ids=network.public_subnet_ids,
            private_subnet_ids=network.private_subnet_ids,
            private_route_table_ids=network.private_route_table_ids,
            peer_service_hosts=[endpoints.peer_hosts[each] for each in PEER_SERVICES] if endpoints else [],
            peer_service_zone_ids=[endpoints.peer_zone_ids[each] for each in PEER_SERVICES] if endpoints else [],
            data_key_arn=self._key.arn,
            nlb_arn=front_door.nlb_arn,
            nlb_arn_suffix=front_door.nlb_arn_suffix,
            nlb_dns_name=front_door.nlb_dns_name,
            nlb_zone_id=front_door.nlb_zone_id,
            alb_dns_name=front_door.alb_dns_name,
            alb_zone_id=front_door.alb_zone_id,
            target_group_arn=front_door.target_group_arn,
            service_name=self._settings.service_name,
            certificate_arn=ingress.certificate.arn,
            certificate_pem=ingress.certificate.pem,
            api_id=api.id,
            api_name=api.name,
            api_stage=api.stage,
            api_url=api.url,
            api_domain_host=domain.target_host if domain else _NONE(""),
            api_domain_zone_id=domain.target_zone_id if domain else _NONE(""),
            api_caller_policy_arn=access.caller_policy_arn if access else _NONE(""),
            api_usage_plan_id=access.usage_plan_id if access else _NONE(""),
            database_subnet_group=self._database.subnet_group,
            database_security_group_id=self._database.security_group_id,
            payments_function=functions.payments.name,
            health_function=functions.health.name,
            ledger_function=functions.ledger.name,
            recovery_function=functions.recovery.name,
            sentinel_function=functions.sentinel.name,
            parameter_function=self._parameters.function.name,
            sentinel_function_arn=functions.sentinel.arn,
            failover_arn=functions.failover.arn,
            failback_arn=functions.failback.arn,
            dead_letter_arn=store.dead_letters.arn,
            dead_letter_url=store.dead_letters.url,
            bucket_name=store.bucket.name,
            bucket_arn=store.bucket.arn,
            topic_arn=store.topic.arn,
            bus_arn=store.bus.arn,
            vault_name=store.vault.name,
            vault_arn=store.vault.arn,
        )


def account_id(provider: aws.Provider) -> pulumi.Output[str]:
    """The account that a stack deploys to; asked once by the stack program and handed to components."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id
