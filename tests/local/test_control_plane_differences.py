"""Known differences between the emulated control planes and AWS; the list in localaws/differences.py names these."""

import time
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.local.embedded import LocalAws
from tests.local.test_control_planes import SHOWN, guarded_api, status


def test_the_rules_of_a_web_acl_are_kept_and_not_applied(planes: LocalAws, name: str) -> None:
    key = f"{name}-{'k' * 30}"
    api, _ = guarded_api(planes, "us-east-1", key)
    acl = planes.client("wafv2").create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Block": {}}, Rules=[], VisibilityConfig=SHOWN
    )["Summary"]
    stage = f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/live"

    planes.client("wafv2").associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage)

    assert status(planes, api, key) == 200, "AWS answers 403"


def test_a_backup_plan_takes_no_backup(planes: LocalAws, name: str) -> None:
    client = planes.client("backup")
    client.create_backup_vault(BackupVaultName=name)
    rule = {"RuleName": "r", "TargetBackupVaultName": name, "ScheduleExpression": "rate(1 hour)"}
    plan = client.create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": [rule]})["BackupPlanId"]
    chosen = {"SelectionName": "s", "IamRoleArn": "arn:aws:iam::000000000000:role/b", "Resources": ["*"]}
    client.create_backup_selection(BackupPlanId=plan, BackupSelection=chosen)

    assert client.list_backup_jobs(ByBackupVaultName=name)["BackupJobs"] == []
    assert client.list_recovery_points_by_backup_vault(BackupVaultName=name)["RecoveryPoints"] == []


def test_the_names_of_an_interface_endpoint_lead_nowhere(planes: LocalAws) -> None:
    ec2 = planes.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.252.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.ssm", VpcEndpointType="Interface", PrivateDnsEnabled=False
    )["VpcEndpoint"]

    known = httpx.get(f"{planes.server.control}/addresses").json()
    assert f"{made['DnsEntries'][0]['DnsName']}:443" not in known


def test_a_flow_log_records_nothing(planes: LocalAws, name: str) -> None:
    logs, ec2 = planes.client("logs"), planes.client("ec2")
    logs.create_log_group(logGroupName=name)
    vpc = ec2.create_vpc(CidrBlock="10.253.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestination=f"arn:aws:logs:us-east-1:000000000000:log-group:{name}:*",
        DeliverLogsPermissionArn="arn:aws:iam::000000000000:role/flows",
        MaxAggregationInterval=60,
    )
    time.sleep(1.0)  # two minutes of AWS time here

    assert made["Unsuccessful"] == []
    assert logs.describe_log_streams(logGroupName=name)["logStreams"] == []


def test_a_custom_domain_leads_to_a_name_that_holds_its_own(planes: LocalAws, name: str) -> None:
    made = planes.client("apigateway").create_domain_name(
        domainName=f"{name}.example", endpointConfiguration={"types": ["REGIONAL"]}
    )

    assert made["regionalDomainName"] == f"{name}.example.execute-api.us-east-1.amazonaws.com"


def test_an_api_reports_no_metrics(planes: LocalAws, name: str) -> None:
    key = f"{name}-{'k' * 30}"
    api, _ = guarded_api(planes, "us-east-1", key)
    assert status(planes, api, key) == 200
    time.sleep(1.0)

    assert planes.client("cloudwatch").list_metrics(Namespace="AWS/ApiGateway")["Metrics"] == []


def test_metric_math_is_refused(planes: LocalAws, name: str) -> None:
    given: dict[str, Any] = {"AlarmName": name, "EvaluationPeriods": 1, "Threshold": 1}

    with pytest.raises(ClientError, match="metric math"):
        planes.client("cloudwatch").put_metric_alarm(
            **given, ComparisonOperator="GreaterThanThreshold", Metrics=[{"Id": "m", "Expression": "1"}]
        )
