"""Lookups of deployed resources whose entry has no reading call of its own: the call, and the path in its response.

Only a refresh and an import look, so that a creation makes no more calls than it needs. `{id}` is in both the
resource's id, and `{in...}` for an argument.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from localaws.provider.context import Context
from localaws.provider.resources.dynamodb import item_key
from localaws.provider.resources.route53 import full_name
from localaws.provider.table import Call

Attributes = str | Callable[[Context, dict[str, Any]], Any]


@dataclass(frozen=True)
class Lookup:
    call: Call
    attributes: Attributes  # JMESPath, or a function of the answer; without a value the resource is gone
    made: Attributes = "@"  # likewise: as much of the creating call's answer as the outputs need

    def find(self, context: Context) -> Any:
        """The resource's attributes, None if AWS does not know it. Raises ClientError."""
        parameters = context.text(dict(self.call.params))
        answer = context.call(self.call.operation, parameters)
        attributes = self.attributes
        if isinstance(attributes, str):
            attributes = str(context.text(attributes) if "{in." in attributes else attributes)
            attributes = attributes.replace("{id}", context.id)
        found = _search(attributes, context, answer)
        context.answered = _search(self.made, context, answer) or {}
        return found


def _search(expression: Attributes, context: Context, answer: dict[str, Any]) -> Any:
    return jmespath.search(expression, answer) if isinstance(expression, str) else expression(context, answer)


def _by(operation: str, attributes: Attributes, made: Attributes = "@", **parameters: Any) -> Lookup:
    return Lookup(Call(operation, parameters), attributes, made)


def _statement(context: Context, answer: dict[str, Any]) -> Any:
    """The statement of a function's policy that is one permission; its principal has another form there."""
    found = [each for each in json.loads(answer["Policy"])["Statement"] if each["Sid"] == context.out["statementId"]]
    return {key: value for key, value in found[0].items() if key != "Principal"} if found else None


def _record(context: Context, answer: dict[str, Any]) -> Any:
    """The record of the name, type and set; its name as the program gave it."""
    given, name = context.inputs, full_name(context)
    for found in answer["ResourceRecordSets"]:
        same = (found["Name"].rstrip("."), found["Type"], found.get("SetIdentifier"))
        if same == (name, given["type"], given.get("setIdentifier")):
            return {**found, "Name": given["name"]}
    return None


_ASSOCIATION_ID = "RouteTableAssociationId"


def _association(context: Context, answer: dict[str, Any]) -> Any:
    """By its id; one to be adopted by what it associates."""
    given, found = context.inputs, [each for table in answer["RouteTables"] for each in table.get("Associations") or []]
    return next(
        (
            each
            for each in found
            if context.id == each.get(_ASSOCIATION_ID)
            or (given.get("subnetId") or given.get("gatewayId")) in (each.get("SubnetId"), each.get("GatewayId"))
        ),
        None,
    )


def _target(context: Context) -> Any:
    return context.out.get("targetId") or context.inputs.get("targetId")


_DESTINATION = "in.destinationCidrBlock || in.destinationIpv6CidrBlock || in.destinationPrefixListId"

