"""Links between registered resources, from resources that connect two others and from the permissions of roles.

A resource that only connects (a listener, a target group, an attachment) becomes part of the arrow.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.diagrams.model import SHAPES, Line
from ops.environment.resource_graph import Row, Rows, of_type

ROLE = "aws:iam/role:Role"
POLICIES = ("aws:iam/rolePolicy:RolePolicy",)


@dataclass(frozen=True)
class Link:
    source: str  # URNs
    target: str
    line: Line


@dataclass(frozen=True)
class Joint:
    """The paths at which a connecting type names its source and its target; "" is the resource itself."""

    source: str
    target: str
    line: Line = Line.REQUEST


JOINTS: Mapping[str, tuple[Joint, ...]] = {
    "aws:globalaccelerator/listener:Listener": (Joint("acceleratorArn", ""),),
    "aws:globalaccelerator/endpointGroup:EndpointGroup": (Joint("listenerArn", "endpointConfigurations.endpointId"),),
    "aws:lb/listener:Listener": (
        Joint("loadBalancerArn", "defaultActions.targetGroupArn"),
        Joint("loadBalancerArn", ""),  # its rules start here
    ),
    "aws:lb/listenerRule:ListenerRule": (Joint("listenerArn", "actions.targetGroupArn"),),
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": (Joint("targetGroupArn", "targetId"),),
    "aws:lambda/permission:Permission": (Joint("sourceArn", "function"),),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (Joint("eventSourceArn", "functionName", Line.DATA),),
    "aws:cloudwatch/eventTarget:EventTarget": (Joint("rule", "arn", Line.CONTROL),),
    "aws:cloudwatch/eventRule:EventRule": (Joint("eventBusName", "", Line.CONTROL),),
    "aws:cloudwatch/eventEndpoint:EventEndpoint": (Joint("", "eventBuses.eventBusArn", Line.DATA),),
    "aws:scheduler/schedule:Schedule": (Joint("", "target.arn", Line.CONTROL),),
    "aws:wafv2/webAclAssociation:WebAclAssociation": (Joint("webAclArn", "resourceArn"),),
    "aws:route53/record:Record": (Joint("zoneId", "aliases.name"), Joint("zoneId", "records")),
    "aws:route53/healthCheck:HealthCheck": (
        Joint("", "fqdn", Line.CONTROL),
        Joint("", "childHealthchecks", Line.CONTROL),
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": (Joint("bucket", "rules.destination.bucket", Line.DATA),),
    "aws:rds/cluster:Cluster": (Joint("globalClusterIdentifier", "", Line.DATA),),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": (Joint("", "vpcId"), Joint("", "peerVpcId")),
    "aws:backup/plan:Plan": (
        Joint("", "rules.targetVaultName", Line.DATA),
        Joint("", "rules.copyActions.destinationVaultArn", Line.DATA),
    ),
    "aws:backup/selection:Selection": (Joint("resources", "planId", Line.DATA),),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": (Joint("recoveryPointSelection.includeVaults", "", Line.DATA),),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": (Joint("", "alarmActions", Line.CONTROL),),
    "aws:apigateway/stage:Stage": (Joint("", "restApi"),),
}
# Types at which an arrow can start, end or pass; other types share names with these.
_ENDS = {*SHAPES, *JOINTS, "aws:lb/targetGroup:TargetGroup"}
_OPERATION = re.compile(r"(?<=:execute-api:)([^/]+)/.*")  # stage, method and path at the end of an API's ARN
# Used by almost everything, and therefore left out.
_EVERYWHERE = re.compile(r"arn:aws:(kms|logs|xray|cloudwatch|ec2|iam):|queue-dead-letters|:aws:cloudwatch")
# Outputs by which other resources refer to one, and those of single types.
_KNOWN_BY = ("arn", "id", "name", "dnsName", "url", "streamArn")
_KNOWN_BY_TYPE = {
    "aws:s3/bucket:Bucket": "bucket",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:rds/globalCluster:GlobalCluster": "globalClusterIdentifier",
}


class Index:
    """Finds the resource that a value names."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._by_value: dict[str, list[Row]] = {}
        for row in (each for each in rows if each["type"] in _ENDS):
            for value in _known_by(row):
                self._by_value.setdefault(value, []).append(row)

    def find(self, value: object, near: Row) -> list[Row]:
        """By a known output, else by the last part of an ARN; of several, the one in the same stack and region."""
        text = re.sub(r"([:/]\*)+$", "", _OPERATION.sub(r"\1", str(value)))
        found = [row for row in self._by_value.get(text) or self._by_part(text) if row is not near]
        if len(found) > 1:
            found = self._nearest(found, text, near)
        return found[:1]

    def _by_part(self, text: str) -> list[Row]:
        if text.startswith("arn:"):
            name = re.split(r"[:/]", text.partition("/stream/")[0])[-1]
            region = text.split(":")[3]
            known = [row for row in self._by_value.get(name, []) if not region or row["region"] == region]
            return known or self._by_value.get(name, [])
        host = [key for key in self._by_value if len(key) > 8 and key in text and not key.startswith("arn:")]
        return self._by_value[max(host, key=len)] if host else []

    @staticmethod
    def _nearest(found: list[Row], text: str, near: Row) -> list[Row]:
        def distance(row: Row) -> tuple[bool, bool, str]:
            return (
                str(row["region"]) not in text and row["stack"] != near["stack"],
                row["stack"] != near["stack"],
                row["urn"],
            )

        return sorted(found, key=distance)


