"""How to look up a deployed resource whose entry has no reading call of its own: the call, and where the answer has it.

Only a refresh looks, so that a creation makes no more calls than it needs. `{id}` stands in both for the resource's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from localaws.provider.context import Context
from localaws.provider.table import Call


@dataclass(frozen=True)
class Lookup:
    call: Call
    attributes: str  # JMESPath; without a value the resource is gone

    def find(self, context: Context) -> Any:
        """The resource's attributes, None if AWS does not know it. Raises ClientError."""
        parameters = context.text(dict(self.call.params))
        answer = context.call(self.call.operation, parameters)
        return jmespath.search(self.attributes.replace("{id}", context.id), answer)


def _by(operation: str, attributes: str, **parameters: Any) -> Lookup:
    return Lookup(Call(operation, parameters), attributes)


LOOKUPS: Mapping[str, Lookup] = {
    "aws:apigateway/restApi:RestApi": _by("get_rest_api", "@", restApiId="{id}"),
    "aws:apigateway/stage:Stage": _by("get_stage", "@", restApiId="{in.restApi}", stageName="{in.stageName}"),
    "aws:apigateway/usagePlan:UsagePlan": _by("get_usage_plan", "@", usagePlanId="{id}"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _by(
        "describe_alarms", "CompositeAlarms[0]", AlarmNames=["{id}"], AlarmTypes=["CompositeAlarm"]
    ),
    "aws:cloudwatch/dashboard:Dashboard": _by("get_dashboard", "@", DashboardName="{id}"),
    "aws:cloudwatch/eventBus:EventBus": _by("describe_event_bus", "@", Name="{id}"),
    "aws:cloudwatch/eventRule:EventRule": _by("describe_rule", "@", Name="{id}", EventBusName="{in.eventBusName}"),
    "aws:cloudwatch/logGroup:LogGroup": _by(
        "describe_log_groups", "logGroups[?logGroupName=='{id}'] | [0]", logGroupNamePrefix="{id}"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _by("describe_alarms", "MetricAlarms[0]", AlarmNames=["{id}"]),
    "aws:ec2/eip:Eip": _by("describe_addresses", "Addresses[0]", AllocationIds=["{id}"]),
    "aws:ec2/internetGateway:InternetGateway": _by(
        "describe_internet_gateways", "InternetGateways[0]", InternetGatewayIds=["{id}"]
    ),
    "aws:ec2/routeTable:RouteTable": _by("describe_route_tables", "RouteTables[0]", RouteTableIds=["{id}"]),
    "aws:ec2/securityGroup:SecurityGroup": _by("describe_security_groups", "SecurityGroups[0]", GroupIds=["{id}"]),
    "aws:ec2/subnet:Subnet": _by("describe_subnets", "Subnets[0]", SubnetIds=["{id}"]),
    "aws:ec2/vpc:Vpc": _by("describe_vpcs", "Vpcs[0]", VpcIds=["{id}"]),
    "aws:globalaccelerator/endpointGroup:EndpointGroup": _by(
        "describe_endpoint_group", "EndpointGroup", EndpointGroupArn="{id}"
    ),
    "aws:globalaccelerator/listener:Listener": _by("describe_listener", "Listener", ListenerArn="{id}"),
    "aws:iam/policy:Policy": _by("get_policy", "Policy", PolicyArn="{id}"),
    "aws:iam/role:Role": _by("get_role", "Role", RoleName="{id}"),
    "aws:iam/rolePolicy:RolePolicy": _by("get_role_policy", "@", RoleName="{out.role}", PolicyName="{out.name}"),
    "aws:kms/key:Key": _by("describe_key", "[KeyMetadata][?KeyState!='PendingDeletion'] | [0]", KeyId="{id}"),
    "aws:lb/listener:Listener": _by("describe_listeners", "Listeners[0]", ListenerArns=["{id}"]),
    "aws:lb/listenerRule:ListenerRule": _by("describe_rules", "Rules[0]", RuleArns=["{id}"]),
    "aws:lb/targetGroup:TargetGroup": _by("describe_target_groups", "TargetGroups[0]", TargetGroupArns=["{id}"]),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": _by(
        "describe_db_cluster_parameter_groups", "DBClusterParameterGroups[0]", DBClusterParameterGroupName="{id}"
    ),
    "aws:route53/healthCheck:HealthCheck": _by(
        "get_health_check", "HealthCheck.HealthCheckConfig", HealthCheckId="{id}"
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
