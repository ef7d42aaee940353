"""A regional cell: everything a region needs to take payments on its own. Both places are this component."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.api import Api, ApiArgs
from components.api_account import ApiAccount
from components.certificate import CertificateArgs, SelfSignedCertificate
from components.database_placement import DatabasePlacement, DatabasePlacementArgs
from components.front_door import FrontDoor, FrontDoorArgs
from components.function_code import SOURCES
from components.function_layer import dependencies
from components.keys import DataKey, DataKeyArgs
from components.network import Network, NetworkArgs
from components.network_layout import zone_names
from components.payments import PaymentsArgs, payments_function
from shared.naming import LOAD_BALANCER_LIMIT
from shared.places import Place
from shared.references import RegionExports
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class RegionArgs:
    place: Place
    settings: RegionSettings
    account: pulumi.Input[str]


class Region(pulumi.ComponentResource):
    """Network, key, function, front door and API of one place. It knows nothing of any other stack: what it needs from
    there has a name that both derive (`shared.naming`)."""

    exports: RegionExports

    def __init__(self, name: str, args: RegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:Region", name, None, opts)
        place, settings = args.place, args.settings
        names, region = settings.names, settings.region(place)
        child = pulumi.ResourceOptions(parent=self)

        network = Network(
            "network",
            NetworkArgs(
                name=names.regional("vpc", place),
                region=region,
                cidr=settings.cidr(place),
                zones=zone_names(region, settings.zones),
                nat=settings.nat,
            ),
            opts=child,
        )
        key = DataKey("data", DataKeyArgs(alias=names.data_key_alias, account=args.account, region=region), opts=child)
        database = DatabasePlacement(
            "database",
            DatabasePlacementArgs(
                name=names.regional("subnets-database", place),
                vpc_id=network.vpc_id,
                subnet_ids=network.private_subnet_ids,
            ),
            opts=child,
        )
        payments = payments_function(
            PaymentsArgs(
                place=place,
                settings=settings,
                account=args.account,
                network=network,
                key_arn=key.arn,
                layers=[dependencies(names.regional("layer-dependencies", place), opts=child)],
            ),
            opts=child,
        )
        certificate = SelfSignedCertificate(
            "certificate",
            CertificateArgs(
                names=[settings.service_name, settings.accelerator_name], organization=settings.hosted_zone
            ),
            opts=child,
        )
        front_door = FrontDoor(
            "front-door",
            FrontDoorArgs(
                nlb_name=names.regional("nlb", place, limit=LOAD_BALANCER_LIMIT),
                alb_name=names.regional("alb", place, limit=LOAD_BALANCER_LIMIT),
                vpc_id=network.vpc_id,
                public_subnet_ids=network.public_subnet_ids,
                private_subnet_ids=network.private_subnet_ids,
                internet_gateway=network.internet_gateway,
                certificate_arn=certificate.arn,
                function_arn=payments.arn,
                function_name=payments.name,
                health_interval=settings.health_interval,
                unhealthy_threshold=settings.unhealthy_threshold,
            ),
            opts=child,
        )
        accounts: list[pulumi.Resource] = []
        if settings.manage_api_account:
            accounts.append(ApiAccount("api-account", names.regional("role-api-logs", place), opts=child).account)
        api = Api(
            "api",
            ApiArgs(
                name=names.regional("api-payments", place),
                described=json.loads((SOURCES / "payments" / "openapi.json").read_text()),
                function_name=payments.name,
                function_invoke_arn=payments.invoke_arn,
                rate_limit=settings.api_rate_limit,
                key_arn=key.arn,
                log_retention_days=settings.log_retention_days,
                after=accounts,
            ),
            opts=child,
        )
        self.exports = RegionExports(
            place=str(place),
            region=region,
            suffix=settings.suffix,
            vpc_id=network.vpc_id,
            vpc_cidr=network.cidr,
            public_subnet_ids=network.public_subnet_ids,
            private_subnet_ids=network.private_subnet_ids,
            private_route_table_ids=network.private_route_table_ids,
            data_key_arn=key.arn,
            nlb_arn=front_door.nlb_arn,
            nlb_dns_name=front_door.nlb_dns_name,
            nlb_zone_id=front_door.nlb_zone_id,
            target_group_arn=front_door.target_group_arn,
            service_name=settings.service_name,
            certificate_pem=certificate.pem,
            api_id=api.id,
            api_stage=api.stage,
            api_url=api.url,
            database_subnet_group=database.subnet_group,
            database_security_group_id=database.security_group_id,
            payments_function=payments.name,
        )
        self.register_outputs({"vpc_id": network.vpc_id, "nlb_arn": front_door.nlb_arn, "api_url": api.url})


def account_id(provider: aws.Provider) -> pulumi.Output[str]:
    """The account that a stack deploys to; asked once by the stack program and handed to components."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id
