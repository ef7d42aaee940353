"""Web ACL logs, vault notifications, restore testing, API keys: kept by region, refused where AWS refuses."""

from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.local.embedded import EAST_1, EAST_2, LocalAws

SHOWN = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


def web_acl(aws: LocalAws, name: str) -> dict[str, Any]:
    made: dict[str, Any] = aws.client("wafv2").create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=SHOWN
    )["Summary"]
    return made


def log_to(aws: LocalAws, acl: dict[str, Any], group: str, region: str = EAST_1) -> None:
    destination = f"arn:aws:logs:{region}:000000000000:log-group:{group}:*"
    settings = {"ResourceArn": acl["ARN"], "LogDestinationConfigs": [destination]}
    aws.client("wafv2", region).put_logging_configuration(LoggingConfiguration=settings)


def test_a_web_acl_logs_to_a_group_with_wafs_prefix_in_its_own_region(planes: LocalAws, name: str) -> None:
    acl = web_acl(planes, name)
    with pytest.raises(ClientError, match="begins with aws-waf-logs-"):
        log_to(planes, acl, "/any")
    with pytest.raises(ClientError, match="WAFNonexistentItemException"):
        log_to(planes, acl, "aws-waf-logs-a", EAST_2)

    log_to(planes, acl, "aws-waf-logs-a")

    found = planes.client("wafv2").get_logging_configuration(ResourceArn=acl["ARN"])["LoggingConfiguration"]
    assert found["LogDestinationConfigs"][0].endswith("aws-waf-logs-a:*")
    listed = planes.client("wafv2").list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"]
    assert acl["ARN"] in [each["ResourceArn"] for each in listed]
    assert not planes.client("wafv2", EAST_2).list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"]


