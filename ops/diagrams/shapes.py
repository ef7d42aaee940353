"""Which registered resources get a box, in which column, and what people call them. A note counts the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops.environment.resource_graph import Row


@dataclass(frozen=True)
class Shape:
    kind: str
    title: str | Callable[[Row], str]

    def title_of(self, row: Row) -> str:
        return self.title if isinstance(self.title, str) else self.title(row)


def _balancer(row: Row) -> str:
    return "NLB" if row["inputs"].get("loadBalancerType") == "network" else "ALB (TLS)"


def _check(row: Row) -> str:
    kind = row["inputs"].get("type")
    return {"CALCULATED": "sum of checks", "CLOUDWATCH_METRIC": "check of an alarm"}.get(str(kind), "health check")


def _zone(row: Row) -> str:
    return "private zone" if row["inputs"].get("vpcs") else "DNS zone"


SHAPES: Mapping[str, Shape] = {
    "aws:globalaccelerator/accelerator:Accelerator": Shape("door", "Global Accelerator"),
    "aws:route53/zone:Zone": Shape("door", _zone),
    "aws:route53/healthCheck:HealthCheck": Shape("watch", _check),
    "aws:lb/loadBalancer:LoadBalancer": Shape("door", _balancer),
    "aws:apigateway/restApi:RestApi": Shape("door", "REST API"),
    "aws:wafv2/webAcl:WebAcl": Shape("door", "firewall"),
    "aws:lambda/function:Function": Shape("compute", "λ"),
    "aws:sfn/stateMachine:StateMachine": Shape("compute", "workflow"),
    "aws:arcregionswitch/plan:Plan": Shape("compute", "Region switch plan"),
    "aws:scheduler/schedule:Schedule": Shape("event", "schedule"),
    "aws:cloudwatch/eventRule:EventRule": Shape("event", "event rule"),
    "aws:cloudwatch/eventBus:EventBus": Shape("event", "event bus"),
    "aws:cloudwatch/eventEndpoint:EventEndpoint": Shape("event", "event endpoint"),
    "aws:sqs/queue:Queue": Shape("event", "queue"),
    "aws:sns/topic:Topic": Shape("watch", "topic"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Shape("watch", "alarm of the region"),
    "aws:cloudwatch/dashboard:Dashboard": Shape("watch", "dashboard"),
    "aws:dynamodb/table:Table": Shape("data", "DynamoDB global table"),
    "aws:rds/globalCluster:GlobalCluster": Shape("data", "Aurora global database"),
    "aws:rds/cluster:Cluster": Shape("data", "Aurora cluster"),
    "aws:s3/bucket:Bucket": Shape("data", "bucket"),
    "aws:secretsmanager/secret:Secret": Shape("data", "secret"),
    "aws:kms/key:Key": Shape("data", "key"),
    "aws:backup/vault:Vault": Shape("data", "backup vault"),
    "aws:backup/plan:Plan": Shape("event", "backup plan"),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": Shape("event", "restore tests"),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": Shape("network", "VPC peering"),
    "aws:ec2/vpc:Vpc": Shape("network", "VPC"),
    "aws:ec2/natGateway:NatGateway": Shape("network", "NAT gateway"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Shape("network", "VPC endpoint"),
}
# The columns of a region, by kind.
COLUMNS = (
    ("Endpoints and network", ("door", "network")),
    ("Functions and workflows", ("compute",)),
    ("Events, data, monitoring", ("event", "data", "watch")),
)
# The last word of a resource's name that only repeats its type.
ROLES = frozenset(
    {"accelerator", "acl", "api", "bucket", "bus", "dashboard", "endpoint", "function", "key", "machine", "plan"}
    | {"queue", "request", "secret", "table", "topic", "vault", "vpc", "zone"}
)


def name_of(row: Row) -> str:
    """A resource's own name without the word that its title says already: `payments` of `payments-function`."""
    name = str(row["name"])
    head, _, last = name.rpartition("-")
    return head if last in ROLES and head else name
