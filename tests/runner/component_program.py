"""A Pulumi program with every component that no stack wires yet, in both regions; deployed by test_components.py."""

import json

import pulumi
import pulumi_aws as aws

from components.backup.plan import BackupPlan, BackupPlanArgs
from components.backup.restore_testing import RestoreTesting, RestoreTestingArgs
from components.backup.vault import BackupVault, BackupVaultArgs
from components.edge.witness import Witness, WitnessArgs
from components.ingress.api_auth import ApiAccess, ApiAccessArgs
from components.ingress.certificate import IssuedCertificate, IssuedCertificateArgs
from components.ingress.rest_api import ApiDomain, ApiDomainArgs
from components.ingress.waf import WebAcl, WebAclArgs, WebAclLogs
from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.messaging.event_bus import EventBus, EventBusArgs, bus_arn
from components.messaging.event_endpoint import EventEndpoint, EventEndpointArgs
from components.messaging.topic import Topic, TopicArgs
from components.monitoring import catalogue_compute, dashboard
from components.monitoring.alarm import Watched
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.monitoring.dashboard import Dashboard, DashboardArgs
from components.network.endpoints import InterfaceEndpoints, InterfaceEndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.peering import CrossRegionNetwork, CrossRegionNetworkArgs
from components.network.vpc import Network, NetworkArgs
from components.storage.bucket import Bucket, BucketArgs
from components.storage.bucket_replication import BucketReplication, BucketReplicationArgs
from components.storage.kms_key import DataKey, DataKeyArgs
from components.storage.log_bucket import LogBucket, LogBucketArgs
from shared.naming import Names
from shared.places import Place
from tests.handles import handles

ACCOUNT = "000000000000"
REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}
CIDRS = {Place.PRIMARY: "10.30.0.0/16", Place.SECONDARY: "10.31.0.0/16"}
names = Names("parts")
providers = {place: aws.Provider(str(place), region=region) for place, region in REGIONS.items()}
at = {place: pulumi.ResourceOptions(providers=[provider]) for place, provider in providers.items()}
zone = aws.route53.Zone(
    "zone", name="parts.example", force_destroy=True, opts=pulumi.ResourceOptions(provider=providers[Place.PRIMARY])
)
zones = {place: [f"{region}{letter}" for letter in "ab"] for place, region in REGIONS.items()}

