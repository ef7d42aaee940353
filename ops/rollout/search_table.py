"""The types of which AWS is asked for the id, with the search for each.

For the expressions see `ops.rollout.searches`; ids are in the form described in `ops.rollout.adoption`.
"""

from collections.abc import Callable, Mapping

from ops.environment.aws import Client
from ops.rollout.searches import Inputs, Search, certificates, keys, table_items

_IN_VPC = {"Filters": [{"Name": "vpc-id", "Values": ["{in.vpcId}"]}]}
_CHECKED = {
    "Type": "type",
    "FullyQualifiedDomainName": "fqdn",
    "IPAddress": "ipAddress",
    "ResourcePath": "resourcePath",
    "SearchString": "searchString",
    "AlarmIdentifier.Name": "cloudwatchAlarmName",
    "AlarmIdentifier.Region": "cloudwatchAlarmRegion",
    "RoutingControlArn": "routingControlArn",
}
_CHILDREN = "sort(HealthCheckConfig.ChildHealthChecks || `[]`) == sort(in.childHealthchecks || `[]`)"
_GONE = "['deleted', 'deleting', 'failed', 'rejected', 'expired']"


def _by_name(service: str, operation: str, items: str, name: str, identity: str) -> Search:
    return Search(service=service, operation=operation, items=items, where=f"{name} == in.name", id=identity)


def _rule(is_egress: str) -> Search:
    return Search(
        service="ec2",
        operation="describe_security_group_rules",
        parameters={"Filters": [{"Name": "group-id", "Values": ["{in.securityGroupId}"]}]},
        items="SecurityGroupRules",
        where=(
            f"IsEgress == `{is_egress}` && IpProtocol == in.ipProtocol && CidrIpv4 == in.cidrIpv4 && "
            "CidrIpv6 == in.cidrIpv6 && PrefixListId == in.prefixListId && "
            "ReferencedGroupInfo.GroupId == in.referencedSecurityGroupId && "
            "(in.fromPort == `null` || FromPort == in.fromPort) && (in.toPort == `null` || ToPort == in.toPort)"
        ),
        id="{SecurityGroupRuleId}",
    )


