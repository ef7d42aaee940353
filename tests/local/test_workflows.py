"""The state machines at work, with the real functions, a real database, and a region that is really gone."""

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.recovery_deployment import recovery_world
from tests.local.recovery_world import RecoveryWorld
from tests.tiers import starts

SPEED = 120.0


@pytest.fixture
@starts("stack")
def world(planes: LocalAws) -> Iterator[RecoveryWorld]:
    with recovery_world(planes, f"test-{uuid.uuid4().hex[:8]}", SPEED) as made:
        yield made


def test_a_lost_region_is_taken_over_from_and_brought_back_without_a_payment_lost(world: RecoveryWorld) -> None:
    assert world.pay(EAST_1, "before-the-loss") in (201, 202)
    assert eventually(lambda: "before-the-loss" in world.ledger(EAST_1))
    world.lose(EAST_1)
    assert world.pay(EAST_2, "during-the-loss") == 202

    failover = world.run("failover", EAST_2, {"region": EAST_1, "epoch": 0, "by": "test"})

    document = failover["document"]
    assert failover["status"] == "SUCCEEDED", (failover.get("error"), failover.get("cause"))
    assert document["preconditions"]["met"], document["preconditions"]["reason"]
    assert document["change"]["state"] == "started"
    assert document["fence"]["peer"] != "in-sync"
    assert {"before-the-loss", "during-the-loss", document["verification"]["payment_id"]} <= world.ledger(EAST_2)
    assert (world.control(EAST_2, "control#writer")["region"], world.control(EAST_2, f"region#{EAST_1}")["state"]) == (
        EAST_2,
        "fenced",
    )
    assert {"fence", "writer_change", "replay", "verification", "run"} <= document["metrics"]["seconds"].keys()
    ((subject, message),) = world.reported(EAST_2)
    assert subject == f"failover of {EAST_1} succeeded"
    assert message["metrics"]["payments"]["missing"] == message["metrics"]["payments"]["posted"]

    again = world.run("failover", EAST_2, {"region": EAST_1, "epoch": 0, "by": "test"})
    assert (again["status"], again["document"]["preconditions"]["met"]) == ("SUCCEEDED", False)

    world.heal(EAST_1)
    assert eventually(lambda: world.control(EAST_1, f"region#{EAST_1}").get("state") == "fenced")
    # The machine waits for it too, but for AWS minutes, which are seconds here, whatever PostgreSQL needs.
    assert eventually(lambda: synchronization(world) == {"connected"}), "the old writer, made anew"
    run = world.start("failback", EAST_2, {"region": EAST_1})
    assert eventually(lambda: world.control(EAST_1, f"region#{EAST_1}")["state"] == "active"), world.end(run)["cause"]
    world.open(EAST_1)
    failback = world.end(run)

    assert failback["status"] == "SUCCEEDED", (failback.get("error"), failback.get("cause"))
    assert world.control(EAST_1, f"region#{EAST_1}")["state"] == "active"
    assert world.control(EAST_1, "control#writer")["region"] == EAST_1
    back = failback["document"]["verification"]["payment_id"]
    assert {"before-the-loss", "during-the-loss", document["verification"]["payment_id"], back} <= world.ledger(EAST_1)
    assert [subject for subject, _ in world.reported(EAST_2)] == [f"failback of {EAST_1} succeeded"]


@pytest.mark.nightly
def test_a_region_whose_database_lives_is_left_without_loss(world: RecoveryWorld) -> None:
    assert world.pay(EAST_1, "before-the-outage") in (201, 202)
    assert eventually(lambda: "before-the-outage" in world.ledger(EAST_1))
    world.lose_journal(EAST_1)
    assert world.pay(EAST_2, "during-the-outage") == 202

    failover = world.run("failover", EAST_2, {"region": EAST_1, "epoch": 0, "by": "test"})

    document = failover["document"]
    assert failover["status"] == "SUCCEEDED", (failover.get("error"), failover.get("cause"))
    assert (document["change"]["state"], document["change"]["method"]) == ("started", "switchover")
    assert document["switchover"]["state"] == "done"
    assert document["metrics"]["writer_change"] == "switchover without data loss"
    assert {"before-the-outage", "during-the-outage", document["verification"]["payment_id"]} <= world.ledger(EAST_2)
    assert states_of_members(world) == {EAST_1: False, EAST_2: True}
    ((_, message),) = world.reported(EAST_2)
    assert message["metrics"]["writer_change"] == "switchover without data loss"


@pytest.mark.nightly
def test_the_sentinel_starts_the_failover_of_a_lost_region_once(world: RecoveryWorld) -> None:
    watched = world.invoke("sentinel", EAST_2, {})
    world.lose(EAST_1)

    decided = [world.invoke("sentinel", EAST_2, {})["decisions"] for _ in range(2)]

    assert watched == {"decisions": {"peer-answers": watched["decisions"]["peer-answers"]}}
    assert decided[0]["peer-lost"] == 1
    assert decided[0]["run-in-progress"] >= 1
    assert "peer-lost" not in decided[1]
    (run,) = world.aws.client("stepfunctions", EAST_2).list_executions(
        stateMachineArn=world.machines["failover", EAST_2]
    )["executions"]
    assert run["name"] == f"failover-{EAST_1}-0-0-0"
    assert world.end(run["executionArn"])["document"]["metrics"]["seconds"]["detection"] > 0


