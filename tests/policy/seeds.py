"""A violation for each rule of the catalogue that one stack can show, put into what the programs really register."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.rules import iam, tags
from policy.rules.rows import Row, Rows
from tests.programs.changes import Change, added, changed, giving, without

BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
FUNCTION = ("aws:lambda/function:Function", "payments-function")
GROUP = ("aws:globalaccelerator/endpointGroup:EndpointGroup", "accelerator-secondary")
ALARM = ("aws:cloudwatch/metricAlarm:MetricAlarm", "alarms-payments-errors")
CHECK = ("aws:route53/healthCheck:HealthCheck", "dns-nlb-primary")
LOAD_BALANCER = ("aws:lb/loadBalancer:LoadBalancer", "front-door-nlb")
POLICY = ("aws:iam/rolePolicy:RolePolicy", "payments-policy")
QUEUE = ("aws:sqs/queue:Queue", "dead-letters-queue")
CLUSTER = ("aws:rds/cluster:Cluster", "database-secondary")
TOPIC_POLICY = ("aws:sns/topicPolicy:TopicPolicy", "topic-publishers")
KEY = ("aws:kms/key:Key", "data-key")
ANYONE = {"AWS": "*"}


def allowing(action: object, resource: object, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class Seed:
    """What to break, and which resource the violation must name, if it is another one."""

    token: str
    name: str
    change: Change
    named: str = ""
    new: bool = False  # a type that the programs do not register

    def into(self, rows: Rows) -> list[Row]:
        there = added(rows, self.token, self.name) if self.new else rows
        return changed(there, self.token, self.name, self._make)

    def _make(self, row: dict[str, Any]) -> None:
        given = set(row["inputs"])
        self.change(row)
        for key in given - set(row["inputs"]):
            row["outputs"].pop(key, None)

    @property
    def culprit(self) -> str:
        return self.named or f"{self.token} {self.name}"


def _given(what: tuple[str, str], *path: str, to: Any, named: str = "", new: bool = False) -> Seed:
    return Seed(*what, giving(*path, value=to), named, new)


def _option(what: tuple[str, str], option: str, value: object) -> Seed:
    def change(row: dict[str, Any]) -> None:
        row["options"] = {**row["options"], option: value}

    return Seed(*what, change)


def _told(what: tuple[str, str], key: str, value: object) -> Seed:
    def change(row: dict[str, Any]) -> None:
        row[key] = value

    return Seed(*what, change)


def _production(row: dict[str, Any]) -> None:
    row["urn"] = row["urn"].replace("urn:pulumi:test::", "urn:pulumi:prod::")


SEEDS: Mapping[str, Seed] = {
    "alarms-composites-of-nothing": _given(
        ("aws:cloudwatch/compositeAlarm:CompositeAlarm", "alarms-region"), "alarmRule", to='ALARM("other")'
    ),
    "alarms-silent-topics": _given(TOPIC_POLICY, "policy", to="{}", named="aws:sns/topic:Topic topic-topic"),
    "alarms-unheard": Seed(*ALARM, without("okActions")),
    "alarms-unsaid-missing-data": Seed(*ALARM, without("treatMissingData")),
    "deletion-half-protected": _given(
        LOAD_BALANCER,
        "enableDeletionProtection",
        to=True,
        named="aws:lb/loadBalancer:LoadBalancer front-door-alb",
    ),
    "deletion-held-by-a-gateway": _option(LOAD_BALANCER, "depends_on", []),
    "deletion-kept-by-pulumi": _option(KEY, "protect", True),
    "deletion-kept-without-need": _given(KEY, "deletionWindowInDays", to=30),
    "deletion-occupied-zones": Seed("aws:route53/zone:Zone", "dns-zone", without("forceDestroy")),
    "deletion-unprotected": Seed(*LOAD_BALANCER, _production),
    "drift-changed-back": _option(CLUSTER, "ignore_changes", ["engineVersion"]),
    "drift-ignored-without-need": _option(QUEUE, "ignore_changes", ["tags"]),
    "encryption-buckets-without-encryption": _given(
        (BUCKET_ENCRYPTION, "bucket-encryption"), "rules", to=[], named="aws:s3/bucket:Bucket bucket-bucket"
    ),
    "encryption-not-switched-on": _given(KEY, "enableKeyRotation", to=False),
    "encryption-unused-but-on": _given(
        ("aws:rds/clusterInstance:ClusterInstance", "database-primary-1"), "performanceInsightsEnabled", to=True
    ),
    "encryption-without-any-key": Seed(*QUEUE, without("kmsMasterKeyId")),
    "exposure-inline-rules": _given(
        ("aws:ec2/securityGroup:SecurityGroup", "front-door-alb"), "ingress", to=[{"protocol": "-1"}]
    ),
    "exposure-public-addresses": _given(
        ("aws:rds/clusterInstance:ClusterInstance", "database-primary-1"), "publiclyAccessible", to=True
    ),
    "exposure-public-buckets": _given((BLOCK, "bucket-private"), "blockPublicPolicy", to=False),
    "exposure-public-principals": _given(
        ("aws:sqs/queuePolicy:QueuePolicy", "dead-letters-senders"),
        "policy",
        to=allowing("sqs:SendMessage", "*", Principal=ANYONE),
    ),
    "exposure-refused-types": _given(("aws:lambda/functionUrl:FunctionUrl", "one"), "cors", to={}, new=True),
    "exposure-unnamed-peers": _given(
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "front-door-clients-to-nlb"), "fromPort", to=80
    ),
    "functions-endless-logs": _given(("aws:cloudwatch/logGroup:LogGroup", "payments-logs"), "retentionInDays", to=0),
    "functions-losing": Seed(*FUNCTION, without("deadLetterConfig")),
    "functions-lost-messages": _given(QUEUE, "messageRetentionSeconds", to=60),
    "functions-of-another-kind": _given(FUNCTION, "runtime", to="python3.9"),
    "functions-outside": Seed(*FUNCTION, without("vpcConfig")),
    "functions-slow-to-tell": _given(FUNCTION, "timeout", to=1),
    "functions-unready-logs": _option(FUNCTION, "depends_on", []),
    "functions-untraced": Seed(*FUNCTION, without("tracingConfig")),
    "iam-open-functions": Seed(iam.PERMISSION, "api-api", without("sourceArn")),
    "iam-trusted-by-others": _given(
        (iam.ROLE, "payments-role"), "assumeRolePolicy", to=allowing("sts:AssumeRole", "*", Principal=ANYONE)
    ),
    "iam-unknown-policies": _given(QUEUE, "policy", to=allowing("sqs:SendMessage", "*", Principal=ANYONE)),
    "drills-unstoppable": _given(
        ("aws:fis/experimentTemplate:ExperimentTemplate", "one"), "stopConditions", to=[{"source": "none"}], new=True
    ),
    "iam-unlisted-attachments": _given(
        (iam.ATTACHMENT, "backup-backup"), "policyArn", to="arn:aws:iam::aws:policy/PowerUserAccess"
    ),
    "iam-used-for-others": _given(
        TOPIC_POLICY, "policy", to=allowing("sns:Publish", "arn:x", Principal={"Service": "cloudwatch.amazonaws.com"})
    ),
    "iam-wildcard-actions": _given(POLICY, "policy", to=allowing("dynamodb:*", "arn:x")),
    "iam-wildcard-resources": _given(POLICY, "policy", to=allowing("dynamodb:PutItem", "*")),
    "names-without-place": _given(QUEUE, "name", to="queue-dead-letters-test"),
    "names-without-suffix": _given(QUEUE, "name", to="queue-dead-letters-primary"),
    "tags-untagged": _given((tags.PROVIDER, "primary"), "defaultTags", to=json.dumps({"tags": {"Project": "x"}})),
    "tags-without-provider": _told(QUEUE, "provider", "urn:pulumi:test::dr-primary::pulumi:providers:aws::default_7"),
    "traffic-checks-of-nothing": Seed(*CHECK, without("fqdn")),
    "traffic-idle-groups": _given(GROUP, "endpointConfigurations", to=[]),
    "traffic-lonely-listeners": _given(
        GROUP,
        "endpointConfigurations",
        to=[],
        named="aws:globalaccelerator/listener:Listener accelerator-https",
    ),
    "traffic-placeholder-hosts": _given(CHECK, "fqdn", to="nlb.example.com"),
    "transit-databases-without-tls": Seed(*CLUSTER, without("dbClusterParameterGroupName")),
    "transit-messages-in-clear": _given(
        ("aws:sns/topicSubscription:TopicSubscription", "one"), "protocol", to="http", new=True
    ),
    "transit-old-api-policies": _given(
        ("aws:apigateway/domainName:DomainName", "one"), "securityPolicy", to="TLS_1_0", new=True
    ),
    "transit-plain-health-checks": _given(CHECK, "type", to="HTTP"),
    "transit-plain-listeners": _given(("aws:lb/listener:Listener", "front-door-alb"), "protocol", to="HTTP"),
    "transit-plain-ports": _given(
        ("aws:globalaccelerator/listener:Listener", "accelerator-https"), "portRanges", "fromPort", to=80
    ),
    "transit-reachable-in-clear": _given(
        ("aws:s3/bucketPolicy:BucketPolicy", "bucket-tls-only"),
        "policy",
        to="{}",
        named="aws:s3/bucket:Bucket bucket-bucket",
    ),
}
