"""What exists once, and every edge between the two regional cells. Reads both regional stacks; no one reads it."""

import pulumi
import pulumi_aws as aws

from components.backup.plan import BackupPlan, BackupPlanArgs
from components.backup.restore_testing import RestoreTesting, RestoreTestingArgs
from components.database.global_database import DATABASE, Database, DatabaseArgs, MemberPlacement
from components.edge.accelerator import Accelerator, AcceleratorArgs, EndpointArgs
from components.edge.dns import ApiAlias, Dns, DnsArgs, RegionEndpoints, existing_zone
from components.edge.witness import Witness, WitnessArgs, WitnessVpc
from components.failover.region_switch import RegionSwitch, RegionSwitchArgs
from components.fault_injection.component import FaultInjection, FaultInjectionArgs
from components.messaging.event_endpoint import BusPlacement, EventEndpoint, EventEndpointArgs, endpoint_id
from components.monitoring.global_monitoring import GlobalWatch, GlobalWatchArgs, WatchedRegion
from components.network.peering import PrivatePaths, PrivatePathsArgs, PrivateSide
from components.network.vpc import zone_names
from components.region.links import EndpointUrls, RegionLinks, RegionLinksArgs
from components.storage.bucket_replication import BucketPlacement, BucketReplication, BucketReplicationArgs
from components.storage.journal_table import Journal, JournalArgs
from components.storage.parameters import SeededParameters, SeededParametersArgs
from shared import config, secret_parameters
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
# From an output: asking STS in both regions would end the program as soon as one of them is lost.
account = primary.account


def at(*provider: aws.Provider) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(providers=list(provider))


