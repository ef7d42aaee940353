"""The id of a resource whose creation was interrupted, by its type and its arguments.

Every type that the programs use is in exactly one of three tables. `NAMED`: the id follows from the arguments, and a
refresh removes what does not exist. `SEARCHES`, of `ops.rollout.search_table`: AWS is asked. `REPEATED`: there is
nothing to find, as creating it again has the same result. Ids are in the form in which `pulumi import` takes them,
which the registry documents for each type under "Import". For the expressions see `ops.rollout.searches`.
"""

from collections.abc import Mapping

from ops.environment.aws import Client
from ops.rollout.search_table import SEARCHES
from ops.rollout.searches import Inputs, keys, text

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
