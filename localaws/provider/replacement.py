"""Arguments that force a replacement: their change makes the provider delete a resource and create another.

Derived from the table of resource types: an argument that no update step passes on forces a replacement. `IN_PLACE`
lists the arguments that the real provider changes in place although no step here does (resource schemas of
terraform-provider-aws 6: arguments without ForceNew or RequiresReplace), and `REPLACED` the opposite, by the
documentation of the SDK. tests/pulumi_plugins/test_replacement.py compares them with the SDK's docstrings.
"""

from collections.abc import Collection

from localaws.provider.execute import covered
from localaws.provider.preparation import entry_of

IN_PLACE: dict[str, tuple[str, ...]] = {
    "aws:apigateway/restApi:RestApi": ("endpointConfiguration",),
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:dynamodb/table:Table": ("attributes", "streamEnabled", "streamViewType"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ("routeTableId",),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("routeTableIds",),
    "aws:lambda/function:Function": ("architectures",),
    "aws:rds/cluster:Cluster": ("enabledCloudwatchLogsExports", "globalClusterIdentifier"),
    "aws:rds/clusterInstance:ClusterInstance": ("publiclyAccessible",),
    "aws:route53/record:Record": ("setIdentifier", "type"),
    "aws:route53/zone:Zone": ("vpcs",),
}
REPLACED: dict[str, tuple[str, ...]] = {
    "aws:apigateway/deployment:Deployment": ("triggers",),
    "aws:lambda/layerVersion:LayerVersion": ("code", "sourceCodeHash"),
    "aws:rds/cluster:Cluster": ("availabilityZones",),
    "random:index/randomId:RandomId": ("keepers",),
    "random:index/randomPassword:RandomPassword": ("keepers",),
    "random:index/randomString:RandomString": ("keepers",),
    "random:index/randomUuid:RandomUuid": ("keepers",),
}


def forced_by(type_: str, changed: Collection[str]) -> set[str]:
    """The arguments of `changed` that force a replacement of a resource of this type."""
    in_place = {"tags", "tagsAll", *covered(entry_of(type_)), *IN_PLACE.get(type_, ())} - {*REPLACED.get(type_, ())}
    return {argument for argument in changed if argument not in in_place}