paths = PrivatePaths(
    "paths",
    PrivatePathsArgs(
        name=names.once("peering"),
        has_nat=settings.nat != "none",
        sides={
            place: PrivateSide(
                region=settings.region(place),
                provider=providers[place],
                vpc_id=region.vpc_id,
                cidr=region.vpc_cidr,
                zones=zone_names(settings.region(place), settings.zones),
                private_route_table_ids=region.private_route_table_ids,
                service_hosts=region.peer_service_hosts,
                service_zone_ids=region.peer_service_zone_ids,
            )
            for place, region in regions.items()
        },
    ),
    opts=at(providers[Place.PRIMARY]),
)
journal = Journal(
    "journal",
    JournalArgs(
        name=names.journal_table,
        key_arn=primary.data_key_arn,
        replica_region=settings.secondary_region,
        replica_key_arn=secondary.data_key_arn,
        protected=settings.protection,
    ),
    opts=at(providers[Place.PRIMARY]),
)
database = Database(
    "database",
    DatabaseArgs(
        names=names,
        engine=settings.engine,
        engine_version=settings.engine_version,
        min_capacity=settings.min_capacity,
        max_capacity=settings.max_capacity,
        protected=settings.protection,
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
    opts=at(providers[Place.PRIMARY]),
)
BucketReplication(
    "buckets",
    BucketReplicationArgs(
        names=names,
        buckets={
            place: BucketPlacement(
                region=settings.region(place),
                provider=providers[place],
                name=region.bucket_name,
                arn=region.bucket_arn,
                key_arn=region.data_key_arn,
            )
            for place, region in regions.items()
        },
    ),
    opts=at(providers[Place.PRIMARY]),
)
BackupPlan(
    "backup",
    BackupPlanArgs(
        name=names.once("backup"),
        role_name=names.once("role-backup"),
        vault_name=primary.vault_name,
        copy_vault_arn=secondary.vault_arn,
        retention_days=settings.backup_retention_days,
        resources=[journal.arn, database.cluster_arns[Place.PRIMARY], primary.bucket_arn],
    ),
    opts=at(providers[Place.PRIMARY]),
)
# On the copies: that they can be restored is what counts when the first region is gone.
RestoreTesting(
    "restore-testing",
    RestoreTestingArgs(
        name=names.restore_testing,
        role_name=names.once("role-restore-testing"),
        vault_arn=secondary.vault_arn,
        key_arn=secondary.data_key_arn,
        database_subnet_group=secondary.database_subnet_group,
        selection_days=settings.backup_retention_days,
    ),
    opts=at(providers[Place.SECONDARY]),
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
    opts=at(everywhere),
)
dns = Dns(
    "dns",
    DnsArgs(
        suffix=settings.suffix,
        zone_name=settings.hosted_zone,
        existing=None if settings.create_zone else existing_zone(settings.hosted_zone, everywhere),
        service_name=settings.service_name,
        accelerator_name=settings.accelerator_name,
        accelerator_dns_name=accelerator.dns_name,
        accelerator_zone_id=accelerator.hosted_zone_id,
        endpoints={
            place: RegionEndpoints(
                region=settings.region(place),
                nlb_dns_name=region.nlb_dns_name,
                nlb_zone_id=region.nlb_zone_id,
                api_id=region.api_id,
                api_stage=region.api_stage,
                api_domain=None
                if settings.create_zone
                else ApiAlias(name=settings.api_name, host=region.api_domain_host, zone_id=region.api_domain_zone_id),
            )
            for place, region in regions.items()
        },
        check_interval=settings.health_check_interval,
        check_threshold=settings.health_check_threshold,
    ),
    opts=at(everywhere),
)
witness = Witness(
    "witness",
    WitnessArgs(
        suffix=settings.suffix,
        zone_name=settings.hosted_zone,
        zone_id=dns.zone_id,
        checks={place: [dns.api_checks[place], dns.nlb_checks[place]] for place in Place},
        vpcs=[WitnessVpc(vpc_id=region.vpc_id, region=settings.region(place)) for place, region in regions.items()],
    ),
    opts=at(everywhere),
)
SeededParameters(
    "parameters",
    SeededParametersArgs(
        names=names,
        key_arn=primary.data_key_arn,
        writer_endpoint=database.writer_endpoint,
        writer_region=settings.primary_region,
        flags=settings.feature_flags,
        secrets=config.secrets(secret_parameters.SETTING),
    ),
    opts=at(providers[Place.PRIMARY]),
)
events = EventEndpoint(
    "events",
    EventEndpointArgs(
        names=names,
        bus_name=names.bus,
        account=account,
        buses={
            place: BusPlacement(region=settings.region(place), arn=region.bus_arn, key_arn=region.data_key_arn)
            for place, region in regions.items()
        },
        topic_arn=primary.topic_arn,
        front_door_check_id=dns.nlb_checks[Place.PRIMARY],
    ),
    opts=at(providers[Place.PRIMARY]),
)
endpoint_urls = {
    settings.region(place): EndpointUrls(
        load_balancer=pulumi.Output.concat("https://", region.nlb_dns_name), api=region.api_url
    )
    if settings.nat != "none"
    # Without NAT a function finds the one door that answers inside (docs/decisions/0002-private-ways-to-aws.md).
    else EndpointUrls(
        load_balancer=pulumi.Output.concat("https://", region.alb_dns_name),
        api=pulumi.Output.concat("https://", region.alb_dns_name),
    )
    for place, region in regions.items()
}
for place, region in regions.items():
    RegionLinks(
        f"links-{place}",
        RegionLinksArgs(
            place=place,
            region=settings.region(place),
            account=account,
            names=names,
            stream_arn=journal.stream_arns[place],
            ledger=region.ledger_function,
            sentinel=region.sentinel_function,
            sentinel_arn=region.sentinel_function_arn,
            dead_letter_arn=region.dead_letter_arn,
            topic_arn=region.topic_arn,
            key_arn=region.data_key_arn,
            endpoints=endpoint_urls,
            event_endpoint_id=events.url.apply(endpoint_id),
        ),
        opts=at(providers[place]),
    )
watch = GlobalWatch(
    "watch",
    GlobalWatchArgs(
        names=names,
        journal_table=journal.name,
        accelerator_arn=accelerator.arn,
        regions={
            place: WatchedRegion(
                region=settings.region(place),
                provider=providers[place],
                topic_arn=region.topic_arn,
                bucket=region.bucket_name,
                cluster=names.regional("aurora", place),
                vault=region.vault_name if place is Place.PRIMARY else None,
                nlb_arn_suffix=region.nlb_arn_suffix,
                api_name=region.api_name,
                api_stage=region.api_stage,
                health_checks={"api": dns.api_checks[place], "nlb": dns.nlb_checks[place]},
            )
            for place, region in regions.items()
        },
    ),
    opts=at(providers[Place.PRIMARY]),
)
if settings.fault_injection:
    for place, region in regions.items():
        FaultInjection(
            f"fault-injection-{place}",
            FaultInjectionArgs(
                names=names,
                place=place,
                environment=settings.environment,
                region=settings.region(place),
                peer_region=settings.region(place.other),
                account=account,
                vpc_id=region.vpc_id,
                private_subnet_ids=region.private_subnet_ids,
                bucket_arn=region.bucket_arn,
                key_arn=region.data_key_arn,
            ),
            opts=at(providers[place]),
        )
if settings.region_switch:
    RegionSwitch(
        "region-switch",
        RegionSwitchArgs(
            names=names,
            account=account,
            regions={place: settings.region(place) for place in Place},
            global_cluster=database.global_cluster_id,
            cluster_arns=database.cluster_arns,
        ),
        opts=at(everywhere),
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
        peering_connection_id=paths.connection_id,
        event_endpoint_id=events.url.apply(endpoint_id),
        dashboard_name=watch.dashboard,
        witness_names=[witness.names[place] for place in Place],
    )
)
