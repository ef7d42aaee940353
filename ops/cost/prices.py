"""The price table `prices.json`, with source, date and reliability of each price, and the types without a price.

A type that is neither here nor among the pricers is reported as unknown.
"""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, HttpUrl, PositiveFloat

TABLE = Path(__file__).with_name("prices.json")


class Price(BaseModel):
    """On demand, in US dollars for one unit, in the table's regions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    service: str
    price: PositiveFloat
    unit: str
    source: HttpUrl
    as_of: date
    basis: Literal["page", "memory"]
    """`page`: read in a copy of the page. `memory`: known to the author, to be verified."""
    note: str | None = None


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Literal["USD"]
    regions: tuple[str, ...]
    read: str
    prices: tuple[Price, ...]

    def by_key(self) -> Mapping[str, Price]:
        return {each.key: each for each in self.prices}


@cache
def table() -> Table:
    return Table.model_validate(json.loads(TABLE.read_text()))


# Resource types that cost nothing by themselves: by reason, the type names of each module.
_FREE: Mapping[str, Mapping[str, str]] = {
    "a setting of a resource that is priced itself": {
        "apigateway": "Account ApiKey BasePathMapping Deployment MethodSettings UsagePlan UsagePlanKey",
        "backup": "Selection VaultNotifications",
        "ec2": "PeeringConnectionOptions",
        "globalaccelerator": "EndpointGroup Listener",
        "lambda": "FunctionEventInvokeConfig",
        "lb": "Listener TargetGroup TargetGroupAttachment",
        "rds": "ClusterParameterGroup SubnetGroup",
        "s3": "BucketNotification BucketOwnershipControls BucketPublicAccessBlock "
        "BucketServerSideEncryptionConfiguration",
        "scheduler": "ScheduleGroup",
        "sqs": "RedrivePolicy",
        "wafv2": "WebAclAssociation",
    },
    "permissions are free": {
        "cloudwatch": "EventPermission EventBusPolicy LogResourcePolicy",
        "iam": "Policy Role RolePolicy RolePolicyAttachment",
        "lambda": "Permission",
        "s3": "BucketPolicy",
        "sns": "TopicPolicy",
        "sqs": "QueuePolicy",
    },
    "part of a VPC, which is free; traffic is priced where it passes": {
        "ec2": "InternetGateway Route RouteTable RouteTableAssociation SecurityGroup Subnet Vpc",
        "vpc": "SecurityGroupEgressRule SecurityGroupIngressRule",
    },
    "certificates that stay in AWS are free": {"acm": "Certificate"},
    "waits for a certificate and creates nothing": {"acm": "CertificateValidation"},
    "requests are priced with the API": {"apigateway": "DomainName"},
    "no cache is on; requests are priced with the API": {"apigateway": "Stage"},
    "its recovery points are priced with the plan": {"backup": "Vault"},
    "events are priced with the bus, its health check with Route 53": {"cloudwatch": "EventEndpoint"},
    "events of AWS services, and schedules on the default bus, are free": {"cloudwatch": "EventRule"},
    "delivery within an account and region is free": {"cloudwatch": "EventTarget"},
    "one write": {"dynamodb": "TableItem"},
    "log lines are priced with the log group": {"ec2": "FlowLog"},
    "traffic is priced with the connection": {"ec2": "VpcPeeringConnectionAccepter"},
    "only an experiment costs, 0.10 for each minute of an action": {"fis": "ExperimentTemplate"},
    "a name for a key": {"kms": "Alias"},
    "storage of code is free up to 75 GB": {"lambda": "LayerVersion"},
    "a setting of a function is free": {"lambda": "FunctionRecursionConfig"},
    "a name for a version": {"lambda": "Alias"},
    "the first ten rules that a request passes are free": {"lb": "ListenerRule"},
    "members and replication are priced with the clusters": {"rds": "GlobalCluster"},
    "records are priced with the zone": {"route53": "Record"},
    "it only deletes objects, and moves none": {"s3": "BucketLifecycleConfiguration"},
    "a few kilobytes": {"s3": "BucketObjectv2"},
    "old versions are counted as storage": {"s3": "BucketVersioning"},
    "priced with the secret": {"secretsmanager": "SecretVersion"},
    "messages are priced with the topic; 1 000 emails a month are free": {"sns": "TopicSubscription"},
    "standard parameters are free": {"ssm": "Parameter"},
    "logs are priced with the log group": {"wafv2": "WebAclLoggingConfiguration"},
}
FREE: Mapping[str, str] = {
    f"aws:{module}/{name[0].lower()}{name[1:]}:{name}": reason
    for reason, modules in _FREE.items()
    for module, names in modules.items()
    for name in names.split()
}
"""Type token to reason."""
NOT_ESTIMATED: Mapping[str, str] = {
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": "restore tests cost by recovery point and restored GB "
    "(https://aws.amazon.com/backup/pricing/); the rate could not be looked up",
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": "see the plan; the restored copies live an hour",
}
"""Types with a cost that is not part of the estimate."""
