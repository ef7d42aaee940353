"""The provider as the engine calls it, over gRPC, without an AWS: answers come from the service models."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from localaws.engine.synthetic import Synthetic
from localaws.provider import values
from localaws.pulumi_plugins import properties
from localaws.pulumi_plugins.properties import UNKNOWN
from tests.pulumi_plugins.engine_side import EngineSide, connected, urn

ROLE = "aws:iam/role:Role"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"
PASSWORD = "random:index/randomPassword:RandomPassword"
TRUST = '{"Version": "2012-10-17"}'
JOURNAL = {
    "hashKey": "id",
    "attributes": [{"name": "id", "type": "S"}],
    "billingMode": "PAY_PER_REQUEST",
    "replicas": [{"regionName": "us-east-2"}],
}
ARCHIVE = {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "abc"}


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[EngineSide]:
    with connected("aws", Synthetic(), tmp_path) as side:
        yield side


def test_check_fills_in_name_defaults_and_all_tags(aws: EngineSide) -> None:
    checked = aws.check(FUNCTION, "health", {"role": "arn", "tags": {"Owner": "me"}})

    assert checked["name"].startswith("health-")
    assert (checked["timeout"], checked["memorySize"]) == (3, 128)
    assert checked["tagsAll"] == {"Application": "dr", "Owner": "me"}
    assert checked["__defaults"] == ["memorySize", "name", "timeout"]


def test_check_keeps_what_the_program_gives(aws: EngineSide) -> None:
    given = {"name": "queue-one", "region": "us-east-2", "fifoQueue": True}

    assert given.items() <= aws.check("aws:sqs/queue:Queue", "one", given).items()


def test_check_adds_no_tags_to_a_type_without_them(aws: EngineSide) -> None:
    checked = aws.check("aws:iam/rolePolicy:RolePolicy", "one", {"role": "role", "policy": "{}"})

    assert set(checked) == {"role", "policy", "name", "__defaults"}


def test_check_fills_in_how_an_alarm_treats_missing_data(aws: EngineSide) -> None:
    """Otherwise the rule that requires the program to give it would pass in the tests and fail on AWS."""
    assert aws.check("aws:cloudwatch/metricAlarm:MetricAlarm", "errors", {})["treatMissingData"] == "missing"


def test_an_automatic_name_is_kept_from_the_former_inputs(aws: EngineSide) -> None:
    former = aws.check(ROLE, "writer", {"assumeRolePolicy": TRUST}, seed=b"one")

    again = aws.check(ROLE, "writer", {"assumeRolePolicy": TRUST}, olds=former, seed=b"two")
    replacement = aws.check(ROLE, "writer", {"assumeRolePolicy": TRUST}, seed=b"two")

    assert again["name"] == former["name"] != replacement["name"]


def test_a_name_that_the_program_no_longer_gives_becomes_automatic(aws: EngineSide) -> None:
    former = aws.check(ROLE, "writer", {"assumeRolePolicy": TRUST, "name": "mine"})

    again = aws.check(ROLE, "writer", {"assumeRolePolicy": TRUST}, olds=former)

    assert again["name"] != "mine"


def test_check_names_an_argument_that_no_call_takes(aws: EngineSide) -> None:
    type_ = "aws:dynamodb/tableItem:TableItem"

    failures = aws.check_failures(type_, "control", {"tableName": "t", "hashKey": "id", "item": "{}", "colour": "red"})

    assert failures == [f"{type_}: no call takes colour"]


def test_check_passes_unknowns_on(aws: EngineSide) -> None:
    checked = aws.check(ROLE, "writer", {"assumeRolePolicy": UNKNOWN, "tags": UNKNOWN})

    assert (checked["assumeRolePolicy"], checked["tagsAll"]) == (UNKNOWN, UNKNOWN)


def test_a_preview_answers_unknowns_for_what_aws_computes(aws: EngineSide) -> None:
    inputs = aws.check(TABLE, "journal", JOURNAL)

    identity, planned = aws.create(TABLE, "journal", inputs, preview=True)

    assert identity == ""
    assert planned["arn"] == planned["streamArn"] == UNKNOWN
    assert planned["region"] == "us-east-1"
    assert planned["replicas"] == [
        {"regionName": "us-east-2", "arn": UNKNOWN, "streamArn": UNKNOWN, "streamLabel": UNKNOWN}
    ]
    assert "__defaults" not in planned


def test_a_previewed_update_keeps_what_was_computed(aws: EngineSide) -> None:
    old = aws.check(TABLE, "journal", JOURNAL)
    known = {"regionName": "us-east-2", "arn": "arn", "streamArn": "stream", "streamLabel": "label"}
    state = {**old, "arn": "arn", "replicas": [known]}
    new = aws.check(TABLE, "journal", {**JOURNAL, "replicas": [*old["replicas"], {"regionName": "us-west-2"}]}, old)

    planned = aws.update(TABLE, "journal", "journal", old, new, state, preview=True)

    assert planned["arn"] == "arn"
    assert planned["replicas"][0] == known
    assert planned["replicas"][1]["streamArn"] == UNKNOWN


def test_a_secret_input_stays_one_and_so_does_what_the_provider_makes(aws: EngineSide, tmp_path: Path) -> None:
    hidden = values.secret("do-not-show")
    inputs = aws.check("aws:ssm/parameter:Parameter", "key", {"type": "SecureString", "value": hidden})

    _, outputs = aws.create("aws:ssm/parameter:Parameter", "key", inputs)
    with connected("random", Synthetic(), tmp_path) as random:
        made = random.check(PASSWORD, "master", {"length": 20})
        _, planned = random.create(PASSWORD, "master", made, preview=True)
        _, password = random.create(PASSWORD, "master", made)

    assert inputs["value"] == outputs["value"] == hidden
    assert planned["result"] == values.secret(UNKNOWN)
    assert values.is_secret(password["result"])
    assert len(password["result"]["value"]) == 20


def test_diff_shows_paths_and_no_replacement_for_what_can_be_updated(aws: EngineSide) -> None:
    old = aws.check(GROUP, "log", {"name": "/log", "retentionInDays": 7, "tags": {"Owner": "me"}})
    new = aws.check(GROUP, "log", {"name": "/log", "retentionInDays": 30, "tags": {"Owner": "you"}}, old)

    found = aws.diff(GROUP, "log", old, new, {**old, "region": "us-east-1"})

    assert found.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert not found.replaces
    assert set(found.detailedDiff) == {"retentionInDays", "tags.Owner", "tagsAll.Owner"}


def test_diff_leaves_out_what_the_program_ignores(aws: EngineSide) -> None:
    """A refresh asks with the ignored arguments as they were read and as they were set."""
    read, given = {"name": "a", "tags": {"Owner": "other", "Team": "x"}}, {"name": "a", "tags": {"Owner": "me"}}

    every = aws.diff(ROLE, "a", read, given, {}, ["tags"])
    one = aws.diff(ROLE, "a", read, given, {}, ["tags.Owner"])

    assert every.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert set(one.detailedDiff) == {"tags.Team"}


def test_diff_finds_no_difference_between_two_forms_of_one_value(aws: EngineSide) -> None:
    old = {"role": "r", "code": {**ARCHIVE, "path": "here"}, "timeout": 3, "description": None, "__defaults": []}
    new = {"role": values.secret("r"), "code": {**ARCHIVE, "path": "there"}, "timeout": 3.0, "__defaults": ["timeout"]}

    found = aws.diff(FUNCTION, "health", old, new, {"region": "us-east-1"})

    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


@pytest.mark.parametrize(
    ("given", "first"), [({"name": "mine"}, True), ({}, False)], ids=["explicit name", "automatic name"]
)
def test_a_replacement_with_the_same_name_deletes_first(aws: EngineSide, given: dict[str, str], first: bool) -> None:
    old = aws.check("aws:sfn/stateMachine:StateMachine", "flow", {"type": "STANDARD", **given})
    new = aws.check("aws:sfn/stateMachine:StateMachine", "flow", {"type": "EXPRESS", **given}, old)

    found = aws.diff("aws:sfn/stateMachine:StateMachine", "flow", old, new, {**old, "region": "us-east-1"})

    assert found.replaces == ["type"]
    assert found.deleteBeforeReplace is first


def test_another_region_replaces_resource_and_provider(aws: EngineSide) -> None:
    inputs = aws.check(GROUP, "log", {"name": "/log"})

    found = aws.diff(GROUP, "log", inputs, inputs, {**inputs, "region": "us-west-2"})
    provider = aws.stub.DiffConfig(
        provider_pb2.DiffRequest(
            urn=urn("pulumi:providers:aws", "primary"),
            old_inputs=properties.write({"region": "us-east-1"}),
            news=properties.write({"region": "us-west-2"}),
        )
    )

    assert found.replaces == ["region"]
    assert provider.replaces == ["region"]


def test_an_archive_of_which_only_the_hash_is_known_can_be_deleted(aws: EngineSide) -> None:
    inputs = {"role": "arn", "name": "health", "code": ARCHIVE}

    aws.delete(FUNCTION, "health", "health", inputs, {**inputs, "arn": "arn"})


def test_a_function_is_answered_with_the_providers_region(aws: EngineSide) -> None:
    assert aws.invoke("aws:index/getRegion:getRegion", {})["name"] == "us-east-1"


def test_an_error_shows_no_secret(aws: EngineSide) -> None:
    inputs = {"type": "String", "value": values.secret("do-not-show"), "name": 5, "colour": values.secret("purple")}

    with pytest.raises(grpc.RpcError) as raised:
        aws.create("aws:ssm/parameter:Parameter", "key", inputs)

    assert "colour" in raised.value.details()
    assert "do-not-show" not in raised.value.details()


def test_an_unknown_type_is_named(aws: EngineSide) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        aws.check("aws:mq/broker:Broker", "queue", {})

    assert "aws:mq/broker:Broker is not in the table" in raised.value.details()


def test_a_null_inside_an_argument_is_absent_and_not_a_text() -> None:
    target = {"arn": "a", "input": None, "rules": [{"name": None}, None]}

    assert properties.opened({"target": target}) == {"target": {"arn": "a", "rules": [{}, None]}}
