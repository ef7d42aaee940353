"""Parameters in both regions, by the whole path: component, events, queue, function, alarm."""

import json
import os
import random
from collections.abc import Iterator
from functools import partial

import pytest
from typer.testing import CliRunner

from localaws import launch
from localaws.core.environment import ACCOUNT
from ops import parameters
from ops.environment.search import Environment
from shared.aws_sessions import LocalAccess, Sessions
from shared.naming import Names
from shared.places import Place
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.parameters_world import ENVIRONMENT, PREFIX, SECRET, ParameterWorld, deploy_parameters
from tests.tiers import starts

SEED = int(os.environ.get("SEED", "1"))


@pytest.fixture(scope="module")
@starts("emulator")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParameterWorld]:
    folder = tmp_path_factory.mktemp("parameters")
    with launch.start(log_file=folder / "server.log", speed=60.0) as server:
        yield deploy_parameters(LocalAws(server), folder, folder / "server.log")


def test_seeds_made_in_one_region_are_in_both(world: ParameterWorld) -> None:
    seeded = world.tree(EAST_2)
    assert seeded == world.tree(EAST_1)
    assert seeded[f"{PREFIX}/database/writer-region"] == ("String", EAST_1)
    kind, value = seeded[f"{PREFIX}/external/api-key"]
    assert (kind, len(value)) == ("SecureString", 40)
    (described,) = world.ssm(EAST_2).describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [f"{PREFIX}/external/api-key"]}]
    )["Parameters"]
    assert described["KeyId"] == f"alias/key-data-{ENVIRONMENT}", "under the receiving region's key"
    tags = world.ssm(EAST_2).list_tags_for_resource(ResourceType="Parameter", ResourceId=described["Name"])["TagList"]
    assert {"Key": "Place", "Value": "secondary"} in tags


@pytest.mark.parametrize("region", [EAST_1, EAST_2])
def test_what_is_done_to_a_parameter_in_either_region_is_done_in_the_other(world: ParameterWorld, region: str) -> None:
    there, name = EAST_2 if region == EAST_1 else EAST_1, f"{region}/everything"
    full = f"{PREFIX}/{name}"
    policy = {"Type": "NoChangeNotification", "Version": "1.0", "Attributes": {"After": "20", "Unit": "Days"}}
    more = {"Description": "d", "AllowedPattern": "^x+$", "Tier": "Advanced", "Policies": json.dumps([policy])}

    def there_is(**expected: object) -> bool:
        found = world.ssm(there).describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [full]}])
        return bool(found["Parameters"]) and expected.items() <= found["Parameters"][0].items()

    world.put(name, "x" * 8000, region, **more)
    assert eventually(lambda: there_is(Description="d", AllowedPattern="^x+$", Tier="Advanced"))
    assert world.tree(there)[full] == ("String", "x" * 8000)
    (copied,) = world.ssm(there).get_parameter_history(Name=full)["Parameters"]
    assert json.loads(copied["Policies"][0]["PolicyText"]) == policy

    world.ssm(region).label_parameter_version(Name=full, Labels=["live"])
    world.ssm(region).add_tags_to_resource(
        ResourceType="Parameter", ResourceId=full, Tags=[{"Key": "Owner", "Value": "me"}]
    )
    assert eventually(lambda: _labels_and_owner(world, there, full) == (["live"], "me"))

    world.put(name, "xx", there)
    assert eventually(lambda: world.tree(region)[full][1] == "xx"), "and back"
    # One of each; or two, if both regions' functions saw it at the same time.
    assert 2 <= world.written_by_us(name) <= 4, "the copies were copied"

    world.delete(name, there)
    assert eventually(lambda: full not in world.tree(region))


def _labels_and_owner(world: ParameterWorld, region: str, name: str) -> tuple[list[str], str | None]:
    newest = world.ssm(region).get_parameter_history(Name=name)["Parameters"][-1]
    tags = world.ssm(region).list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    return newest.get("Labels", []), {each["Key"]: each["Value"] for each in tags}.get("Owner")


def test_a_regions_own_parameters_stay_in_it(world: ParameterWorld) -> None:
    world.put("local/endpoints/api", "https://here")
    world.put("shared", "for both")

    assert eventually(lambda: f"{PREFIX}/shared" in world.tree(EAST_2))
    world.reconcile()

    found = world.ssm(EAST_2).get_parameters(Names=[f"{PREFIX}/local/endpoints/api"])
    assert found["InvalidParameters"] == [f"{PREFIX}/local/endpoints/api"]
    assert world.dead_letters() == [], "the rule let through what is the region's own"


def test_disturbed_events_end_in_equal_trees_and_no_value_is_logged(world: ParameterWorld) -> None:
    print(f"seed {SEED}")
    chance, changes = random.Random(SEED), 0
    last: dict[str, str] = {}
    with world.meddled_with(SEED):
        for number in range(60):
            name, region = f"meddled/{chance.randrange(12)}", chance.choice([EAST_1, EAST_2])
            # Parameters of one region only can have no conflict: their last change must not get lost.
            region = EAST_1 if int(name[8:]) % 3 == 0 else EAST_2 if int(name[8:]) % 3 == 1 else region
            world.put(name, f"{SECRET}{number}", region, Type="SecureString")
            last[f"{PREFIX}/{name}"], changes = f"{SECRET}{number}", changes + 1
    for region in (EAST_1, EAST_2):
        assert world.reconcile(region)["failures"] == {}

    assert world.becomes_equal(), (world.tree(EAST_1), world.tree(EAST_2))
    for name, value in last.items():
        if int(name.rpartition("/")[2]) % 3 != 2:
            assert world.tree(EAST_1)[name] == ("SecureString", value), f"the last change of {name} is lost"
    ours = world.written_by_us("meddled/")
    assert 0 < ours <= 2 * changes
    world.reconcile()
    assert world.written_by_us("meddled/") == ours, "it does not come to rest"
    assert SECRET not in world.every_report()


