"""The id of a resource whose creation was interrupted, by its type and its arguments.

Every type that the programs use is in exactly one of three tables. `NAMED`: the id follows from the arguments, and a
refresh removes what does not exist. `SEARCHES`: AWS is asked. `REPEATED`: there is nothing to find, as creating it
again has the same result. Ids are in the form in which `pulumi import` takes them, which the registry documents for
each type under "Import". For the expressions see `ops.rollout.searches`.
"""

from collections.abc import Callable, Mapping

from ops.environment.aws import Client
from ops.rollout.searches import Inputs, Search, certificates, keys, table_items, text

NAMED: Mapping[str, str] = {
    "aws:apigateway/basePathMapping:BasePathMapping": "{in.domainName}/{in.basePath}",
    "aws:apigateway/domainName:DomainName": "{in.domainName}",
    "aws:apigateway/stage:Stage": "{in.restApi}/{in.stageName}",
    "aws:apigateway/usagePlanKey:UsagePlanKey": "{in.usagePlanId}/{in.keyId}",
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": "{in.name}",
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": "{in.name}:{in.restoreTestingPlanName}",
    "aws:backup/vault:Vault": "{in.name}",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "{in.alarmName}",
    "aws:cloudwatch/dashboard:Dashboard": "{in.dashboardName}",
    "aws:cloudwatch/eventBus:EventBus": "{in.name}",
    "aws:cloudwatch/eventEndpoint:EventEndpoint": "{in.name}",
    "aws:cloudwatch/eventRule:EventRule": "{join('/', [in.eventBusName, in.name][?@])}",
    "aws:cloudwatch/logGroup:LogGroup": "{in.name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "{in.name}",
    "aws:dynamodb/table:Table": "{in.name}",
    "aws:ec2/route:Route": (
        "{in.routeTableId}_{in.destinationCidrBlock || in.destinationIpv6CidrBlock || in.destinationPrefixListId}"
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "{in.subnetId || in.gatewayId}/{in.routeTableId}",
    "aws:iam/role:Role": "{in.name}",
    "aws:iam/rolePolicy:RolePolicy": "{in.role}:{in.name}",
    "aws:kms/alias:Alias": "{in.name}",
    "aws:lambda/function:Function": "{in.name}",
    "aws:lambda/permission:Permission": "{join(':', [in.function, in.qualifier][?@])}/{in.statementId}",
    "aws:rds/cluster:Cluster": "{in.clusterIdentifier}",
    "aws:rds/clusterInstance:ClusterInstance": "{in.identifier}",
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": "{in.name}",
    "aws:rds/globalCluster:GlobalCluster": "{in.globalClusterIdentifier}",
    "aws:rds/subnetGroup:SubnetGroup": "{in.name}",
    "aws:route53/record:Record": "{join('_', [in.zoneId, in.name, in.type, in.setIdentifier][?@])}",
    "aws:s3/bucket:Bucket": "{in.bucket}",
    "aws:scheduler/schedule:Schedule": "{in.groupName}/{in.name}",
    "aws:ssm/parameter:Parameter": "{in.name}",
}

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

UNNAMED = frozenset(type_ for type_, each in SEARCHES.items() if each is keys or getattr(each, "tagged", False))
"""Types of which AWS may have several with the same arguments and tags."""

_SETTING = "a setting of the resource that it names: creating it sets it again"
_LINK = "a link between two resources: AWS takes it again and keeps one"
_LOCAL = "made by the provider itself; nothing of it is in AWS"

REPEATED: Mapping[str, str] = {
    "aws:acm/certificateValidation:CertificateValidation": "nothing but a wait",
    "aws:apigateway/account:Account": "a setting of the account: creating it sets it again",
    "aws:apigateway/deployment:Deployment": "one that no stage uses costs nothing, and goes with its API",
    "aws:apigateway/methodSettings:MethodSettings": _SETTING,
    "aws:apigateway/restApiPolicy:RestApiPolicy": _SETTING,
    "aws:backup/vaultNotifications:VaultNotifications": _SETTING,
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": _SETTING,
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": "accepts only what was not accepted yet",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _LINK,
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": _SETTING,
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": _LINK,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _SETTING,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _SETTING,
    "aws:s3/bucketPolicy:BucketPolicy": _SETTING,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _SETTING,
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": _SETTING,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _SETTING,
    "aws:s3/bucketVersioning:BucketVersioning": _SETTING,
    "aws:secretsmanager/secretVersion:SecretVersion": "a further version becomes the current one",
    "aws:sns/topicPolicy:TopicPolicy": _SETTING,
    "aws:sqs/queuePolicy:QueuePolicy": _SETTING,
    "aws:ssm/serviceSetting:ServiceSetting": "a setting of the account: creating it sets it again",
    "aws:wafv2/webAclAssociation:WebAclAssociation": _LINK,
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _SETTING,
    "random:index/randomId:RandomId": _LOCAL,
    "random:index/randomPassword:RandomPassword": _LOCAL,
    "random:index/randomString:RandomString": _LOCAL,
    "random:index/randomUuid:RandomUuid": _LOCAL,
    "tls:index/privateKey:PrivateKey": _LOCAL,
    "tls:index/selfSignedCert:SelfSignedCert": _LOCAL,
}
"""With the reason."""


def candidates(type_: str, inputs: Inputs, region: str, client: Client) -> list[str]:
    """The ids that an interrupted creation may have made; empty if it made nothing. Raises botocore's errors.

    Several only for a type whose resources have no name: all those with the same arguments and tags.
    """
    if type_ in NAMED:
        return [text(NAMED[type_], {"in": inputs})]
    return SEARCHES[type_](client, region, inputs) if type_ in SEARCHES else []


def is_known(type_: str) -> bool:
    return type_ in NAMED or type_ in SEARCHES or type_ in REPEATED
