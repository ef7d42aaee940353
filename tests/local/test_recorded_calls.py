"""Recorded calls by caller: the counts in a rehearsal's report."""

import contextlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core import call_recorder
from localaws.core.environment import ACCOUNT
from localaws.services import stepfunctions
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually, make_table

# Reads an item (data plane), and describes the table and a global cluster (control plane), all in the other region.
CODE = """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    once = Config(retries={"total_max_attempts": 1})

    def handler(event, context):
        print("called")
        table = boto3.client("dynamodb", region_name="us-east-1", config=once)
        rds = boto3.client("rds", region_name="us-east-1", config=once)
        for call in (
            lambda: table.get_item(TableName=context.function_name, Key={"id": {"S": "any"}}),
            lambda: table.describe_table(TableName=context.function_name),
            rds.describe_global_clusters,
        ):
            try:
                call()
            except ClientError:
                pass
"""


def made(aws: LocalAws, **wanted: str) -> dict[tuple[str, str, str], int]:
    """Counts by service, operation and plane, of the calls with these properties."""
    rows: list[dict[str, Any]] = aws.control("calls")["calls"]
    return {
        (row["service"], row["operation"], row["plane"]): row["count"]
        for row in rows
        if all(row[key] == value for key, value in wanted.items())
    }


def test_calls_of_functions_count_by_their_region_even_when_the_other_region_is_lost(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    deploy_function(aws, name, CODE, EAST_2)
    aws.lose(EAST_1)
    since = aws.control("calls/mark", {})["since"]

    aws.client("lambda", EAST_2, read_timeout=60).invoke(FunctionName=name)
    with contextlib.suppress(ClientError):
        aws.client("dynamodb", EAST_1).describe_table(TableName=name)

    assert aws.control("calls")["since"] == since
    assert made(aws, caller="function", caller_region=EAST_2, region=EAST_1) == {
        ("dynamodb", "GetItem", "data"): 1,
        ("dynamodb", "DescribeTable", "control"): 1,
        ("rds", "DescribeGlobalClusters", "control"): 1,
    }
    assert made(aws, caller="outside", region=EAST_1) == {("dynamodb", "DescribeTable", "control"): 1}
    assert made(aws, caller="outside", region=EAST_2) == {("lambda", "Invoke", "data"): 1}


def test_tasks_of_workflows_count_as_calls_of_theirs(aws: LocalAws, name: str) -> None:
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": queue, "MessageBody": "done"},
        "End": True,
    }
    client = aws.client("stepfunctions")
    machine = client.create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "Send", "States": {"Send": send}}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/any",
    )["stateMachineArn"]
    aws.control("calls/mark", {})

    client.start_execution(stateMachineArn=machine)

    counts = eventually(lambda: made(aws, caller="workflow"))
    assert counts == {("sqs", "SendMessage", "data"): 1}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", ("lambda", "Invoke")),
        ("arn:aws:lambda:us-east-1:000000000000:function:pay", ("lambda", "Invoke")),
        ("arn:aws:states:::aws-sdk:rds:failoverGlobalCluster", ("rds", "FailoverGlobalCluster")),
    ],
)
def test_a_tasks_resource_names_a_service_and_its_operation(resource: str, expected: tuple[str, str]) -> None:
    assert stepfunctions.called(resource) == expected


@pytest.mark.parametrize(
    ("service", "operation", "plane"),
    [
        ("route53", "GetHostedZone", "control"),
        ("globalaccelerator", "DescribeAccelerator", "control"),
        ("rds", "FailoverGlobalCluster", "control"),
        ("rds-data", "ExecuteStatement", "data"),
        ("ssm", "PutParameter", "control"),
        ("ssm", "GetParameters", "data"),
        ("states", "StartExecution", "data"),
    ],
)
def test_operations_belong_to_the_planes_of_awss_guidance(service: str, operation: str, plane: str) -> None:
    assert call_recorder.plane_of(service, operation) == plane


def test_s3_and_rest_operations_have_names(aws: LocalAws, name: str) -> None:
    s3 = aws.client("s3")
    aws.control("calls/mark", {})

    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a/b", Body=b"x")
    s3.list_objects_v2(Bucket=name)

    assert made(aws, service="s3") == {
        ("s3", "PUT bucket", "control"): 1,
        ("s3", "PutObject", "data"): 1,
        ("s3", "ListObjects", "data"): 1,
    }
