"""The life of an environment by the real engine: previewed, deployed, changed, moved, refreshed and destroyed by `dr`.

The tests share one deployment. They run in this order, and each leaves the deployment as it found it.
"""

import json
import subprocess
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from shared.places import PROJECTS
from tests.local.embedded import EAST_1, EAST_2, eventually
from tests.matrix import inventory, leftovers
from tests.matrix.inventory import Inventory
from tests.pulumi_engine import reports
from tests.pulumi_engine.conftest import ROOT, SPEED, Environment

REGIONS = (EAST_1, EAST_2)
FAILOVER_SPEED = 5.0
"""At which state machines and functions keep their deadlines on a slow machine."""


@pytest.fixture(scope="module")
def untouched(local: Environment) -> Inventory:
    """The account before the first deployment."""
    return inventory.take(local.aws.client, REGIONS)


@pytest.fixture(scope="module")
def deployed(local: Environment, untouched: Inventory) -> Environment:  # noqa: ARG001
    """The environment with all three stacks, which the first test deploys, unless it was left out."""
    if not all(local.outputs().values()):
        local.dr("deploy", "--yes")
    return local


def test_a_failing_service_stops_what_depends_on_it_and_the_next_deployment_completes(
    local: Environment,
    untouched: Inventory,  # noqa: ARG001
) -> None:
    committed = checkout()
    first = local.dr("preview")
    assert reports.kinds(first) == {"primary": {"create"}, "secondary": {"create"}}
    assert "global was not previewed" in first

    local.aws.control("service", {"region": EAST_2, "service": "apigateway", "fault": "error"})
    failed = local.dr("deploy", "--yes", status=3)
    local.aws.heal(EAST_2)
    counted = reports.counts(failed)
    assert counted["primary"] == reports.counts(first)["primary"], "the other region is not affected"
    assert 0 < counted["secondary"]["create"] < counted["primary"]["create"]
    assert "secondary failed; global was not touched" in failed
    assert "api-api" in failed
    assert "Traceback" not in failed
    assert local.aws.client("apigateway", EAST_2).get_rest_apis()["items"] == []

    completed = local.dr("deploy", "--yes", policies=True)
    assert "[mandatory]" not in completed
    assert reports.kinds(completed) == {
        "primary": {"unchanged"},
        "secondary": {"create", "unchanged"},
        "global": {"create"},
    }
    assert sum(reports.counts(completed)["secondary"].values()) == counted["primary"]["create"]
    assert checkout() == committed


def test_nothing_changes_between_two_deployments(deployed: Environment) -> None:
    assert reports.kinds(deployed.dr("preview")) == reports.all_with("unchanged")
    deployed.dr("refresh", "--yes")  # takes over what AWS has finished since
    assert reports.kinds(deployed.dr("refresh", "--yes")) == reports.all_with("unchanged")


def test_every_schedule_has_an_event_that_its_function_can_read(deployed: Environment) -> None:
    """The engine passes an argument that a program leaves open inside another one as null."""
    for region in REGIONS:
        scheduler = deployed.aws.client("scheduler", region)
        names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
        events = {name: scheduler.get_schedule(Name=name)["Target"].get("Input", "{}") for name in names}
        assert len(events) == 4
        assert {name: type(json.loads(event)) for name, event in events.items()} == dict.fromkeys(names, dict), events


def test_what_a_killed_write_left_empty_beside_a_state_is_removed(deployed: Environment) -> None:
    attributes = deployed.state("primary").with_suffix(".json.attrs")
    attributes.write_text("")

    assert "removed dev.json.attrs" in deployed.dr("outputs", "primary")
    assert not attributes.exists()


def test_a_changed_setting_changes_what_it_is_for(deployed: Environment) -> None:
    groups = deployed.resources("primary", "aws:cloudwatch/logGroup:LogGroup")
    with deployed.setting("primary", "logs:retentionDays", 14):
        planned = deployed.dr("preview", "primary")

    assert reports.changes(planned) == {
        **{f"primary/aws:cloudwatch:LogGroup/{name}": "~retentionInDays" for name in groups},
        "primary/aws:s3:BucketLifecycleConfiguration/log-bucket-lifecycle": "~rules",
    }
    assert reports.counts(planned)["primary"]["update"] == len(groups) + 1
    assert reports.kinds(planned)["primary"] == {"update", "unchanged"}


def test_a_replacement_is_created_before_the_original_is_deleted(deployed: Environment) -> None:
    """Another way to call the API is another deployment of it, to which the stage changes in between."""
    (former,) = deployments(deployed)
    with deployed.setting("primary", "api:access", "open"):
        done = deployed.dr("deploy", "primary", "--yes")
    (new,) = deployments(deployed)

    counted = reports.counts(done)["primary"]
    assert (counted["replace"], counted["update"], counted["delete"]) == (1, 2, 2), done
    assert new != former
    steps = [f"{row.name} {row.what}" for row in reports.rows(done)]
    order = ["api-deployment created replacement", "api-stage updated", "api-deployment deleted original"]
    assert sorted(order, key=steps.index) == order

    deployed.dr("deploy", "primary", "--yes")
    assert deployments(deployed) != [new]