networks, keys, topics, buses, vaults, buckets, doors, endpoints = {}, {}, {}, {}, {}, {}, {}, {}
for place, region in REGIONS.items():
    own = pulumi.ResourceOptions(provider=providers[place])
    keys[place] = DataKey(
        f"key-{place}", DataKeyArgs(alias=names.data_key_alias, account=ACCOUNT, region=region), opts=at[place]
    )
    networks[place] = Network(
        f"net-{place}",
        NetworkArgs(
            name=names.regional("vpc", place), region=region, cidr=CIDRS[place], zones=zones[place], nat="none"
        ),
        opts=at[place],
    )
    FlowLogs(
        f"flows-{place}",
        FlowLogsArgs(
            name=names.regional("vpc", place),
            role_name=names.regional("role-flows", place),
            region=region,
            account=ACCOUNT,
            vpc_id=networks[place].vpc_id,
            key_arn=keys[place].arn,
            retention_days=7,
        ),
        opts=at[place],
    )
    client = aws.ec2.SecurityGroup(f"client-{place}", vpc_id=networks[place].vpc_id, opts=own)
    endpoints[place] = InterfaceEndpoints(
        f"endpoints-{place}",
        InterfaceEndpointsArgs(
            name=names.regional("vpc", place),
            region=region,
            vpc_id=networks[place].vpc_id,
            subnet_ids=networks[place].private_subnet_ids,
            clients={"payments": client.id},
            peer_cidr=CIDRS[place.other],
        ),
        opts=at[place],
    )
    topics[place] = Topic(
        f"topic-{place}",
        TopicArgs(
            name=names.regional("topic", place),
            region=region,
            account=ACCOUNT,
            key_arn=keys[place].arn,
            email="people@example.com",
        ),
        opts=at[place],
    )
    dead = DeadLetterQueue(
        f"dead-{place}",
        DeadLetterQueueArgs(
            name=names.regional("queue-dead", place),
            key_arn=keys[place].arn,
            event_sources=[bus_arn(region, ACCOUNT, "bus-parts")],
        ),
        opts=at[place],
    )
    buses[place] = EventBus(
        f"bus-{place}",
        EventBusArgs(name="bus-parts", key_arn=keys[place].arn, dead_letter_arn=dead.arn),
        opts=at[place],
    )
    vaults[place] = BackupVault(
        f"vault-{place}",
        BackupVaultArgs(name=f"vault-{place}-parts", key_arn=keys[place].arn, topic_arn=topics[place].arn),
        opts=at[place],
    )
    buckets[place] = Bucket(
        f"bucket-{place}",
        BucketArgs(name=f"objects-{place}-parts", key_arn=keys[place].arn, noncurrent_days=7),
        opts=at[place],
    )
    LogBucket(
        f"logs-{place}",
        LogBucketArgs(name=f"logs-{place}-parts", account=ACCOUNT, retention_days=7),
        opts=at[place],
    )
    certificate = IssuedCertificate(
        f"certificate-{place}",
        IssuedCertificateArgs(names=["pay.parts.example"], zone_id=zone.zone_id, place=place, suffix="parts"),
        opts=at[place],
    )
    document = {"openapi": "3.0.1", "info": {"title": "parts", "version": "1"}, "paths": {}}
    document["paths"] = {
        "/payments": {
            "get": {
                "security": [{"clientKey": []}],
                "responses": {"200": {"description": "all"}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {"default": {"statusCode": "200"}},
                },
            }
        }
    }
    document["components"] = {"securitySchemes": {"clientKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}}}
    document["x-amazon-apigateway-api-key-source"] = "HEADER"
    api = aws.apigateway.RestApi(f"api-{place}", body=json.dumps(document), opts=own)
    deployment = aws.apigateway.Deployment(f"api-{place}", rest_api=api.id, opts=own)
    stage = aws.apigateway.Stage(f"api-{place}", rest_api=api.id, deployment=deployment.id, stage_name="live", opts=own)
    ApiAccess(
        f"access-{place}",
        ApiAccessArgs(
            callers="api-key",
            name=names.regional("plan", place),
            api_id=api.id,
            stage=stage.stage_name,
            execution_arn=api.execution_arn,
            operations=["GET/payments"],
            rate_limit=20,
            daily_quota=1000,
            client_keys={"shop": "s" * 40},
        ),
        opts=at[place],
    )
    ApiAccess(
        f"callers-{place}",
        ApiAccessArgs(
            callers="iam",
            name=names.regional("callers", place),
            api_id=api.id,
            stage=stage.stage_name,
            execution_arn=api.execution_arn,
            operations=["GET/payments"],
            rate_limit=20,
            daily_quota=1000,
        ),
        opts=at[place],
    )
    doors[place] = ApiDomain(
        f"domain-{place}",
        ApiDomainArgs(
            domain_name="pay.parts.example", certificate_arn=certificate.arn, api_id=api.id, stage=stage.stage_name
        ),
        opts=at[place],
    )
    WebAcl(
        f"acl-{place}",
        WebAclArgs(
            name=names.regional("acl", place),
            protects={"stage": stage.arn},
            health_paths=["/live/health"],
            count_by="client-key",
            rate_limit=400,
            logs=WebAclLogs(key_arn=keys[place].arn, retention_days=7),
        ),
        opts=at[place],
    )
    RestoreTesting(
        f"testing-{place}",
        RestoreTestingArgs(
            name=f"testing_{place}",
            role_name=names.regional("role-restore", place),
            vault_arn=vaults[place].arn,
            key_arn=keys[place].arn,
            database_subnet_group="any",
            selection_days=3,
        ),
        opts=at[place],
    )
    function = Watched(
        name="payments",
        alarms=catalogue_compute.FUNCTION,
        dimensions={"function": "payments"},
        limits={"timeout_ms": 10_000},
    )
    queue = Watched(name="dead", alarms=catalogue_compute.DEAD_LETTER_QUEUE, dimensions={"queue": dead.name})
    Alarms(
        f"alarms-{place}",
        AlarmsArgs(
            prefix=names.regional("alarm", place),
            region=region,
            topic_arn=topics[place].arn,
            watched=[function, queue],
            composite=names.regional("region", place),
        ),
        opts=at[place],
    )
    pulumi.export(f"api-{place}", api.id)
    pulumi.export(f"peer-host-{place}", pulumi.Output.from_input(endpoints[place].outputs.hosts)[0])

first = at[Place.PRIMARY]
Dashboard(
    "dashboard",
    DashboardArgs(
        name="dashboard-parts",
        sections=[dashboard.Section(title="Primary", widgets=dashboard.watched("us-east-1", [function]))],
    ),
    opts=first,
)
regions = handles(
    {
        place: {
            "account": ACCOUNT,
            **{f"network.{name}": value for name, value in networks[place].outputs.leaves()},
            **{f"peer_services.{name}": value for name, value in endpoints[place].outputs.leaves()},
            "storage.bucket_name": buckets[place].name,
            "storage.bucket_arn": buckets[place].arn,
            "storage.data_key_arn": keys[place].arn,
            "messaging.bus_arn": buses[place].arn,
            "messaging.topic_arn": topics[place].arn,
        }
        for place in Place
    },
    providers,
)
CrossRegionNetwork(
    "network",
    CrossRegionNetworkArgs(name="peering-parts", regions=regions, zones=2, has_nat=False),
    opts=first,
)
BucketReplication("replication", BucketReplicationArgs(names=names, regions=regions), opts=first)
BackupPlan(
    "backups",
    BackupPlanArgs(
        name="plan-parts",
        role_name="role-backup-parts",
        vault_name=vaults[Place.PRIMARY].name,
        copy_vault_arn=vaults[Place.SECONDARY].arn,
        retention_days=7,
        resources=[buckets[Place.PRIMARY].arn],
    ),
    opts=first,
)
checks = {
    place: [
        aws.route53.HealthCheck(
            f"{door}-{place}",
            type="HTTPS",
            fqdn=f"{door}-{place}.parts.example",
            port=443,
            resource_path="/health",
            request_interval=10,
            failure_threshold=2,
            opts=pulumi.ResourceOptions(provider=providers[Place.PRIMARY]),
        ).id
        for door in ("api", "nlb")
    ]
    for place in Place
}
Witness(
    "witness",
    WitnessArgs(suffix="parts", zone_name="parts.example", zone_id=zone.zone_id, checks=checks, regions=regions),
    opts=first,
)
EventEndpoint(
    "events",
    EventEndpointArgs(names=names, regions=regions, front_door_check_id=checks[Place.PRIMARY][1]),
    opts=first,
)
