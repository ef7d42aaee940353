"""The global stack: Global Accelerator, Route 53, the Aurora global database, and all links between the two regions."""

import pulumi
import pulumi_aws as aws

from components.database.global_database import DATABASE
from components.edge.dns import existing_zone
from components.global_stack.data import GlobalData, GlobalDataArgs
from components.global_stack.drills import OptionalDrills, OptionalDrillsArgs
from components.global_stack.links import RegionLinks, RegionLinksArgs
from components.global_stack.monitoring import GlobalMonitoring, GlobalMonitoringArgs
from components.global_stack.traffic import GlobalTraffic, GlobalTrafficArgs
from components.messaging.events import EventEndpoint, EventEndpointArgs
from components.network.peering import CrossRegionNetwork, CrossRegionNetworkArgs
from shared import config, secret_parameters
from shared.places import Place
from shared.providers import global_provider
from shared.references import GlobalExports, export, region_handles
from shared.settings import GlobalSettings

settings = config.read(GlobalSettings)
everywhere = global_provider(settings)
regions = region_handles(settings)


def at(provider: aws.Provider) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(providers=[provider])


network = CrossRegionNetwork(
    "network",
    CrossRegionNetworkArgs(
        name=settings.names.shared("peering"),
        regions=regions,
        zones={place: settings.zone_names(place) for place in regions},
        has_nat=settings.nat != "none",
    ),
    opts=at(regions[Place.PRIMARY].provider),
)
data = GlobalData(
    "data",
    GlobalDataArgs(settings=settings, regions=regions, secret_parameters=config.secrets(secret_parameters.SETTING)),
    opts=at(regions[Place.PRIMARY].provider),
)
zone = None if settings.create_zone else existing_zone(settings.hosted_zone, everywhere)
traffic = GlobalTraffic(
    "traffic", GlobalTrafficArgs(settings=settings, regions=regions, existing_zone=zone), opts=at(everywhere)
)
events = EventEndpoint(
    "events",
    EventEndpointArgs(names=settings.names, regions=regions, nlb_check_id=traffic.dns.checks[Place.PRIMARY]["nlb"]),
    opts=at(regions[Place.PRIMARY].provider),
)
for place, region in regions.items():
    RegionLinks(
        f"links-{place}",
        RegionLinksArgs(
            settings=settings, regions=regions, place=place, journal=data.journal, event_endpoint_id=events.id
        ),
        opts=at(region.provider),
    )
monitoring = GlobalMonitoring(
    "monitoring",
    GlobalMonitoringArgs(
        names=settings.names,
        regions=regions,
        journal_table=data.journal.name,
        accelerator_arn=traffic.accelerator.arn,
        health_checks=traffic.dns.checks,
    ),
    opts=at(regions[Place.PRIMARY].provider),
)
OptionalDrills(
    "drills", OptionalDrillsArgs(settings=settings, regions=regions, database=data.database), opts=at(everywhere)
)

export(
    GlobalExports(
        suffix=settings.suffix,
        journal_table=data.journal.name,
        accelerator_arn=traffic.accelerator.arn,
        accelerator_dns_name=traffic.accelerator.dns_name,
        accelerator_ips=traffic.accelerator.ips,
        zone_id=traffic.dns.zone_id,
        zone_name=settings.hosted_zone,
        zone_name_servers=traffic.dns.name_servers,
        failover_domain=settings.service_name,
        global_cluster_id=data.database.global_cluster_id,
        primary_cluster_arn=data.database.cluster_arns[Place.PRIMARY],
        secondary_cluster_arn=data.database.cluster_arns[Place.SECONDARY],
        writer_endpoint=data.database.writer_endpoint,
        database_name=DATABASE,
        database_secret_arn=data.database.secret_arn,
        peering_connection_id=network.connection_id,
        event_endpoint_id=events.id,
        dashboard_name=monitoring.dashboard,
        witness_names=[traffic.witness.names[each] for each in Place],
    )
)