@pytest.mark.nightly
def test_the_sentinel_has_a_failover_finished_that_failed_after_it_moved_the_writer(world: RecoveryWorld) -> None:
    assert world.pay(EAST_1, "before-the-loss") in (201, 202)
    world.invoke("sentinel", EAST_2, {})
    world.set_handler("ledger", EAST_2, "ledger.handler.nothing")
    world.lose(EAST_1)
    assert world.pay(EAST_2, "during-the-loss") == 202
    states = world.aws.client("stepfunctions", EAST_2)

    def runs(status: str) -> list[str]:
        """Names of the failover's runs, read after the sentinel has run."""
        world.invoke("sentinel", EAST_2, {})
        found = states.list_executions(stateMachineArn=world.machines["failover", EAST_2], statusFilter=status)
        return [run["name"] for run in found["executions"]]

    assert eventually(lambda: f"failover-{EAST_1}-0-0-0" in runs("FAILED"), within=300)
    assert world.control(EAST_2, "control#writer")["region"] == EAST_2
    assert world.ledger(EAST_2).isdisjoint({"during-the-loss"}), "there was nothing to fail"
    world.set_handler("ledger", EAST_2, "ledger.handler.handler")

    (name,) = eventually(lambda: runs("SUCCEEDED"), within=300)

    assert name.startswith(f"failover-{EAST_1}-1-1-"), "it was decided on the state that the first run left"
    arn = f"{world.machines['failover', EAST_2].replace(':stateMachine:', ':execution:')}:{name}"
    document = world.end(arn)["document"]
    assert (document["preconditions"]["resumes"], document["change"]["state"]) == (True, "already-writer")
    assert {"before-the-loss", "during-the-loss", document["verification"]["payment_id"]} <= world.ledger(EAST_2)
    assert len(runs("SUCCEEDED")) == 1, "what is done is not done again"


@pytest.mark.nightly
def test_people_decide_about_the_database_where_they_are_asked(world: RecoveryWorld) -> None:
    world.lose(EAST_1)
    states = world.aws.client("stepfunctions", EAST_2)
    run = world.start("asking", EAST_2, {"region": EAST_1})
    ((subject, question),) = eventually(lambda: world.reported(EAST_2))
    assert subject == f"Approval needed: promote the database in {EAST_2}"
    assert world.control(EAST_2, f"region#{EAST_1}")["state"] == "fenced", "traffic must not wait for people"
    assert "control#writer" not in world.control(EAST_2, "control#writer").values()

    token = question["decline"].split("--task-token '")[1].split("'")[0]
    states.send_task_failure(taskToken=token, error="Declined", cause="not tonight")
    ended = world.end(run)

    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Declined", "not tonight")
    ((subject, message),) = world.reported(EAST_2)
    assert subject == f"failover of {EAST_1} failed"
    assert message["failure"] == {"Cause": "not tonight", "Error": "Declined"}
    members = states_of_members(world)
    assert members == {EAST_1: True, EAST_2: False}, "the writer moved against people's word"


@pytest.mark.nightly
def test_a_failback_to_a_region_that_is_still_lost_fails_and_changes_nothing(world: RecoveryWorld) -> None:
    world.aws.client("dynamodb", EAST_2).put_item(
        TableName=world.name,
        Item={"pk": {"S": f"region#{EAST_1}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}},
    )
    world.lose(EAST_1)

    ended = world.run("failback", EAST_2, {"region": EAST_1, "writer_region": EAST_1}, within=300)

    assert ended["status"] == "FAILED"
    assert f"of {EAST_1} reports status 503" in json.loads(ended["cause"])["errorMessage"]
    assert world.control(EAST_2, f"region#{EAST_1}")["state"] == "fenced"
    assert [subject for subject, _ in world.reported(EAST_2)] == [f"failback of {EAST_1} failed"]


def synchronization(world: RecoveryWorld) -> set[str]:
    """Of all members, by RDS."""
    found = world.aws.client("rds", EAST_2).describe_global_clusters(GlobalClusterIdentifier=world.name)
    return {member["SynchronizationStatus"] for member in found["GlobalClusters"][0]["GlobalClusterMembers"]}


def states_of_members(world: RecoveryWorld) -> dict[str, bool]:
    """Whether each region's member is the writer, by RDS."""
    found = world.aws.client("rds", EAST_2).describe_global_clusters(GlobalClusterIdentifier=world.name)
    members = found["GlobalClusters"][0]["GlobalClusterMembers"]
    return {member["DBClusterArn"].split(":")[3]: member["IsWriter"] for member in members}