def test_bad_input_becomes_a_dead_letter_with_its_reason_and_sets_the_alarm_off(world: ParameterWorld) -> None:
    queue = world.aws.client("sqs").get_queue_url(QueueName=f"queue-parameters-primary-{ENVIRONMENT}")["QueueUrl"]
    foreign = {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": {"name": "/app/other/x"}}
    for body in ("no json", json.dumps(foreign)):
        world.aws.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    world.put("large", "x" * 8193, Tier="Advanced")

    def reasons() -> str:
        return json.dumps([letter["reasons"] for letter in world.dead_letters()])

    def reported(wanted: str) -> bool:
        return wanted in reasons()

    for wanted in ("not JSON", "it is not below", "8193 bytes"):
        assert eventually(partial(reported, wanted)), f"{wanted}: {reasons()}"
    alarm = f"alarm-primary-{ENVIRONMENT}-parameters-dead-depth"

    def state() -> str:
        (found,) = world.aws.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return str(found["StateValue"])

    assert eventually(lambda: state() == "ALARM"), state()
    world.delete("large")


def test_what_is_lost_with_a_region_is_there_after_one_reconciliation(world: ParameterWorld) -> None:
    print(f"seed {SEED}")
    chance, last = random.Random(SEED), {}
    for number in range(1000):
        if number == 300:
            world.aws.lose(EAST_2)
        if number == 700:
            world.aws.heal(EAST_2)
        region = EAST_1 if 300 <= number < 700 else chance.choice([EAST_1, EAST_2])
        name = f"partition/{chance.randrange(60)}"
        world.put(name, str(number), region)
        last[f"{PREFIX}/{name}"] = ("String", str(number))

    reported = world.reconcile()

    assert reported["failures"] == {}
    assert world.trees_are_equal()
    # One clock here, so that the order of time is the order of changes.
    assert last.items() <= world.tree(EAST_1).items(), "a last change is lost"
    world.reconcile()
    assert last.items() <= world.tree(EAST_1).items(), "events that came late have undone it"


def environment(world: ParameterWorld) -> Environment:
    return Environment(
        name=ENVIRONMENT,
        names=Names(ENVIRONMENT),
        regions={Place.PRIMARY: EAST_1, Place.SECONDARY: EAST_2},
        account=ACCOUNT,
        sessions=Sessions(LocalAccess(endpoint=world.aws.server.endpoint, account=ACCOUNT)),
    )


def test_a_mass_deletion_waits_for_a_person_who_restores_or_allows_it(
    world: ParameterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "environment", lambda *_, **__: environment(world))
    names = [f"many/{number}" for number in range(12)]
    for name in names:
        world.put(name, "x")
    world.reconcile()
    before = world.tree(EAST_1)

    def run(*options: str) -> tuple[int, str]:
        for name in set(names) & {each.removeprefix(f"{PREFIX}/") for each in world.tree(EAST_2)}:
            world.delete(name, EAST_2)
        done = CliRunner().invoke(parameters.app, list(options), env={"COLUMNS": "200"})
        return done.exit_code, done.output + str(done.exception)

    with world.without_events():
        withheld = run("sync")
        after_withheld = world.tree(EAST_1)
        differing = run("diff")
        restored = run("sync", "--restore")
        after_restored = world.tree(EAST_2)
        allowed = run("sync", "--allow-deletions", "12")

    assert (withheld[0] != 0, after_withheld == before) == (True, True), withheld
    assert "ALLOW_DELETIONS=12" in withheld[1]
    assert "ALLOW_DELETIONS=12" in differing[1]
    assert (restored[0], after_restored) == (0, before), restored
    assert allowed[0] == 0, allowed
    assert not set(world.tree(EAST_1)) & {f"{PREFIX}/{name}" for name in names}


def test_people_see_what_differs_and_make_it_equal_without_seeing_a_value(
    world: ParameterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "environment", lambda *_, **__: environment(world))
    with world.without_events():
        world.put("shown", f"{SECRET}shown", EAST_2, Type="SecureString")

        found = CliRunner().invoke(parameters.app, ["diff"], env={"COLUMNS": "200"})
        done = CliRunner().invoke(parameters.app, ["sync"], env={"COLUMNS": "200"})
        again = CliRunner().invoke(parameters.app, ["diff", "--at", "secondary"], env={"COLUMNS": "200"})

    assert (found.exit_code, done.exit_code, again.exit_code) == (1, 0, 0), (found.output, done.output, again.output)
    row = next(line for line in found.output.splitlines() if f"{PREFIX}/shown" in line)
    assert f"missing in {EAST_1}" in row
    assert row.rstrip().endswith(EAST_2), "the side that stays"
    assert f"{PREFIX}/shown" in done.output
    assert world.tree(EAST_1)[f"{PREFIX}/shown"] == ("SecureString", f"{SECRET}shown")
    assert SECRET not in found.output + done.output + again.output
