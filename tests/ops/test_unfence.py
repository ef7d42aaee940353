"""Both regions fenced, ended by a person: the command on moto's tables, with the deployed function's real operation."""

import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from ops.environment.search import Environment
from ops.failover import commands, unfence
from shared.places import Place
from tests.local.embedded import EAST_1, EAST_2
from tests.ops.conftest import Ops
from tests.ops.fenced_world import ACCOUNT, NAMES, TABLE, Aws, World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Both regions fenced, the writer in us-east-2, and nothing under way."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "functions"), *sys.path])
    regions = {Place.PRIMARY: EAST_1, Place.SECONDARY: EAST_2}
    with mock_aws():
        made = World(Aws())
        for place, region in regions.items():
            boto3.client("dynamodb", region_name=region).create_table(
                TableName=TABLE,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            for kind in ("failover", "failback"):
                made.machine(kind, place, region)
        target = Environment(name="dev", names=NAMES, regions=regions, account=ACCOUNT, sessions=made.aws)
        for module in (commands, unfence):
            monkeypatch.setattr(module, "environment", lambda *_, **__: target)
        monkeypatch.setattr(commands, "writer", lambda *_: EAST_2)
        made.fence(EAST_1, epoch=4)
        made.fence(EAST_2, epoch=7)
        made.write_by(EAST_2)
        yield made


@pytest.mark.parametrize(("writer", "other", "epochs"), [(EAST_2, EAST_1, ("8", "4")), (EAST_1, EAST_2, ("5", "7"))])
def test_the_writers_region_is_active_afterwards_in_both_replicas_and_the_other_stays_fenced(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch, writer: str, other: str, epochs: tuple[str, str]
) -> None:
    monkeypatch.setattr(commands, "writer", lambda *_: writer)
    world.write_by(writer)

    answer = ops("unfence", "--reason", "they see each other again", typed="dev\n")

    assert answer.exit_code == 0, answer.output
    for at in (EAST_1, EAST_2):
        assert (world.state(writer, at=at), world.state(other, at=at)) == (("active", epochs[0]), ("fenced", epochs[1]))
    assert world.held(writer)[f"region#{writer}"]["by"].endswith(": they see each other again")
    assert "fenced, epoch 4, since 2026-11-21T09:00:00Z, by failover-x" in answer.output
    assert f"{writer} is active, epoch {epochs[0]}" in answer.output
    assert "make failback ENV=dev" in answer.output


def test_without_the_environments_name_nothing_is_changed(world: World, ops: Ops) -> None:
    before = world.held(EAST_2)

    refused, nobody = ops("unfence", typed="prod\n"), ops("unfence")

    assert (refused.exit_code, nobody.exit_code) == (2, 2), refused.output + nobody.output
    assert world.held(EAST_2) == before


@pytest.mark.parametrize("region", ["us-east-1", "primary"])
def test_the_reader_is_not_made_active(world: World, ops: Ops, region: str) -> None:
    before = world.held(EAST_2)

    refused = ops("unfence", "--region", region, "--yes")

    assert refused.exit_code == 1, refused.output
    assert "us-east-1 (primary) was named, but the database's writer is in us-east-2 (secondary)" in refused.output
    assert world.held(EAST_2) == before
    assert ops("unfence", "--region", "secondary", "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("active", "remedy"), [(EAST_2, "make failback ENV=dev"), (EAST_1, "make failover ENV=dev REGION=us-east-2")]
)
def test_one_fence_is_left_to_the_command_that_ends_it(world: World, ops: Ops, active: str, remedy: str) -> None:
    world.fence(active, epoch=9, state="active")
    before = world.held(EAST_2)

    refused = ops("unfence", "--yes")

    assert refused.exit_code == 1, refused.output
    assert remedy in refused.output
    assert world.held(EAST_2) == before


@pytest.mark.parametrize("written", [True, False])
def test_with_no_region_fenced_there_is_nothing_to_do(world: World, ops: Ops, written: bool) -> None:
    for region in (EAST_1, EAST_2):
        if written:
            world.fence(region, epoch=9, state="active")
        else:
            world.forget(f"region#{region}")
    before = world.held(EAST_2)

    answer = ops("unfence")

    assert answer.exit_code == 0, answer.output
    assert "no region of dev is fenced: there is nothing to do" in answer.output
    assert world.held(EAST_2) == before


def test_a_record_that_changed_meanwhile_is_left_as_it_is(world: World, ops: Ops) -> None:
    world.aws.meanwhile = lambda: world.fence(EAST_2, epoch=9)

    refused = ops("unfence", "--yes")

    assert refused.exit_code == 1, refused.output
    assert "nothing was changed: control record region#us-east-2 is not at epoch 7" in refused.output
    assert world.state(EAST_2, at=EAST_2) == ("fenced", "9")


def test_a_region_that_did_not_respond_is_updated_by_the_same_command_later(world: World, ops: Ops) -> None:
    world.aws.silent = {EAST_1}
    alone = ops("unfence", "--yes")
    assert alone.exit_code == 3, alone.output
    assert "us-east-2 is active by its own replica" in alone.output
    assert "Run the same command again when us-east-1 answers" in alone.output
    assert (world.state(EAST_2, at=EAST_2), world.state(EAST_2, at=EAST_1)) == (("active", "8"), ("fenced", "7"))
    assert "make failback ENV=dev" in ops("unfence", "--yes").output, "what the silent region holds is not known"

    world.aws.silent = set()
    again = ops("unfence", "--yes")

    assert again.exit_code == 0, again.output
    assert world.state(EAST_2, at=EAST_1) == world.state(EAST_2, at=EAST_2) == ("active", "8")


@pytest.mark.parametrize(
    ("kind", "place", "at"), [("failover", Place.PRIMARY, EAST_1), ("failback", Place.SECONDARY, EAST_2)]
)
def test_a_run_that_goes_on_is_waited_for(world: World, ops: Ops, kind: str, place: Place, at: str) -> None:
    arn = world.machine(kind, place, at)
    boto3.client("stepfunctions", region_name=at).start_execution(stateMachineArn=arn, name="still-asking")

    refused = ops("unfence", "--yes")

    assert refused.exit_code == 2, refused.output
    assert f"still-asking is running in {at}" in refused.output
    assert world.state(EAST_2, at=EAST_2) == ("fenced", "7")


def test_a_ledger_that_still_waits_is_reported(world: World, ops: Ops) -> None:
    world.write_by(EAST_1)

    answer = ops("unfence", "--yes")

    assert answer.exit_code == 3, answer.output
    assert world.state(EAST_2, at=EAST_1) == ("active", "8")
    assert "by the control record us-east-1 is the writer" in answer.output


def test_a_region_without_the_function_has_to_be_deployed_first(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfence, "FUNCTION", "function-gone")

    refused = ops("unfence", "--yes")

    assert refused.exit_code == 2, refused.output
    assert "there is no function-gone-secondary-dev in us-east-2" in refused.output
    assert world.state(EAST_2, at=EAST_2) == ("fenced", "7")


@pytest.mark.parametrize(("writer", "status"), [(EAST_1, 0), (EAST_2, 3)])
def test_while_nobody_recorded_a_writer_the_primary_regions_ledger_posts(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch, writer: str, status: int
) -> None:
    monkeypatch.setattr(commands, "writer", lambda *_: writer)
    world.forget("control#writer")

    answer = ops("unfence", "--yes")

    assert answer.exit_code == status, answer.output


@pytest.mark.parametrize(
    ("fenced", "survivor"), [([EAST_1], EAST_2), ([EAST_2], EAST_1), ([EAST_1, EAST_2], EAST_2), ([], EAST_2)]
)
def test_a_failback_is_run_by_the_region_that_is_not_fenced_and_else_by_the_writers(
    world: World, ops: Ops, fenced: list[str], survivor: str
) -> None:
    for region in {EAST_1, EAST_2} - set(fenced):
        world.fence(region, epoch=9, state="active")

    answer = ops("failback", typed="prod\n")

    assert answer.exit_code == 2, answer.output
    assert f"returns to service, run by {survivor}" in answer.output


def test_what_was_recorded_meanwhile_is_posted_with_progress(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfence, "_POLL_SECONDS", 0.0)
    world.aws.replays = [
        "Paused",
        {"done": False, "posted": 1000, "continuation": {"until": "x"}},
        {"done": True, "posted": 1700, "continuation": None},
    ]

    answer = ops("unfence", "--yes")

    assert answer.exit_code == 0, answer.output
    assert answer.output.index("replayed 1000 payments") < answer.output.index("replayed 1700 payments")


def test_a_ledger_that_does_not_post_in_time_is_reported(
    world: World, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfence, "_POSTS_WITHIN", -1.0)
    world.aws.replays = ["Paused"]

    answer = ops("unfence", "--yes")

    assert answer.exit_code == 3, answer.output
    assert (
        "us-east-2 is active, but its ledger does not post yet: ReplayFailed the ledger failed: Paused" in answer.output
    )