def test_a_web_acl_in_use_is_not_deleted_and_takes_its_log_settings_with_it(planes: LocalAws, name: str) -> None:
    acl, client = web_acl(planes, name), planes.client("wafv2")
    log_to(planes, acl, "aws-waf-logs-a")
    stage = f"arn:aws:apigateway:us-east-1::/restapis/{name}/stages/live"
    client.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage)
    with pytest.raises(ClientError, match="WAFAssociatedItemException"):
        client.delete_web_acl(Name=name, Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"])
    client.disassociate_web_acl(ResourceArn=stage)

    client.delete_web_acl(Name=name, Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"])

    with pytest.raises(ClientError, match="WAFNonexistentItemException"):
        client.get_logging_configuration(ResourceArn=acl["ARN"])


def test_vault_notifications_are_kept_until_deleted(planes: LocalAws, name: str) -> None:
    client, topic = planes.client("backup"), "arn:aws:sns:us-east-1:000000000000:people"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.put_backup_vault_notifications(
            BackupVaultName=name, SNSTopicArn=topic, BackupVaultEvents=["COPY_JOB_FAILED"]
        )
    client.create_backup_vault(BackupVaultName=name)
    client.put_backup_vault_notifications(
        BackupVaultName=name, SNSTopicArn=topic, BackupVaultEvents=["COPY_JOB_FAILED"]
    )
    found = client.get_backup_vault_notifications(BackupVaultName=name)
    assert (found["SNSTopicArn"], found["BackupVaultEvents"]) == (topic, ["COPY_JOB_FAILED"])

    client.delete_backup_vault_notifications(BackupVaultName=name)

    with pytest.raises(ClientError, match="No notifications"):
        client.get_backup_vault_notifications(BackupVaultName=name)


def test_a_plan_goes_after_its_selections(planes: LocalAws, name: str) -> None:
    client = planes.client("backup")
    rule = {"RuleName": "r", "TargetBackupVaultName": "any"}
    plan = client.create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": [rule]})["BackupPlanId"]
    chosen = {"SelectionName": "s", "IamRoleArn": "arn:aws:iam::000000000000:role/b", "Resources": ["*"]}
    selection = client.create_backup_selection(BackupPlanId=plan, BackupSelection=chosen)["SelectionId"]
    with pytest.raises(ClientError, match="selections must be deleted"):
        client.delete_backup_plan(BackupPlanId=plan)
    client.delete_backup_selection(BackupPlanId=plan, SelectionId=selection)

    client.delete_backup_plan(BackupPlanId=plan)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_backup_plan(BackupPlanId=plan)


def test_restore_testing_is_kept_as_given_by_region_and_deleted_in_order(planes: LocalAws, name: str) -> None:
    client, plan = planes.client("backup"), name.replace("-", "_")
    chosen = {"Algorithm": "LATEST_WITHIN_WINDOW", "IncludeVaults": ["*"], "RecoveryPointTypes": ["SNAPSHOT"]}
    wanted = {"RestoreTestingPlanName": plan, "ScheduleExpression": "cron(0 15 ? * SUN *)"}
    made = client.create_restore_testing_plan(
        RestoreTestingPlan={**wanted, "RecoveryPointSelection": chosen}, Tags={"a": "b"}
    )
    what = {
        "RestoreTestingSelectionName": "s3",
        "ProtectedResourceType": "S3",
        "IamRoleArn": "arn:aws:iam::000000000000:role/r",
    }
    with pytest.raises(ClientError, match="needs ProtectedResourceArns"):
        client.create_restore_testing_selection(RestoreTestingPlanName=plan, RestoreTestingSelection=what)
    client.create_restore_testing_selection(
        RestoreTestingPlanName=plan, RestoreTestingSelection={**what, "ProtectedResourceArns": ["*"]}
    )

    found = client.get_restore_testing_plan(RestoreTestingPlanName=plan)["RestoreTestingPlan"]
    assert (found["RecoveryPointSelection"], found["StartWindowHours"]) == (chosen, 24)
    assert found["RestoreTestingPlanArn"] == made["RestoreTestingPlanArn"]
    assert client.list_tags(ResourceArn=made["RestoreTestingPlanArn"])["Tags"] == {"a": "b"}
    listed = client.list_restore_testing_plans()["RestoreTestingPlans"]
    assert plan in [each["RestoreTestingPlanName"] for each in listed]
    assert not planes.client("backup", EAST_2).list_restore_testing_plans()["RestoreTestingPlans"]
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        client.create_restore_testing_plan(RestoreTestingPlan={**wanted, "RecoveryPointSelection": chosen})
    with pytest.raises(ClientError, match="still has selections"):
        client.delete_restore_testing_plan(RestoreTestingPlanName=plan)
    client.delete_restore_testing_selection(RestoreTestingPlanName=plan, RestoreTestingSelectionName="s3")
    client.delete_restore_testing_plan(RestoreTestingPlanName=plan)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_restore_testing_plan(RestoreTestingPlanName=plan)


def guarded_api(aws: LocalAws, region: str, key: str) -> tuple[str, str]:
    """An API that asks for a key, with a plan for `key`; its id and the plan's."""
    client = aws.client("apigateway", region)
    api = client.create_rest_api(name="guarded")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    place = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE", apiKeyRequired=True)
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api, stageName="live")
    plan = client.create_usage_plan(name="plan", apiStages=[{"apiId": api, "stage": "live"}])["id"]
    made = client.create_api_key(name="shop", value=key, enabled=True)["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=made, keyType="API_KEY")
    return api, plan


def status(aws: LocalAws, api: str, key: str) -> int:
    url = f"{aws.server.endpoint}/_aws/execute-api/{api}/live/"
    return httpx.get(url, headers={"x-api-key": key} if key else {}).status_code


def test_one_key_value_opens_the_apis_of_both_regions_and_no_other_value_does(planes: LocalAws, name: str) -> None:
    key = f"{name}-{'k' * 30}"
    apis = [guarded_api(planes, region, key)[0] for region in (EAST_1, EAST_2)]

    assert [status(planes, api, key) for api in apis] == [200, 200]
    assert [status(planes, api, other) for api in apis for other in ("", "x" * 30)] == [403] * 4


def test_a_plan_without_its_stage_rejects_keys_and_limits_stay_numbers(planes: LocalAws, name: str) -> None:
    key = f"{name}-{'k' * 30}"
    api, plan = guarded_api(planes, EAST_1, key)
    client = planes.client("apigateway")
    limit = {"op": "replace", "path": "/throttle/rateLimit", "value": "25"}
    burst = {"op": "replace", "path": "/throttle/burstLimit", "value": "50"}
    client.update_usage_plan(usagePlanId=plan, patchOperations=[limit, burst])
    found = client.get_usage_plan(usagePlanId=plan)
    assert (found["throttle"], found["apiStages"]) == (
        {"rateLimit": 25.0, "burstLimit": 50},
        [{"apiId": api, "stage": "live"}],
    )
    assert status(planes, api, key) == 200

    stage = {"op": "remove", "path": "/apiStages", "value": f"{api}:live"}
    client.update_usage_plan(usagePlanId=plan, patchOperations=[stage])

    assert status(planes, api, key) == 403
    with pytest.raises(ClientError, match="Invalid patch path /colour"):
        client.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "add", "path": "/colour", "value": "red"}])


def test_a_custom_domain_has_the_hosted_zone_of_its_region(planes: LocalAws, name: str) -> None:
    zones = [
        planes.client("apigateway", region).create_domain_name(
            domainName=f"{name}.example", endpointConfiguration={"types": ["REGIONAL"]}
        )["regionalHostedZoneId"]
        for region in (EAST_1, EAST_2)
    ]

    assert zones == ["Z1UJRXOUMOOFQ8", "ZOJJZC49E0EPZ"]
