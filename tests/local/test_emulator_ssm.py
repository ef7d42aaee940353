"""Parameter Store beside ministack's, through boto3: who wrote, policies, patterns, types, labels, tags."""

import json
from typing import Any

import pytest

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, LocalAws, deploy_function, eventually
from tests.local.test_parameter_events import listen

POLICY = {"Type": "NoChangeNotification", "Version": "1.0", "Attributes": {"After": "20", "Unit": "Days"}}


def newest(planes: LocalAws, name: str) -> dict[str, Any]:
    found: dict[str, Any] = planes.client("ssm").get_parameter_history(Name=name)["Parameters"][-1]
    return found


def test_a_change_by_a_function_has_its_role_as_author(planes: LocalAws, name: str) -> None:
    code = """
        import boto3
        def handler(event, context):
            boto3.client("ssm").put_parameter(Name=event["name"], Value="1", Type="String", Overwrite=True)
    """
    deploy_function(planes, name, code)
    planes.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"name": f"/{name}"}))

    by_function = newest(planes, f"/{name}")["LastModifiedUser"]
    planes.client("ssm").put_parameter(Name=f"/{name}", Value="2", Overwrite=True)

    assert by_function == f"arn:aws:sts::{ACCOUNT}:assumed-role/any/{name}"
    assert ":assumed-role/" not in newest(planes, f"/{name}")["LastModifiedUser"]


def test_policies_and_patterns_are_returned_and_can_be_removed(planes: LocalAws, name: str) -> None:
    ssm = planes.client("ssm")
    given = {"Name": name, "Type": "String", "Tier": "Advanced"}
    ssm.put_parameter(**given, Value="a", AllowedPattern="^a", Policies=json.dumps([POLICY]))
    ssm.put_parameter(**given, Value="aa", AllowedPattern="^a", Overwrite=True)
    kept = newest(planes, name)
    ssm.put_parameter(**given, Value="b", Policies="[{}]", Overwrite=True)

    assert kept["AllowedPattern"] == "^a"
    assert json.loads(kept["Policies"][0]["PolicyText"]) == POLICY, "a change without policies keeps them"
    assert newest(planes, name).get("Policies", []) == []


def test_a_type_cannot_be_changed(planes: LocalAws, name: str) -> None:
    ssm = planes.client("ssm")
    ssm.put_parameter(Name=name, Value="a", Type="String")

    with pytest.raises(ssm.exceptions.HierarchyTypeMismatchException):
        ssm.put_parameter(Name=name, Value="a", Type="SecureString", Overwrite=True)


def test_a_label_is_taken_off(planes: LocalAws, name: str) -> None:
    ssm = planes.client("ssm")
    ssm.put_parameter(Name=name, Value="a", Type="String")
    ssm.label_parameter_version(Name=name, Labels=["live", "good"])

    removed = ssm.unlabel_parameter_version(Name=name, ParameterVersion=1, Labels=["live"])

    assert removed["RemovedLabels"] == ["live"]
    assert newest(planes, name)["Labels"] == ["good"]
    with pytest.raises(ssm.exceptions.ParameterVersionNotFound):
        ssm.unlabel_parameter_version(Name=name, ParameterVersion=2, Labels=["good"])


def test_a_change_of_tags_has_an_event_of_its_own(planes: LocalAws, name: str) -> None:
    ssm = planes.client("ssm")
    pattern = {"source": ["aws.tag"], "resources": [{"suffix": name}]}
    seen = listen(planes, EAST_1, f"/{name}", pattern=pattern)
    ssm.put_parameter(Name=f"/{name}", Value="a", Type="String")
    tags = [{"Key": "Owner", "Value": "me"}]
    for _ in range(2):  # the second one changes nothing
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=f"/{name}", Tags=tags)
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=f"/{name}", TagKeys=["Owner"])

    assert eventually(lambda: len(seen()) == 2), seen()
    assert [event["detail-type"] for event in seen()] == ["Tag Change on Resource"] * 2
    assert sorted(json.dumps(event["detail"]["tags"]) for event in seen()) == ['{"Owner": "me"}', "{}"]
    assert seen()[0]["detail"]["changed-tag-keys"] == ["Owner"]
    assert seen()[0]["resources"] == [f"arn:aws:ssm:{EAST_1}:{ACCOUNT}:parameter/{name}"]