LOOKUPS: Mapping[str, Lookup] = {
    "aws:apigateway/basePathMapping:BasePathMapping": _by(
        "get_base_path_mapping", "@", domainName="{in.domainName}", basePath="{in.basePath || '(none)'}"
    ),
    "aws:apigateway/restApi:RestApi": _by("get_rest_api", "@", restApiId="{id}"),
    "aws:apigateway/stage:Stage": _by("get_stage", "@", restApiId="{in.restApi}", stageName="{in.stageName}"),
    "aws:apigateway/usagePlan:UsagePlan": _by("get_usage_plan", "@", usagePlanId="{id}"),
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": _by(
        "get_restore_testing_selection",
        "RestoreTestingSelection",
        RestoreTestingPlanName="{in.restoreTestingPlanName}",
        RestoreTestingSelectionName="{in.name}",
    ),
    "aws:backup/selection:Selection": _by(
        "get_backup_selection", "BackupSelection", BackupPlanId="{in.planId}", SelectionId="{id}"
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _by(
        "describe_alarms", "CompositeAlarms[0]", AlarmNames=["{id}"], AlarmTypes=["CompositeAlarm"]
    ),
    "aws:cloudwatch/dashboard:Dashboard": _by("get_dashboard", "@", DashboardName="{id}"),
    "aws:cloudwatch/eventBus:EventBus": _by("describe_event_bus", "@", "{EventBusArn: Arn}", Name="{id}"),
    "aws:cloudwatch/eventRule:EventRule": _by(
        "describe_rule", "@", "{RuleArn: Arn}", Name="{out.name}", EventBusName="{in.eventBusName}"
    ),
    "aws:cloudwatch/eventTarget:EventTarget": _by(
        "list_targets_by_rule",
        lambda context, answer: next((each for each in answer["Targets"] if each["Id"] == _target(context)), None),
        lambda context, _: {"Id": _target(context)},
        Rule="{in.rule}",
        EventBusName="{in.eventBusName}",
    ),
    "aws:cloudwatch/logGroup:LogGroup": _by(
        "describe_log_groups", "logGroups[?logGroupName=='{id}'] | [0]", logGroupNamePrefix="{id}"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _by("describe_alarms", "MetricAlarms[0]", AlarmNames=["{id}"]),
    "aws:dynamodb/tableItem:TableItem": _by(
        "get_item", "Item", TableName="{in.tableName}", Key=item_key, ConsistentRead=True
    ),
    "aws:ec2/eip:Eip": _by("describe_addresses", "Addresses[0]", "Addresses[0]", AllocationIds=["{id}"]),
    "aws:ec2/internetGateway:InternetGateway": _by(
        "describe_internet_gateways", "InternetGateways[0]", InternetGatewayIds=["{id}"]
    ),
    "aws:ec2/route:Route": _by(
        "describe_route_tables",
        "RouteTables[0].Routes[?(DestinationCidrBlock || DestinationIpv6CidrBlock || DestinationPrefixListId)"
        f"=='{{{_DESTINATION}}}'] | [0]",
        RouteTableIds=["{in.routeTableId}"],
    ),
    "aws:ec2/routeTable:RouteTable": _by("describe_route_tables", "RouteTables[0]", RouteTableIds=["{id}"]),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _by(
        "describe_route_tables",
        _association,
        lambda context, answer: {"AssociationId": (_association(context, answer) or {}).get(_ASSOCIATION_ID)},
        RouteTableIds=["{in.routeTableId}"],
    ),
    "aws:ec2/securityGroup:SecurityGroup": _by("describe_security_groups", "SecurityGroups[0]", GroupIds=["{id}"]),
    "aws:ec2/subnet:Subnet": _by("describe_subnets", "Subnets[0]", "{Subnet: Subnets[0]}", SubnetIds=["{id}"]),
    "aws:ec2/vpc:Vpc": _by("describe_vpcs", "Vpcs[0]", "{Vpc: Vpcs[0]}", VpcIds=["{id}"]),
    "aws:globalaccelerator/endpointGroup:EndpointGroup": _by(
        "describe_endpoint_group", "EndpointGroup", EndpointGroupArn="{id}"
    ),
    "aws:globalaccelerator/listener:Listener": _by("describe_listener", "Listener", ListenerArn="{id}"),
    "aws:iam/policy:Policy": _by("get_policy", "Policy", PolicyArn="{id}"),
    "aws:iam/role:Role": _by("get_role", "Role", RoleName="{id}"),
    "aws:iam/rolePolicy:RolePolicy": _by("get_role_policy", "@", RoleName="{out.role}", PolicyName="{out.name}"),
    "aws:kms/key:Key": _by("describe_key", "[KeyMetadata][?KeyState!='PendingDeletion'] | [0]", KeyId="{id}"),
    "aws:lambda/layerVersion:LayerVersion": _by("get_layer_version_by_arn", "@", Arn="{id}"),
    "aws:lambda/permission:Permission": _by(
        "get_policy", _statement, FunctionName="{in.function}", Qualifier="{in.qualifier}"
    ),
    "aws:lb/listener:Listener": _by("describe_listeners", "Listeners[0]", ListenerArns=["{id}"]),
    "aws:lb/listenerRule:ListenerRule": _by("describe_rules", "Rules[0]", RuleArns=["{id}"]),
    "aws:lb/targetGroup:TargetGroup": _by("describe_target_groups", "TargetGroups[0]", TargetGroupArns=["{id}"]),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": _by(
        "describe_db_cluster_parameter_groups",
        "DBClusterParameterGroups[0]",
        "{DBClusterParameterGroup: DBClusterParameterGroups[0]}",
        DBClusterParameterGroupName="{id}",
    ),
    "aws:route53/healthCheck:HealthCheck": _by(
        "get_health_check", "HealthCheck.HealthCheckConfig", HealthCheckId="{id}"
    ),
    "aws:route53/record:Record": _by(
        "list_resource_record_sets",
        _record,
        lambda context, _: {"Name": full_name(context)},
        HostedZoneId="{in.zoneId}",
        StartRecordName=full_name,
        StartRecordType="{in.type}",
    ),
    "aws:s3/bucket:Bucket": _by("head_bucket", "@", Bucket="{id}"),
    "aws:secretsmanager/secret:Secret": _by("describe_secret", "[@][?!DeletedDate] | [0]", SecretId="{id}"),
    "aws:sns/topic:Topic": _by("get_topic_attributes", "Attributes", TopicArn="{id}"),
    "aws:sqs/queue:Queue": _by("get_queue_attributes", "Attributes", QueueUrl="{id}", AttributeNames=["All"]),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _by(
        "describe_security_group_rules", "SecurityGroupRules[0]", SecurityGroupRuleIds=["{id}"]
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _by(
        "describe_security_group_rules", "SecurityGroupRules[0]", SecurityGroupRuleIds=["{id}"]
    ),
}
