"""All that a failover touches, deployed on an embedded AWS in both regions with the real functions."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from components.compute import function
from components.failover.failover import failback_definition, failover_definition
from localaws.core.environment import ACCOUNT
from tests.functions.http_endpoint import http_endpoint
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.recovery_world import DATABASE, RecoveryWorld, health_checkers
from tests.local.witness_server import WitnessServer

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
USER, PASSWORD = "bank", "not-a-secret-1"
# Seconds of this machine, an AWS minute of which lasts half a second here.
CONTROL = {
    "CONTROL_LEASE_SECONDS": "5",
    "CONTROL_AWAY_SECONDS": "60",
    "CONTROL_DECISION_SECONDS": "0.5",
    "CONTROL_STATEMENT_SECONDS": "3",
    "CONTROL_WITNESS_TTL_SECONDS": "0.1",
    "PEER_TIMEOUT_MS": "300",
    "PEER_TRIAL_SECONDS": "0.2",
}


@contextmanager
def recovery_world(aws: LocalAws, name: str, speed: float) -> Iterator[RecoveryWorld]:
    """Everything deployed and available."""
    with ExitStack() as stack:
        witness = WitnessServer()
        stack.callback(witness.close)
        endpoints = {region: stack.enter_context(http_endpoint()) for region in (EAST_1, EAST_2)}
        world = RecoveryWorld(aws, name, witness, endpoints, speed)
        _journal(world)
        _database(world)
        for region in (EAST_1, EAST_2):
            _region(world, region, speed)
        stack.enter_context(health_checkers(world))
        # A region that was never confirmed could not take over.
        assert eventually(lambda: all("N" in _checked_at(world, region) for region in (EAST_1, EAST_2)))
        yield world


def _checked_at(world: RecoveryWorld, region: str) -> dict[str, str]:
    """The time at which a health checker last confirmed the region's memory, as an attribute of DynamoDB."""
    key = {"pk": {"S": f"confirmed#{region}"}}
    found = world.aws.client("dynamodb", region).get_item(TableName=world.name, Key=key).get("Item", {})
    checked: dict[str, str] = found.get("checked_at", {})
    return checked


def _journal(world: RecoveryWorld) -> None:
    client = world.aws.client("dynamodb")
    client.create_table(
        TableName=world.name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    client.update_table(TableName=world.name, ReplicaUpdates=[{"Create": {"RegionName": EAST_2}}])


def _database(world: RecoveryWorld) -> None:
    name, engine = world.name, "aurora-postgresql"
    secret = json.dumps({"username": USER, "password": PASSWORD})
    secrets = world.aws.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString=secret)
    secrets.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=[{"Region": EAST_2}])
    world.aws.client("rds").create_global_cluster(GlobalClusterIdentifier=name, Engine=engine)
    master = {"MasterUsername": USER, "MasterUserPassword": PASSWORD, "DatabaseName": DATABASE}
    for region, only_for_writer in ((EAST_1, master), (EAST_2, {})):
        rds = world.aws.client("rds", region)
        made = rds.create_db_cluster(
            DBClusterIdentifier=f"{name}-{region}",
            Engine=engine,
            GlobalClusterIdentifier=name,
            EnableHttpEndpoint=True,
            **only_for_writer,
        )
        world.clusters[region] = made["DBCluster"]["DBClusterArn"]
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{region}-1",
            DBClusterIdentifier=f"{name}-{region}",
            Engine=engine,
            DBInstanceClass="db.serverless",
        )

    def available() -> bool:
        clusters = [
            world.aws.client("rds", region).describe_db_clusters(DBClusterIdentifier=arn)["DBClusters"][0]["Status"]
            for region, arn in world.clusters.items()
        ]
        return clusters == ["available"] * 2

    assert eventually(available, within=300), "the database did not come up"


