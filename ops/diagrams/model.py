"""A diagram as data, boxes in titled columns and arrows between them, and the boxes of the resource types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ops.environment.resource_graph import Row


class Line(StrEnum):
    """The meaning of an arrow."""

    REQUEST = "request"  # clients' requests and what they lead to
    DATA = "data"  # reads and writes
    CONTROL = "control"  # starts, watches, decides
    NEXT = "next"  # a step after another


@dataclass(frozen=True)
class Box:
    key: str
    title: str
    detail: str = ""  # a second, smaller line
    kind: str = "plain"  # its style: ingress, compute, data, event, monitoring, network, outside


@dataclass(frozen=True)
class Arrow:
    source: str
    target: str
    line: Line = Line.REQUEST
    label: str = ""


@dataclass(frozen=True)
class Column:
    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Diagram:
    """`notes` below the picture list what it leaves out. With `down`, columns become rows from top to bottom."""

    title: str
    columns: tuple[Column, ...]
    arrows: tuple[Arrow, ...] = field(default_factory=tuple)
    notes: tuple[str, ...] = ()
    down: bool = False

    def boxes(self) -> tuple[Box, ...]:
        return tuple(box for column in self.columns for box in column.boxes)


# Which registered resources get a box, in which column and by which title. A note counts the others.


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
    "aws:globalaccelerator/accelerator:Accelerator": Shape("ingress", "Global Accelerator"),
    "aws:route53/zone:Zone": Shape("ingress", _zone),
    "aws:route53/healthCheck:HealthCheck": Shape("monitoring", _check),
    "aws:lb/loadBalancer:LoadBalancer": Shape("ingress", _balancer),
    "aws:apigateway/restApi:RestApi": Shape("ingress", "REST API"),
    "aws:wafv2/webAcl:WebAcl": Shape("ingress", "firewall"),
    "aws:lambda/function:Function": Shape("compute", "λ"),
    "aws:sfn/stateMachine:StateMachine": Shape("compute", "workflow"),
    "aws:arcregionswitch/plan:Plan": Shape("compute", "Region switch plan"),
    "aws:scheduler/schedule:Schedule": Shape("event", "schedule"),
    "aws:cloudwatch/eventRule:EventRule": Shape("event", "event rule"),
    "aws:cloudwatch/eventBus:EventBus": Shape("event", "event bus"),
    "aws:cloudwatch/eventEndpoint:EventEndpoint": Shape("event", "event endpoint"),
    "aws:sqs/queue:Queue": Shape("event", "queue"),
    "aws:sns/topic:Topic": Shape("monitoring", "topic"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Shape("monitoring", "alarm of the region"),
    "aws:cloudwatch/dashboard:Dashboard": Shape("monitoring", "dashboard"),
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
# The columns of a region.
COLUMNS = (
    ("Endpoints and network", ("ingress", "network")),
    ("Functions and workflows", ("compute",)),
    ("Events, data, monitoring", ("event", "data", "monitoring")),
)
# Last words of resource names that only repeat the type.
ROLES = frozenset(
    {"accelerator", "acl", "api", "bucket", "bus", "dashboard", "endpoint", "function", "key", "machine", "plan"}
    | {"queue", "request", "secret", "table", "topic", "vault", "vpc", "zone"}
)


def name_of(row: Row) -> str:
    """A resource's name without a last word that repeats the type: `payments` of `payments-function`."""
    name = str(row["name"])
    head, _, last = name.rpartition("-")
    return head if last in ROLES and head else name
