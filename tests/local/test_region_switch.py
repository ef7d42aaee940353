"""The steps of the Region switch plan with a real database: the test plays ARC, calls them, moves the database."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from components.compute import function
from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.recovery_deployment import recovery_world
from tests.local.recovery_world import RecoveryWorld

pytestmark = pytest.mark.nightly
SPEED = 120.0
# What a plan might send; nobody looks at it.
EVENT = {"any": "thing"}


@pytest.fixture
def world(planes: LocalAws) -> Iterator[RecoveryWorld]:
    with recovery_world(planes, f"test-{uuid.uuid4().hex[:8]}", SPEED) as made:
        for region in (EAST_1, EAST_2):
            for step in ("fence", "prove"):
                _deploy(made, region, step)
        yield made


def _deploy(world: RecoveryWorld, region: str, step: str) -> None:
    """As `components.workload.recovery.region_switch_steps`: the code and environment of `recovery`, with
    another handler."""
    client = world.aws.client("lambda", region)
    variables = client.get_function_configuration(FunctionName=f"{world.name}-recovery")["Environment"]["Variables"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path, text in function.sources("recovery").items():
            file.writestr(path, text)
    client.create_function(
        FunctionName=f"{world.name}-{step}",
        Runtime="python3.11",
        Handler="recovery.region_switch.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Code={"ZipFile": archive.getvalue()},
        Timeout=120,
        Environment={"Variables": {**variables, "REGION_SWITCH_STEP": step}},
    )


def refused(world: RecoveryWorld, step: str, region: str) -> str:
    """Name and message of the error that the step ends with."""
    answer = world.aws.client("lambda", region, read_timeout=120).invoke(
        FunctionName=f"{world.name}-{step}", Payload=json.dumps(EVENT)
    )
    reported: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" in answer, reported
    return f"{reported['errorType']}: {reported['errorMessage']}"


def move_the_database(world: RecoveryWorld, region: str) -> None:
    """As the plan's block for Aurora does without loss, once it has moved."""
    rds = world.aws.client("rds", EAST_1)
    rds.switchover_global_cluster(GlobalClusterIdentifier=world.name, TargetDbClusterIdentifier=world.clusters[region])

    def is_there() -> bool:
        cluster = rds.describe_global_clusters(GlobalClusterIdentifier=world.name)["GlobalClusters"][0]
        writers = [each["DBClusterArn"] for each in cluster["GlobalClusterMembers"] if each["IsWriter"]]
        return cluster["Status"] == "available" and writers == [world.clusters[region]]

    assert eventually(is_there, within=300)


def test_a_plan_leaves_a_region_that_lives_without_a_payment_lost(world: RecoveryWorld) -> None:
    assert world.pay(EAST_1, "before-the-switch") in (201, 202)
    assert "RegionNotReady" in refused(world, "prove", EAST_2), "nothing is proved before the fence"

    fenced = world.invoke("fence", EAST_2, EVENT)
    again = world.invoke("fence", EAST_2, EVENT)
    assert (fenced["changed"], again["changed"], again["epoch"]) == (True, False, fenced["epoch"])
    assert world.control(EAST_1, f"region#{EAST_1}")["state"] == "fenced", "the region that is left knows it itself"

    move_the_database(world, EAST_2)
    world.witness.answers[EAST_1] = "down"
    proved = world.invoke("prove", EAST_2, EVENT)
    once_more = world.invoke("prove", EAST_2, EVENT)

    assert world.control(EAST_2, "control#writer")["region"] == EAST_2
    payments = {each["verification"]["payment_id"] for each in (proved, once_more)}
    assert {"before-the-switch", *payments} <= world.ledger(EAST_2)
    assert len(payments) == 2, "called again, it sends another payment: no id can be guessed"
    assert world.reported(EAST_2)[0][0] == f"failover of {EAST_1} succeeded"

    assert "run a failback, which moves the database as well" in refused(world, "fence", EAST_1)


def test_a_plan_stops_at_the_fence_of_a_region_that_is_lost(world: RecoveryWorld) -> None:
    world.lose(EAST_1)

    assert "PeerUnreachable" in refused(world, "fence", EAST_2)
    assert world.control(EAST_2, f"region#{EAST_1}")["state"] == "fenced", "it stands here, for the failover to go on"
