"""Reading a resource of which the state has no outputs: adopted after an interrupted creation, or imported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from localaws.core.environment import ACCOUNT
from localaws.engine.state import Record
from localaws.engine.synthetic import Synthetic
from localaws.provider import values
from localaws.provider.calls import Aws
from localaws.provider.resources import TABLE
from ops.rollout import adoption
from tests.pulumi_plugins.engine_side import EngineSide, connected
from tests.runner.cases import Case, all_cases
from tests.runner.conftest import Client, Programs
from tests.runner.test_reading import SETTLING

DEFAULT_TAGS = '{"tags": {"Application": "dr"}}'
GROUP = "aws:ec2/securityGroup:SecurityGroup"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
CHANGED = {
    "aws:acm/certificate:Certificate": {"notAfter", "notBefore"},
    "aws:backup/plan:Plan": {"version"},
}
"""Outputs that an update changes."""


@pytest.fixture
def aws(endpoint: str, tmp_path: Path) -> Iterator[EngineSide]:
    with connected("aws", Aws(endpoint), tmp_path) as side:
        yield side


def checked(record: Record) -> dict[str, Any]:
    """The arguments that a deployment records before it creates the resource; of archives only the hash is kept."""
    entry = TABLE[record.type]
    given = {key: value for key, value in values.thaw(record.inputs).items() if "$asset" not in str(value)}
    if entry.autoname and entry.autoname.argument not in given:
        given[entry.autoname.argument] = record.outputs[entry.autoname.argument]
    given = {**entry.defaults, **given}
    return {**given, "tagsAll": record.tags} if entry.tags else given


@pytest.mark.parametrize("case", all_cases().values(), ids=all_cases().keys())
def test_what_a_deployment_created_is_found_read_and_completed(
    case: Case,
    programs: Programs,
    client: Client,
    aws: EngineSide,
) -> None:
    programs.write(case.program)
    programs.deploy()
    for record in programs.state.stacks["primary"].resources.values():
        if not TABLE[record.type].service or record.type in adoption.REPEATED:
            continue
        given, what = checked(record), f"{record.type} {record.name}"
        found = adoption.candidates(record.type, values.unwrap(given), record.region, client)
        aws.configure(region=record.region, defaultTags=DEFAULT_TAGS)
        read = {answer[0]: answer for each in found if (answer := aws.read(record.type, record.name, each, given, {}))}
        if record.type == ROUTE_TABLE and record.id not in read:
            continue  # a subnet uses it, so its creation was not interrupted
        assert record.id in read, f"{what}: {found}"

        _, inputs, outputs = read[record.id]
        difference = aws.diff(record.type, record.name, inputs, given, outputs)
        assert list(difference.replaces) == [], what
        if record.type == GROUP and "egress" in difference.diffs:
            continue  # a rule of its own, like the one that AWS gives to a new group
        if difference.diffs:
            outputs = aws.update(record.type, record.name, record.id, inputs, given, outputs)
        expected = values.unwrap(values.thaw(record.outputs))
        settling = {*SETTLING.get(record.type, ()), *CHANGED.get(record.type, ()), "tagsAll"}
        for key in TABLE[record.type].outputs.keys() & expected.keys() - settling:
            assert values.unwrap(outputs[key]) == expected[key], f"{what}: {key}"


def test_what_is_not_there_is_answered_without_an_id(aws: EngineSide) -> None:
    inputs = {"name": "/nowhere", "retentionInDays": 7}

    assert aws.read("aws:cloudwatch/logGroup:LogGroup", "logs", "/nowhere", inputs, {})[0] == ""


def test_a_half_made_resource_shows_what_is_missing_and_gets_it(aws: EngineSide, client: Client, name: str) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName=name)
    given = aws.check("aws:cloudwatch/logGroup:LogGroup", "logs", {"name": name, "retentionInDays": 7})

    identity, inputs, outputs = aws.read("aws:cloudwatch/logGroup:LogGroup", "logs", name, given, {})
    missing = aws.diff("aws:cloudwatch/logGroup:LogGroup", "logs", inputs, given, outputs)
    aws.update("aws:cloudwatch/logGroup:LogGroup", "logs", identity, inputs, given, outputs)

    assert sorted(missing.diffs) == ["retentionInDays", "tagsAll"]
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert group["retentionInDays"] == 7
    assert logs.list_tags_for_resource(resourceArn=outputs["arn"])["tags"] == {"Application": "dr"}


def test_the_rule_of_a_new_group_is_taken_away_where_the_creation_did_not(aws: EngineSide, client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    given = aws.check(GROUP, "group", {"name": "half-made", "description": "any", "vpcId": vpc})
    group = ec2.create_security_group(GroupName="half-made", Description="any", VpcId=vpc)["GroupId"]

    identity, inputs, outputs = aws.read(GROUP, "group", group, given, {})
    assert {*aws.diff(GROUP, "group", inputs, given, outputs).diffs} == {"egress", "tagsAll"}
    aws.update(GROUP, "group", identity, inputs, given, outputs)

    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"] == []


def test_an_import_answers_the_arguments_that_aws_has(aws: EngineSide, client: Client, name: str) -> None:
    bus = client("events").create_event_bus(Name=name, Description="Payments")["EventBusArn"]

    identity, inputs, outputs = aws.read("aws:cloudwatch/eventBus:EventBus", "bus", name, {}, {})

    assert identity == name
    assert inputs == {"name": name, "description": "Payments"}
    assert outputs["arn"] == bus
    assert ACCOUNT in outputs["arn"]


def test_an_import_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    with connected("aws", Synthetic(), tmp_path) as side:
        with pytest.raises(grpc.RpcError, match="remove it from AWS and let the program create it"):
            side.read("aws:s3/bucketPolicy:BucketPolicy", "policy", "bucket", {}, {})
        with pytest.raises(grpc.RpcError, match="its id for an import holds restApi, stageName"):
            side.read("aws:apigateway/stage:Stage", "stage", "ags-id-live", {}, {})
