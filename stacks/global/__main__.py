"""What exists once, and every edge between the two regional cells. Reads both regional stacks; no one reads it."""

import pulumi
import pulumi_aws as aws

from components.accelerator import Accelerator, AcceleratorArgs, EndpointArgs
from components.database import DATABASE, Database, DatabaseArgs, MemberPlacement
from components.dns import Dns, DnsArgs, RegionDoors
from components.journal import Journal, JournalArgs
from shared import config
from shared.places import Place
from shared.providers import global_provider, regional_provider
from shared.references import GlobalExports, export, region_reference
from shared.settings import GlobalSettings

settings = config.read(GlobalSettings)
names = settings.names
everywhere = global_provider(settings)
providers = {place: regional_provider(settings, place) for place in Place}
regions = {place: region_reference(place) for place in Place}
primary, secondary = regions[Place.PRIMARY], regions[Place.SECONDARY]

journal = Journal(
    "journal",
    JournalArgs(
        name=names.journal_table,
        key_arn=primary.data_key_arn,
        replica_region=settings.secondary_region,
        replica_key_arn=secondary.data_key_arn,
    ),
    opts=pulumi.ResourceOptions(providers=[providers[Place.PRIMARY]]),
)
database = Database(
    "database",
    DatabaseArgs(
        names=names,
        engine=settings.engine,
        engine_version=settings.engine_version,
        min_capacity=settings.min_capacity,
        max_capacity=settings.max_capacity,
        placements={
            place: MemberPlacement(
                region=settings.region(place),
                provider=providers[place],
                subnet_group=region.database_subnet_group,
                security_group_id=region.database_security_group_id,
                key_arn=region.data_key_arn,
            )
            for place, region in regions.items()
        },
    ),
    opts=pulumi.ResourceOptions(providers=[providers[Place.PRIMARY]]),
)
accelerator = Accelerator(
    "accelerator",
    AcceleratorArgs(
        name=names.once("accelerator"),
        mode=settings.mode,
        endpoints={
            place: EndpointArgs(region=settings.region(place), nlb_arn=region.nlb_arn)
            for place, region in regions.items()
        },
    ),
    opts=pulumi.ResourceOptions(providers=[everywhere]),
)
existing_zone = None
if not settings.create_zone:
    existing_zone = aws.route53.get_zone_output(
        name=settings.hosted_zone, opts=pulumi.InvokeOutputOptions(provider=everywhere)
    ).zone_id
dns = Dns(
    "dns",
    DnsArgs(
        suffix=settings.suffix,
        zone_name=settings.hosted_zone,
        zone_id=existing_zone,
        service_name=settings.service_name,
        accelerator_name=settings.accelerator_name,
        accelerator_dns_name=accelerator.dns_name,
        accelerator_zone_id=accelerator.hosted_zone_id,
        doors={
            place: RegionDoors(
                region=settings.region(place),
                nlb_dns_name=region.nlb_dns_name,
                nlb_zone_id=region.nlb_zone_id,
                api_id=region.api_id,
                api_stage=region.api_stage,
            )
            for place, region in regions.items()
        },
        check_interval=settings.health_check_interval,
        check_threshold=settings.health_check_threshold,
    ),
    opts=pulumi.ResourceOptions(providers=[everywhere]),
)

export(
    GlobalExports(
        suffix=settings.suffix,
        journal_table=journal.name,
        accelerator_arn=accelerator.arn,
        accelerator_dns_name=accelerator.dns_name,
        accelerator_ips=accelerator.ips,
        zone_id=dns.zone_id,
        zone_name=settings.hosted_zone,
        zone_name_servers=dns.name_servers,
        failover_domain=dns.failover_name,
        global_cluster_id=database.global_cluster_id,
        primary_cluster_arn=database.cluster_arns[Place.PRIMARY],
        secondary_cluster_arn=database.cluster_arns[Place.SECONDARY],
        writer_endpoint=database.writer_endpoint,
        database_name=DATABASE,
        database_secret_arn=database.secret_arn,
    )
)