def test_the_cli_imports_what_exists(deployed: Environment) -> None:
    """A log group of the deployment, under another name, so that nothing else depends on it."""
    group = next(row for row in deployed.rows("primary") if row["urn"].endswith("::health-logs"))
    provider = group["provider"].rpartition("::")[0]
    settings = deployed.folder / "build/local/pulumi/primary/Pulumi.dev.yaml"
    options = ["--parent", f"parent={group['parent']}", "--provider", f"provider={provider}"]
    words = [group["type"], "imported", group["id"], *options, "--protect=false", "--generate-code=false", "--yes"]

    deployed.pulumi("primary", "import", *words, "--config-file", str(settings))
    imported = next(row for row in deployed.rows("primary") if row["urn"].endswith("::imported"))
    deployed.pulumi("primary", "state", "delete", imported["urn"], "--yes")

    assert imported["id"] == group["id"]
    given = ("name", "retentionInDays", "kmsKeyId")
    assert {key: imported["inputs"].get(key) for key in given} == {key: group["inputs"].get(key) for key in given}


def test_a_refresh_finds_what_was_changed_by_hand_and_the_next_preview_corrects_it(deployed: Environment) -> None:
    client = deployed.aws.client
    group = deployed.resources("primary", "aws:cloudwatch/logGroup:LogGroup")["health-logs"]
    function = deployed.resources("primary", "aws:lambda/function:Function")["announcer-function"]
    (vpc,) = deployed.resources("primary", "aws:ec2/vpc:Vpc").items()
    rule = min(deployed.resources("primary", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").items())
    client("logs").put_retention_policy(logGroupName=group, retentionInDays=90)
    client("lambda").update_function_configuration(FunctionName=function, MemorySize=640)
    client("ec2").create_tags(Resources=[vpc[1]], Tags=[{"Key": "Owner", "Value": "somebody"}])
    (found,) = client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[rule[1]])["SecurityGroupRules"]
    by_hand = {"SecurityGroupRuleId": rule[1], "SecurityGroupRule": {"Description": "by hand"}}
    client("ec2").modify_security_group_rules(GroupId=found["GroupId"], SecurityGroupRules=[by_hand])
    expected = {
        "primary/aws:cloudwatch:LogGroup/health-logs": "~retentionInDays",
        "primary/aws:lambda:Function/announcer-function": "~memorySize",
        f"primary/aws:ec2:Vpc/{vpc[0]}": "~tags,tagsAll",
        f"primary/aws:vpc:SecurityGroupIngressRule/{rule[0]}": "~description",
    }

    refreshed = deployed.dr("refresh", "primary", "--yes")
    assert reports.changes(refreshed) == expected
    assert reports.counts(refreshed)["primary"]["update"] == len(expected)
    assert reports.changes(deployed.dr("preview", "primary")) == expected
    deployed.dr("deploy", "primary", "--yes")
    (corrected,) = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert corrected["retentionInDays"] == 7
    assert client("lambda").get_function_configuration(FunctionName=function)["MemorySize"] == 512
    assert "Owner" not in [tag["Key"] for tag in client("ec2").describe_vpcs(VpcIds=[vpc[1]])["Vpcs"][0]["Tags"]]
    assert reports.kinds(deployed.dr("preview", "primary")) == {"primary": {"unchanged"}}


def test_another_suffix_is_refused_before_the_first_change(deployed: Environment) -> None:
    """Everything that holds data and has a name would be replaced by an empty one."""
    before = inventory.take(deployed.aws.client, REGIONS)
    with ExitStack() as changed:
        for stack in PROJECTS:
            changed.enter_context(deployed.setting(stack, "dr:suffix", "other"))
        refused = deployed.dr("deploy", "--yes", status=1)

    lost = [line for line in refused.splitlines() if "; it holds " in line]
    types = {line.split(", ")[1].partition(": ")[0] for line in lost}
    assert {"aws:dynamodb/table:Table", "aws:rds/cluster:Cluster", "aws:s3/bucket:Bucket"} <= types
    assert "dr:suffix: deployed with dev, now other" in refused
    assert inventory.take(deployed.aws.client, REGIONS) == before


def test_global_is_deployed_without_a_call_to_a_region_that_is_lost(deployed: Environment) -> None:
    aws = deployed.aws
    deployed.set_speed(0.1)  # so that the other region does not take over meanwhile
    aws.lose(EAST_1)
    aws.control("calls/mark", {})
    try:
        planned = deployed.dr("preview", "global", "--exclude-region", "primary")
        done = deployed.dr("deploy", "global", "--exclude-region", "primary", "--yes")
        made = aws.control("calls")["calls"]
    finally:
        aws.heal(EAST_1)
        deployed.set_speed(SPEED)

    assert f"{EAST_1} is excluded: " in planned
    assert reports.kinds(planned) == reports.kinds(done) == {"global": {"unchanged"}}
    outside = [each for each in made if each["caller"] == "outside"]
    assert EAST_2 in {each["region"] for each in outside}
    # Other calls of the data plane are no part of it: probes of the region's health, and what functions do meanwhile.
    ours = [each for each in outside if each["plane"] == "control" or each["service"] == "sts"]
    assert not [str(each) for each in ours if each["region"] == EAST_1]
    assert writer(deployed) == EAST_1
    assert eventually(lambda: not unwell(deployed), within=300), unwell(deployed)


def test_what_a_failover_and_a_failback_move_stays_as_it_is(deployed: Environment) -> None:
    deployed.set_speed(FAILOVER_SPEED)
    deployed.dr("failover", "--region", EAST_1, "--mode", "planned", "--yes")
    assert writer(deployed) == EAST_2
    deployed.set_speed(1.0)  # a fenced region returns by itself after ten minutes
    assert reports.kinds(deployed.dr("preview")) == reports.all_with("unchanged")
    refreshed = deployed.dr("refresh", "--yes")
    assert reports.kinds(refreshed) == reports.all_with("unchanged"), refreshed
    refused = deployed.dr("destroy", "--yes", status=1)
    assert f"writer is in {EAST_2}, not in the primary region {EAST_1}" in refused
    assert "make failback ENV=dev, then destroy" in refused

    deployed.set_speed(FAILOVER_SPEED)
    deployed.dr("failback", "--yes")
    assert writer(deployed) == EAST_1
    assert reports.kinds(deployed.dr("preview")) == reports.all_with("unchanged")
    assert reports.kinds(deployed.dr("refresh", "--yes")) == reports.all_with("unchanged")


def test_neither_the_state_nor_what_was_printed_holds_a_secret(deployed: Environment) -> None:
    hidden = secrets(deployed)
    states = {
        file: file.read_text() for file in (deployed.folder / "build/local/pulumi/state").rglob("*.*") if file.is_file()
    }
    deployed.dr("outputs")

    assert len(hidden) > 4
    assert [file.name for file in states if file.name == "dev.json"] == ["dev.json"] * 3
    for secret in hidden:
        assert not [file for file, text in states.items() if secret in text]
        assert not [text for text in deployed.printed if secret in text]


def test_after_the_destruction_nothing_is_left(deployed: Environment, untouched: Inventory) -> None:
    assert "nothing of dev is left" in deployed.dr("destroy", "--yes")

    new = inventory.difference(untouched, inventory.take(deployed.aws.client, REGIONS))
    assert leftovers.unknown(deployed.aws.client, new) == {}
    assert plugins() == []
    assert not [text for text in deployed.printed if "Traceback" in text]


def checkout() -> str:
    """The changes that Git finds in the settings of the stacks."""
    command = ["git", "status", "--porcelain", "--", "stacks"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def plugins() -> list[int]:
    """Processes of the plugins and of the CLI that this process started, directly or not."""
    return [each.pid for each in psutil.Process().children(recursive=True) if "pulumi" in " ".join(each.cmdline())]


def deployments(environment: Environment) -> list[str]:
    """Ids of the deployments of the primary's API."""
    (api,) = environment.resources("primary", "aws:apigateway/restApi:RestApi").values()
    found = environment.aws.client("apigateway").get_deployments(restApiId=api)["items"]
    return [each["id"] for each in found]


def writer(environment: Environment) -> str:
    """The region of the database's writer."""
    (cluster,) = environment.aws.client("rds", EAST_2).describe_global_clusters()["GlobalClusters"]
    (member,) = [each for each in cluster["GlobalClusterMembers"] if each["IsWriter"]]
    return str(member["DBClusterArn"].split(":")[3])


def unwell(environment: Environment) -> list[str]:
    """The load balancers of type network that are not healthy."""
    balancers = [each for each in environment.aws.status()["targets"] if each["load_balancer"].startswith("nlb-")]
    return [f"{each['load_balancer']} {each['state']}" for each in balancers if each["state"] != "healthy"]


def secrets(environment: Environment) -> set[str]:
    """Texts that must not be shown: of keys, passphrase, parameters, and Secrets Manager."""
    found = {"k" * 40, "PRIVATE KEY", (environment.folder / "build/local/pulumi/passphrase").read_text()}
    for region in REGIONS:
        manager, parameters = environment.aws.client("secretsmanager", region), environment.aws.client("ssm", region)
        for each in manager.list_secrets()["SecretList"]:
            text = manager.get_secret_value(SecretId=each["ARN"])["SecretString"]
            found |= values(text)
        for page in parameters.get_paginator("get_parameters_by_path").paginate(
            Path="/", Recursive=True, WithDecryption=True
        ):
            found |= {each["Value"] for each in page["Parameters"] if each["Type"] == "SecureString"}
    return found


def values(text: str) -> set[str]:
    """The secret part of a secret: its text, or its password where it is a JSON object."""
    try:
        content: Any = json.loads(text)
    except ValueError:
        return {text}
    return {content["password"]} if isinstance(content, dict) else {text}
