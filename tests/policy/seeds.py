"""One violation of each rule that needs one stack or less, applied to the programs' registered resources."""

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
    """A change of a registered resource, and the resource that the violation must name, if it is another one."""

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


def _field(what: tuple[str, str], key: str, value: object) -> Seed:
    def change(row: dict[str, Any]) -> None:
        row[key] = value

    return Seed(*what, change)


def _production(row: dict[str, Any]) -> None:
    row["urn"] = row["urn"].replace("urn:pulumi:test::", "urn:pulumi:prod::")


SEEDS: Mapping[str, Seed] = {
    "composite-alarm-per-region": _given(
        ("aws:cloudwatch/compositeAlarm:CompositeAlarm", "alarms-region"), "alarmRule", to='ALARM("other")'
    ),
    "alarm-topic-permission": _given(TOPIC_POLICY, "policy", to="{}", named="aws:sns/topic:Topic topic-topic"),
    "alarm-actions-required": Seed(*ALARM, without("okActions")),
    "alarm-missing-data-treatment-required": Seed(*ALARM, without("treatMissingData")),
    "deletion-protection-consistent": _given(
        LOAD_BALANCER,
        "enableDeletionProtection",
        to=True,
        named="aws:lb/loadBalancer:LoadBalancer front-door-alb",
    ),
    "nlb-before-internet-gateway": _option(LOAD_BALANCER, "depends_on", []),
    "pulumi-protect-or-retain-denied": _option(KEY, "protect", True),
    "deletion-protection-only-when-enabled": _given(KEY, "deletionWindowInDays", to=30),
    "hosted-zone-force-destroy-required": Seed("aws:route53/zone:Zone", "dns-zone", without("forceDestroy")),
    "deletion-protection-required": Seed(*LOAD_BALANCER, _production),
    "ignore-changes-required": _option(CLUSTER, "ignore_changes", ["engineVersion"]),
    "ignore-changes-unneeded": _option(QUEUE, "ignore_changes", ["tags"]),
    "s3-bucket-encryption-required": _given(
        (BUCKET_ENCRYPTION, "bucket-encryption"), "rules", to=[], named="aws:s3/bucket:Bucket bucket-bucket"
    ),
    "encryption-enabled": _given(KEY, "enableKeyRotation", to=False),
    "unencrypted-feature-denied": _given(
        ("aws:rds/clusterInstance:ClusterInstance", "database-primary-1"), "performanceInsightsEnabled", to=True
    ),
    "kms-key-required": Seed(*QUEUE, without("kmsMasterKeyId")),
    "security-group-inline-rules-denied": _given(
        ("aws:ec2/securityGroup:SecurityGroup", "front-door-alb"), "ingress", to=[{"protocol": "-1"}]
    ),
    "public-address-denied": _given(
        ("aws:rds/clusterInstance:ClusterInstance", "database-primary-1"), "publiclyAccessible", to=True
    ),
    "s3-public-access-blocked": _given((BLOCK, "bucket-private"), "blockPublicPolicy", to=False),
    "public-principal-denied": _given(
        ("aws:sqs/queuePolicy:QueuePolicy", "dead-letters-senders"),
        "policy",
        to=allowing("sqs:SendMessage", "*", Principal=ANYONE),
    ),
    "resource-type-denied": _given(("aws:lambda/functionUrl:FunctionUrl", "one"), "cors", to={}, new=True),
    "security-group-rule-explicit": _given(
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "front-door-clients-to-nlb"), "fromPort", to=80
    ),
    "log-group-retention-required": _given(
        ("aws:cloudwatch/logGroup:LogGroup", "payments-logs"), "retentionInDays", to=0
    ),
    "lambda-dead-letter-queue-required": Seed(*FUNCTION, without("deadLetterConfig")),
    "dead-letter-queue-retention": _given(QUEUE, "messageRetentionSeconds", to=60),
    "lambda-runtime-and-architecture": _given(FUNCTION, "runtime", to="python3.9"),
    "lambda-private-subnets": Seed(*FUNCTION, without("vpcConfig")),
    "lambda-duration-alarm-below-timeout": _given(FUNCTION, "timeout", to=1),
    "lambda-log-group-first": _option(FUNCTION, "depends_on", []),
    "lambda-tracing-required": Seed(*FUNCTION, without("tracingConfig")),
    "lambda-permission-source-required": Seed(iam.PERMISSION, "api-api", without("sourceArn")),
    "iam-role-trust-restricted": _given(
        (iam.ROLE, "payments-role"), "assumeRolePolicy", to=allowing("sts:AssumeRole", "*", Principal=ANYONE)
    ),
    "iam-policy-unchecked": _given(QUEUE, "policy", to=allowing("sqs:SendMessage", "*", Principal=ANYONE)),
    "fis-stop-condition-required": _given(
        ("aws:fis/experimentTemplate:ExperimentTemplate", "one"), "stopConditions", to=[{"source": "none"}], new=True
    ),
    "iam-managed-policy-unlisted": _given(
        (iam.ATTACHMENT, "backup-backup"), "policyArn", to="arn:aws:iam::aws:policy/PowerUserAccess"
    ),
    "service-principal-source-required": _given(
        TOPIC_POLICY, "policy", to=allowing("sns:Publish", "arn:x", Principal={"Service": "cloudwatch.amazonaws.com"})
    ),
    "iam-wildcard-action-denied": _given(POLICY, "policy", to=allowing("dynamodb:*", "arn:x")),
    "iam-wildcard-resource-denied": _given(POLICY, "policy", to=allowing("dynamodb:PutItem", "*")),
    "name-place-required": _given(QUEUE, "name", to="queue-dead-letters-test"),
    "name-suffix-required": _given(QUEUE, "name", to="queue-dead-letters-primary"),
    "default-tags-required": _given(
        (tags.PROVIDER, "primary"), "defaultTags", to=json.dumps({"tags": {"Project": "x"}})
    ),
    "explicit-provider-required": _field(
        QUEUE, "provider", "urn:pulumi:test::dr-primary::pulumi:providers:aws::default_7"
    ),
    "health-check-target-required": Seed(*CHECK, without("fqdn")),
    "accelerator-endpoint-required": _given(GROUP, "endpointConfigurations", to=[]),
    "accelerator-listener-two-regions": _given(
        GROUP,
        "endpointConfigurations",
        to=[],
        named="aws:globalaccelerator/listener:Listener accelerator-https",
    ),
    "health-check-placeholder-host": _given(CHECK, "fqdn", to="nlb.example.com"),
    "database-tls-required": Seed(*CLUSTER, without("dbClusterParameterGroupName")),
    "sns-subscription-https": _given(
        ("aws:sns/topicSubscription:TopicSubscription", "one"), "protocol", to="http", new=True
    ),
    "api-domain-tls-1-2": _given(
        ("aws:apigateway/domainName:DomainName", "one"), "securityPolicy", to="TLS_1_0", new=True
    ),
    "health-check-tls": _given(CHECK, "type", to="HTTP"),
    "load-balancer-listener-tls": _given(("aws:lb/listener:Listener", "front-door-alb"), "protocol", to="HTTP"),
    "accelerator-port-443": _given(
        ("aws:globalaccelerator/listener:Listener", "accelerator-https"), "portRanges", "fromPort", to=80
    ),
    "resource-policy-tls-required": _given(
        ("aws:s3/bucketPolicy:BucketPolicy", "bucket-tls-only"),
        "policy",
        to="{}",
        named="aws:s3/bucket:Bucket bucket-bucket",
    ),
}