SEARCHES: Mapping[str, Callable[[Client, str, Inputs], list[str]]] = {
    "aws:acm/certificate:Certificate": certificates,
    "aws:apigateway/apiKey:ApiKey": _by_name("apigateway", "get_api_keys", "items", "name", "{id}"),
    "aws:apigateway/restApi:RestApi": _by_name("apigateway", "get_rest_apis", "items", "name", "{id}"),
    "aws:apigateway/usagePlan:UsagePlan": _by_name("apigateway", "get_usage_plans", "items", "name", "{id}"),
    "aws:arcregionswitch/plan:Plan": _by_name("arc-region-switch", "list_plans", "plans", "name", "{arn}"),
    "aws:backup/plan:Plan": _by_name(
        "backup", "list_backup_plans", "BackupPlansList", "BackupPlanName", "{BackupPlanId}"
    ),
    "aws:backup/selection:Selection": Search(
        service="backup",
        operation="list_backup_selections",
        parameters={"BackupPlanId": "{in.planId}"},
        items="BackupSelectionsList",
        where="SelectionName == in.name",
        id="{in.planId}|{SelectionId}",
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Search(
        service="events",
        operation="list_targets_by_rule",
        parameters={"Rule": "{in.rule}", "EventBusName": "{in.eventBusName}"},
        items="Targets",
        where="Arn == in.arn && (in.targetId == `null` || Id == in.targetId)",
        id="{join('/', [in.eventBusName, in.rule, Id][?@])}",
    ),
    "aws:dynamodb/tableItem:TableItem": table_items,
    "aws:ec2/eip:Eip": Search(
        service="ec2",
        operation="describe_addresses",
        items="Addresses",
        where="!AssociationId",
        id="{AllocationId}",
        tagged=True,
    ),
    "aws:ec2/flowLog:FlowLog": Search(
        service="ec2",
        operation="describe_flow_logs",
        items="FlowLogs",
        where="ResourceId == in.vpcId && LogDestination == in.logDestination",
        id="{FlowLogId}",
    ),
    "aws:ec2/internetGateway:InternetGateway": Search(
        service="ec2",
        operation="describe_internet_gateways",
        items="InternetGateways",
        where="!Attachments || Attachments[0].VpcId == in.vpcId",
        id="{InternetGatewayId}",
        tagged=True,
    ),
    "aws:ec2/natGateway:NatGateway": Search(
        service="ec2",
        operation="describe_nat_gateways",
        items="NatGateways",
        where=(
            f"!contains({_GONE}, State) && SubnetId == in.subnetId && "
            "(!NatGatewayAddresses || NatGatewayAddresses[0].AllocationId == in.allocationId)"
        ),
        id="{NatGatewayId}",
    ),
    "aws:ec2/routeTable:RouteTable": Search(
        service="ec2",
        operation="describe_route_tables",
        parameters=_IN_VPC,
        items="RouteTables",
        where="!Associations",
        id="{RouteTableId}",
        tagged=True,
    ),
    "aws:ec2/securityGroup:SecurityGroup": Search(
        service="ec2",
        operation="describe_security_groups",
        parameters=_IN_VPC,
        items="SecurityGroups",
        where="GroupName == in.name",
        id="{GroupId}",
    ),
    "aws:ec2/subnet:Subnet": Search(
        service="ec2",
        operation="describe_subnets",
        parameters=_IN_VPC,
        items="Subnets",
        where="CidrBlock == in.cidrBlock",
        id="{SubnetId}",
    ),
    "aws:ec2/vpc:Vpc": Search(
        service="ec2",
        operation="describe_vpcs",
        items="Vpcs",
        where="CidrBlock == in.cidrBlock",
        id="{VpcId}",
        tagged=True,
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Search(
        service="ec2",
        operation="describe_vpc_endpoints",
        parameters=_IN_VPC,
        items="VpcEndpoints",
        where=f"!contains({_GONE}, State) && ServiceName == in.serviceName",
        id="{VpcEndpointId}",
    ),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": Search(
        service="ec2",
        operation="describe_vpc_peering_connections",
        items="VpcPeeringConnections",
        where=(
            f"!contains({_GONE}, Status.Code) && RequesterVpcInfo.VpcId == in.vpcId && "
            "AccepterVpcInfo.VpcId == in.peerVpcId"
        ),
        id="{VpcPeeringConnectionId}",
    ),
    "aws:fis/experimentTemplate:ExperimentTemplate": Search(
        service="fis",
        operation="list_experiment_templates",
        items="experimentTemplates",
        where="description == in.description",
        id="{id}",
        tagged=True,
    ),
    "aws:globalaccelerator/accelerator:Accelerator": _by_name(
        "globalaccelerator", "list_accelerators", "Accelerators", "Name", "{AcceleratorArn}"
    ),
    "aws:globalaccelerator/endpointGroup:EndpointGroup": Search(
        service="globalaccelerator",
        operation="list_endpoint_groups",
        parameters={"ListenerArn": "{in.listenerArn}"},
        items="EndpointGroups",
        where="EndpointGroupRegion == in.endpointGroupRegion",
        id="{EndpointGroupArn}",
    ),
    "aws:globalaccelerator/listener:Listener": Search(
        service="globalaccelerator",
        operation="list_listeners",
        parameters={"AcceleratorArn": "{in.acceleratorArn}"},
        items="Listeners",
        where="Protocol == in.protocol && PortRanges[0].FromPort == in.portRanges[0].fromPort",
        id="{ListenerArn}",
    ),
    "aws:iam/policy:Policy": Search(
        service="iam",
        operation="list_policies",
        parameters={"Scope": "Local"},
        items="Policies",
        where="PolicyName == in.name",
        id="{Arn}",
    ),
    "aws:kms/key:Key": keys,
    "aws:lambda/eventSourceMapping:EventSourceMapping": Search(
        service="lambda",
        operation="list_event_source_mappings",
        parameters={"EventSourceArn": "{in.eventSourceArn}", "FunctionName": "{in.functionName}"},
        items="EventSourceMappings",
        where="State != 'Deleting'",
        id="{UUID}",
    ),
    "aws:lambda/layerVersion:LayerVersion": Search(  # the newest, which may be one that is recorded already
        service="lambda",
        operation="list_layer_versions",
        parameters={"LayerName": "{in.layerName}"},
        items="LayerVersions | sort_by(@, &Version) | [-1:]",
        where="in.description == `null` || Description == in.description",
        id="{LayerVersionArn}",
    ),
    "aws:lb/listener:Listener": Search(
        service="elbv2",
        operation="describe_listeners",
        parameters={"LoadBalancerArn": "{in.loadBalancerArn}"},
        items="Listeners",
        where="Port == in.port",
        id="{ListenerArn}",
    ),
    "aws:lb/listenerRule:ListenerRule": Search(
        service="elbv2",
        operation="describe_rules",
        parameters={"ListenerArn": "{in.listenerArn}"},
        items="Rules",
        where="Priority == to_string(in.priority)",
        id="{RuleArn}",
    ),
    "aws:lb/loadBalancer:LoadBalancer": _by_name(
        "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName", "{LoadBalancerArn}"
    ),
    "aws:lb/targetGroup:TargetGroup": _by_name(
        "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName", "{TargetGroupArn}"
    ),
    "aws:route53/healthCheck:HealthCheck": Search(
        service="route53",
        operation="list_health_checks",
        items="HealthChecks",
        where=" && ".join(
            [_CHILDREN, *(f"HealthCheckConfig.{word} == in.{argument}" for word, argument in _CHECKED.items())]
        ),
        id="{Id}",
    ),
    "aws:route53/zone:Zone": Search(
        service="route53",
        operation="list_hosted_zones",
        items="HostedZones",
        where=(
            "Name == join('', [in.name, '.']) && Config.Comment == in.comment && "
            "Config.PrivateZone == (in.vpcs && `true` || `false`)"
        ),
        id="{Id}",
    ),
    "aws:secretsmanager/secret:Secret": _by_name("secretsmanager", "list_secrets", "SecretList", "Name", "{ARN}"),
    "aws:sfn/stateMachine:StateMachine": _by_name(
        "stepfunctions", "list_state_machines", "stateMachines", "name", "{stateMachineArn}"
    ),
    "aws:sns/topic:Topic": Search(
        service="sns",
        operation="list_topics",
        items="Topics",
        where="ends_with(TopicArn, join(':', ['', in.name]))",
        id="{TopicArn}",
    ),
    "aws:sns/topicSubscription:TopicSubscription": Search(
        service="sns",
        operation="list_subscriptions_by_topic",
        parameters={"TopicArn": "{in.topic}"},
        items="Subscriptions",
        where="Protocol == in.protocol && Endpoint == in.endpoint && SubscriptionArn != 'PendingConfirmation'",
        id="{SubscriptionArn}",
    ),
    "aws:sqs/queue:Queue": Search(
        service="sqs",
        operation="list_queues",
        parameters={"QueueNamePrefix": "{in.name}"},
        items="QueueUrls",
        where="ends_with(item, join('/', ['', in.name]))",
        id="{item}",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("true"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("false"),
    "aws:wafv2/webAcl:WebAcl": Search(
        service="wafv2",
        operation="list_web_acls",
        parameters={"Scope": "{in.scope}"},
        items="WebACLs",
        where="Name == in.name",
        id="{Id}/{Name}/{in.scope}",
    ),
}
