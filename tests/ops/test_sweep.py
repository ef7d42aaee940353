"""Resources that Pulumi never managed are found and removed, and none of another environment with them."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from localaws.core.environment import ACCOUNT
from ops.teardown import sweep
from ops.teardown.destroy import report
from ops.teardown.sweepers import LOG_GROUP_PREFIXES, RECOVERY_POINTS, SNAPSHOTS, SWEEPERS, Sweeper, SweptRegion
from shared.command_line import Incomplete
from shared.naming import Names
from shared.places import Place
from shared.tags import PROJECT
from tests.local.embedded import EAST_1, EAST_2, LocalAws

REGIONS = {Place.PRIMARY: EAST_1, Place.SECONDARY: EAST_2}
SOMEWHERE = SweptRegion(
    names=Names("dev"), place=Place.PRIMARY, region=EAST_1, vpc_id="", client=lambda *_: pytest.fail("asked AWS")
)


@pytest.fixture
def suffix(name: str) -> str:
    return f"s{name.rpartition('-')[2][:8]}"


@pytest.fixture
def regions(aws: LocalAws, suffix: str) -> list[SweptRegion]:
    vpcs = {
        region: aws.client("ec2", region).create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        for region in REGIONS.values()
    }
    return [
        SweptRegion(names=Names(suffix), place=place, region=region, vpc_id=vpcs[region], client=aws.client)
        for place, region in REGIONS.items()
    ]


def leave(region: SweptRegion) -> None:
    """One of each kind, as a failover and late calls leave them."""
    names, place = region.names, region.place
    region.service("ssm").put_parameter(Name=f"{names.parameters}/feature/refunds", Value="on", Type="String")
    region.service("logs").create_log_group(logGroupName=f"/aws/lambda/function-payments-{place}-{names.suffix}")
    region.service("logs").create_log_group(logGroupName=f"/aws/rds/cluster/aurora-{place}-{names.suffix}/postgresql")
    events = region.service("events")
    events.create_event_bus(Name=names.bus)
    rule = {"Name": "GlobalEndpointManagedRule-1", "EventBusName": names.bus}
    events.put_rule(**rule, EventPattern=json.dumps({"source": ["payments"]}))
    bus = f"arn:aws:events:{region.region}:{ACCOUNT}:event-bus/{names.bus}"
    events.put_targets(Rule=rule["Name"], EventBusName=names.bus, Targets=[{"Id": "1", "Arn": bus}])
    ec2 = region.service("ec2")
    ec2.create_security_group(GroupName="GlobalAccelerator", Description="of AWS", VpcId=region.vpc_id)


def neighbours(region: SweptRegion) -> list[tuple[str, Callable[[], Any]]]:
    """Things that look like ours and are not; each with a read that fails when it is deleted."""
    names, place = region.names, region.place
    group, parameter = f"/aws/lambda/function-payments-{place}-x{names.suffix}", f"/app/{names.suffix}x/feature"
    ours_elsewhere = f"/aws/lambda/other-{place}-{names.suffix}"
    longer_suffix = f"/aws/lambda/function-payments-{place}-dr-{names.suffix}"
    logs, ssm, events = region.service("logs"), region.service("ssm"), region.service("events")
    for each in (group, ours_elsewhere, longer_suffix):
        logs.create_log_group(logGroupName=each)
    ssm.put_parameter(Name=parameter, Value="on", Type="String")
    events.put_rule(Name="ours", EventBusName=names.bus, EventPattern=json.dumps({"source": ["payments"]}))
    found = {each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]}
    assert {group, ours_elsewhere, longer_suffix} <= found
    return [
        (group, lambda: logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]),
        (ours_elsewhere, lambda: logs.describe_log_groups(logGroupNamePrefix=ours_elsewhere)["logGroups"][0]),
        (longer_suffix, lambda: logs.describe_log_groups(logGroupNamePrefix=longer_suffix)["logGroups"][0]),
        (parameter, lambda: ssm.get_parameter(Name=parameter)),
        ("rule", lambda: events.describe_rule(Name="ours", EventBusName=names.bus)),
    ]


def test_each_kind_is_removed_in_both_regions_and_neighbours_stay(regions: list[SweptRegion]) -> None:
    for region in regions:
        leave(region)
    others = [each for region in regions for each in neighbours(region)]
    lines: list[str] = []

    left = sweep.sweep(regions, SWEEPERS, lines.append, seconds=0)

    assert left == []
    printed = "\n".join(lines)
    for region in regions:
        for each in ("parameter", "log group", "managed rule", "accelerator's security group"):
            assert f"deleted {each} " in printed
        assert region.region in printed
    for name, read in others:
        assert read(), name
    assert sweep.sweep(regions, SWEEPERS, lines.append, seconds=0) == []
    assert printed == "\n".join(lines), "a second sweep found something"


def test_what_aws_refuses_is_left_with_its_reason_and_the_rest_goes() -> None:
    refused = ClientError({"Error": {"Code": "DependencyViolation", "Message": ""}}, "DeleteSecurityGroup")

    def remove(_: SweptRegion, name: str) -> None:
        if name == "stuck":
            raise refused
        there.remove(name)

    def silent(_: SweptRegion) -> list[str]:
        raise EndpointConnectionError(endpoint_url="https://ec2")

    there = ["loose", "stuck"]
    sweepers = [
        Sweeper(name="thing", find=lambda _: list(there), delete=remove),
        Sweeper(name="other", find=silent, delete=remove),
    ]

    left = sweep.sweep([SOMEWHERE], sweepers, lambda _: None, seconds=0)

    assert [str(each) for each in left] == [
        "thing stuck in us-east-1 (DependencyViolation)",
        'others that could not be listed in us-east-1 (Could not connect to the endpoint URL: "https://ec2")',
    ]
    with pytest.raises(Incomplete, match=r"2 left of dev:\n  thing stuck in us-east-1"):
        report(left, "dev")


def test_a_deletion_under_way_is_waited_for() -> None:
    found = iter([["slow"]] * 4 + [[]] * 4)
    sweeper = Sweeper(name="thing", find=lambda _: next(found), delete=lambda *_: None)

    assert sweep.sweep([SOMEWHERE], [sweeper], lambda _: None, seconds=5, pause=0.01) == []


def test_a_recovery_point_is_deleted_from_the_vault_of_its_place() -> None:
    backup: Any = boto3.client("backup", region_name=EAST_2, aws_access_key_id="a", aws_secret_access_key="b")
    point = f"arn:aws:backup:{EAST_2}:{ACCOUNT}:recovery-point:1"
    vault = {"BackupVaultName": "vault-secondary-dev"}
    region = SweptRegion(names=Names("dev"), place=Place.SECONDARY, region=EAST_2, vpc_id="", client=lambda *_: backup)
    with Stubber(backup) as answers:
        answers.add_response("list_backup_vaults", {"BackupVaultList": [vault]}, {})
        answers.add_response(
            "list_recovery_points_by_backup_vault", {"RecoveryPoints": [{"RecoveryPointArn": point}]}, vault
        )
        answers.add_response("delete_recovery_point", {}, {**vault, "RecoveryPointArn": point})
        answers.add_response("list_backup_vaults", {"BackupVaultList": []}, {})

        assert sweep.sweep([region], [RECOVERY_POINTS], lambda _: None, seconds=0) == []
        answers.assert_no_pending_responses()


@mock_aws
def test_snapshots_of_our_members_go_and_those_of_others_stay() -> None:
    rds: Any = boto3.client("rds", region_name=EAST_1, aws_access_key_id="a", aws_secret_access_key="b")
    for cluster in ("aurora-primary-dev", "aurora-primary-other"):
        rds.create_db_cluster(
            DBClusterIdentifier=cluster, Engine="aurora-postgresql", MasterUsername="u", MasterUserPassword="password1"
        )
        rds.create_db_cluster_snapshot(DBClusterIdentifier=cluster, DBClusterSnapshotIdentifier=f"of-{cluster}")
    region = SweptRegion(names=Names("dev"), place=Place.PRIMARY, region=EAST_1, vpc_id="", client=lambda *_: rds)

    assert sweep.sweep([region], [SNAPSHOTS], lambda _: None, seconds=0) == []

    of = {each["DBClusterIdentifier"] for each in rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]}
    assert of == {"aurora-primary-other"}


def test_what_carries_our_tags_is_left_unless_it_waits_for_its_deletion(aws: LocalAws, suffix: str) -> None:
    tags = {"Environment": suffix, "Project": PROJECT}
    kms = aws.client("kms", EAST_2)
    key = kms.create_key(Tags=[{"TagKey": key, "TagValue": value} for key, value in tags.items()])["KeyMetadata"]
    queue = aws.client("sqs", EAST_1).create_queue(QueueName=suffix, tags=tags)["QueueUrl"]
    aws.client("sqs", EAST_1).create_queue(QueueName=f"{suffix}-2", tags={**tags, "Environment": "other"})

    def left() -> list[str]:
        found = sweep.tagged(aws.client, REGIONS.values(), suffix)
        return [f"{each.what.rpartition(':')[2]} {each.region}" for each in found]

    assert left() == [f"{suffix} {EAST_1}", f"key/{key['KeyId']} {EAST_2}"]
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    aws.client("sqs", EAST_1).delete_queue(QueueUrl=queue)
    assert left() == []


def test_every_log_group_that_the_programs_register_would_be_found_again(registered: list[dict[str, Any]]) -> None:
    groups = [row for row in registered if row["type"] == "aws:cloudwatch/logGroup:LogGroup"]

    assert len(groups) > 10
    for row in groups:
        named = row["inputs"]["name"]
        assert named.startswith(LOG_GROUP_PREFIXES), named
        assert named.endswith(f"-{row['stack']}-dev"), named