def _region(world: RecoveryWorld, region: str, speed: float) -> None:
    aws, name, peer = world.aws, world.name, EAST_2 if region == EAST_1 else EAST_1
    for each in (EAST_1, EAST_2):
        for kind in ("load-balancer", "api"):
            aws.client("ssm", region).put_parameter(
                Name=f"/{name}/endpoints/{each}/{kind}", Value=world.endpoints[each].url, Type="String"
            )
    topic = aws.client("sns", region).create_topic(Name=name)["TopicArn"]
    world.queues[region] = aws.client("sqs", region).create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
    aws.client("sns", region).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    aws.client("events", region).create_event_bus(Name=name)
    aws.client("dynamodb", region).create_table(
        TableName=f"{name}-backlog",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    variables = {
        **CONTROL,
        "PLACE": "primary" if region == EAST_1 else "secondary",
        "PEER_REGION": peer,
        "JOURNAL_TABLE": name,
        "JOURNAL_ARBITER_REGION": EAST_1,
        "WITNESS_NAME": world.witness.name(region),
        "PEER_WITNESS_NAME": world.witness.name(peer),
        "WITNESS_RESOLVER": world.witness.address,
        "CLUSTER_ARN": world.clusters[region],
        "PEER_CLUSTER_ARN": world.clusters[peer],
        "GLOBAL_CLUSTER": name,
        "DATABASE_NAME": DATABASE,
        "DATABASE_SECRET": name,
        "DATABASE_ENGINE": "aurora-postgresql",
        "EVENT_BUS": name,
        "BACKLOG_TABLE": f"{name}-backlog",
        "PEER_BACKLOG_TABLE": f"{name}-backlog",
        "POISON_QUEUE_URL": world.queues[region],
        "WRITER_PARAMETER": f"/{name}/database/writer-region",
        "ENDPOINTS_PREFIX": f"/{name}/endpoints",
        "PAYMENTS_FUNCTION": f"{name}-payments",
        "LEDGER_FUNCTION": f"{name}-ledger",
        "ANNOUNCER_FUNCTION": f"{name}-announcer",
        "PEER_LEDGER_FUNCTION": f"{name}-ledger",
        "TOPIC_ARN": topic,
        "COOL_DOWN_SECONDS": "0",
        "VERIFICATION_SECONDS": "600",
        "WRITER_WAIT_SECONDS": "3600",
        "SWITCHOVER_SECONDS": "3600",
        "REPLAY_TIMEOUT_SECONDS": "60",
        "CLIENT_KEY_HASHES": "{}",
        "CLOCK_SPEED": str(speed),
        "SERVICE_VERSION": "test",
        "METRICS_NAMESPACE": "dr-test",
    }
    sources = ("payments", "health", "ledger", "recovery")
    arns = {source: _function(world, source, region, variables) for source in sources}
    stream = aws.client("dynamodb", region).describe_table(TableName=name)["Table"]["LatestStreamArn"]
    aws.client("lambda", region).create_event_source_mapping(
        FunctionName=arns["ledger"],
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    recovery, ledger = arns["recovery"], arns["ledger"]
    definitions = {
        "failover": failover_definition(recovery, ledger, needs_approval=False),
        "asking": failover_definition(recovery, ledger, needs_approval=True),
        "failback": failback_definition(recovery),
    }
    for machine, definition in definitions.items():
        made = aws.client("stepfunctions", region).create_state_machine(
            name=f"{name}-{machine}", definition=definition, roleArn=ROLE
        )
        world.machines[machine, region] = made["stateMachineArn"]
    sentinel = {
        **variables,
        "FAILOVER_ARN": world.machines["failover", region],
        "FAILBACK_ARN": world.machines["failback", region],
        # In seconds of this machine: at the speed of the rest a probe would have no time to be answered.
        "CLOCK_SPEED": "1",
        "PROBE_INTERVAL_SECONDS": "0.2",
        "PROBE_TIMEOUT_SECONDS": "0.2",
        "EAGER_INTERVAL_SECONDS": "0.2",
        "RUN_SECONDS": "1.5",
        "RETRY_SECONDS": "2",
    }
    _function(world, "sentinel", region, sentinel)


def _function(world: RecoveryWorld, source: str, region: str, variables: Mapping[str, str]) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path, text in function.sources(source).items():
            file.writestr(path, text)
    made = world.aws.client("lambda", region).create_function(
        FunctionName=f"{world.name}-{source}",
        Runtime="python3.11",
        Handler=f"{source}.handler.handler",
        Role=ROLE,
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
        Environment={"Variables": dict(variables)},
    )
    return str(made["FunctionArn"])
