"""Flow logs of a VPC: encrypted, kept for a while, written by a role that can do nothing else."""

import json
from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.network.flow_logs import FlowLogs, FlowLogsArgs
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]


@pytest.fixture
def built(build: Build) -> Built:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        FlowLogs(
            "flows",
            FlowLogsArgs(
                name="vpc-primary-dev",
                role_name="role-flow-logs-primary-dev",
                region="us-east-1",
                account="000000000000",
                vpc_id="vpc-1",
                key_arn="arn:aws:kms:us-east-1:000000000000:key/1",
                retention_days=30,
            ),
            opts=pulumi.ResourceOptions(providers=[provider]),
        )

    return build(program)


def test_all_traffic_of_the_vpc_goes_to_an_encrypted_group_that_forgets(built: Built) -> None:
    flows, logs = built.one("FlowLog").inputs, built.one("LogGroup")

    assert (flows["vpcId"], flows["trafficType"]) == ("vpc-1", "ALL")
    assert flows["logDestination"] == "arn:aws:test:::flows-logs"
    assert logs.inputs["kmsKeyId"] == "arn:aws:kms:us-east-1:000000000000:key/1"
    assert logs.inputs["retentionInDays"] == 30


def test_the_role_writes_to_this_group_only(built: Built) -> None:
    statements = json.loads(built.one("RolePolicy").inputs["policy"])["Statement"]
    writes = [each for each in statements if "logs:PutLogEvents" in each["Action"]]

    assert [each["Resource"] for each in writes] == [["arn:aws:test:::flows-logs:*"]]
    others = [action for each in statements if each not in writes for action in each["Action"]]
    assert others == ["logs:DescribeLogGroups"]


def test_only_flow_logs_of_this_account_and_region_take_the_role_on(built: Built) -> None:
    (statement,) = json.loads(built.one("Role").inputs["assumeRolePolicy"])["Statement"]

    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ec2:us-east-1:000000000000:vpc-flow-log/*"},
    }


def test_flows_are_recorded_only_once_the_role_may_write(built: Built) -> None:
    assert built.one("RolePolicy").urn in built.one("FlowLog").dependencies