def _known_by(row: Row) -> set[str]:
    outputs = row["outputs"]
    replicas = [
        each.get(key) for each in outputs.get("replicas") or [] for key in ("arn", "streamArn") if "arn" in each
    ]
    own = [outputs.get(key) for key in (*_KNOWN_BY, _KNOWN_BY_TYPE.get(row["type"], ""))]
    return {str(value) for value in (*own, *replicas) if value}


def links(rows: Rows) -> list[Link]:
    """All links, sorted."""
    index = Index(rows)
    found = {*_joined(rows, index), *_allowed(rows, index)}
    return sorted(found, key=lambda link: (link.source, link.target, link.line))


def _joined(rows: Rows, index: Index) -> Iterator[Link]:
    for row in rows:
        for joint in JOINTS.get(row["type"], ()):
            sources = _ends(row, joint.source, index)
            targets = _ends(row, joint.target, index)
            for source, target in ((a, b) for a in sources for b in targets if a["urn"] != b["urn"]):
                yield Link(source["urn"], target["urn"], joint.line)


def _ends(row: Row, path: str, index: Index) -> list[Row]:
    if not path:
        return [row]
    return [found for value in _values(row["inputs"], path.split(".")) for found in index.find(value, row)]


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        yield from _values(value.get(path[0]), path[1:])


def _allowed(rows: Rows, index: Index) -> Iterator[Link]:
    """Links from a function or a state machine to the resources that its role may use."""
    users: dict[str, list[Row]] = {}
    for row in rows:
        arn = row["inputs"].get("role") or row["inputs"].get("roleArn")
        if arn and row["type"] in ("aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"):
            users.setdefault(str(arn), []).append(row)
    for policy in of_type(rows, *POLICIES):
        given = policy["inputs"].get("role")
        roles = [
            row
            for row in of_type(rows, ROLE)
            if row["stack"] == policy["stack"] and given in (row["outputs"].get("id"), row["outputs"].get("name"))
        ]
        for user in (each for role in roles for each in users.get(role["outputs"]["arn"], [])):
            for value in sorted(_resources(policy["inputs"].get("policy"))):
                for target in index.find(value, user):
                    if target["urn"] != user["urn"]:
                        yield Link(user["urn"], target["urn"], _line(user, target))


def _line(user: Row, target: Row) -> Line:
    starts = target["type"] in ("aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine")
    return Line.CONTROL if starts or user["type"].startswith("aws:sfn") else Line.DATA


def _resources(document: object) -> set[str]:
    if not isinstance(document, str) or not document.startswith("{"):
        return set()
    found = json.loads(document).get("Statement", [])
    statements = found if isinstance(found, list) else [found]
    named = {
        resource
        for each in statements
        for resource in (each["Resource"] if isinstance(each.get("Resource"), list) else [each.get("Resource")])
    }
    return {str(each) for each in named if each and each != "*" and not _EVERYWHERE.search(str(each))}


def between(found: list[Link], shown: set[str]) -> list[Link]:
    """Links between the shown resources; a path over hidden ones becomes one link."""
    onward: dict[str, list[Link]] = {}
    for link in found:
        onward.setdefault(link.source, []).append(link)
    arrows: set[Link] = set()
    for start in sorted(shown):
        seen: set[str] = set()
        waiting = [(link, link.line) for link in onward.get(start, [])]
        while waiting:
            link, line = waiting.pop()
            if link.target in shown:
                arrows.add(Link(start, link.target, line))
            elif link.target not in seen:
                seen.add(link.target)
                waiting += [(after, line) for after in onward.get(link.target, [])]
    return sorted(arrows, key=lambda link: (link.source, link.target, link.line))
