"""Encryption in transit with TLS 1.2 or later (R6)."""

from collections.abc import Mapping

from policy.rules.rows import Row, Rows, label, listed, of_type, one_of, statements, values_at
from policy.rules.unknown import Unknown, judged

LISTENER = "aws:lb/listener:Listener"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGETS = "aws:lb/targetGroup:TargetGroup"
_PROBES = ("HTTPS", "HTTPS_STR_MATCH")
# TLS 1.3 and 1.2 only [ALB-3].
TLS_POLICIES = ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06")
# Of custom domains [APIGW-9].
API_POLICIES = ("TLS_1_2",)
# Parameters that refuse connections without TLS [AURORA-19].
FORCED = {"aurora-postgresql": ("rds.force_ssl", "1"), "aurora-mysql": ("require_secure_transport", "ON")}


def listener_tls(rows: Rows) -> list[str]:
    """Listeners without TLS. An NLB may forward TCP to an ALB, whose own listener terminates the client's TLS."""
    violations = []
    for row in of_type(rows, LISTENER):
        given = row["inputs"]
        if given.get("protocol") == "TCP" and _passes_to_alb(row, rows):
            continue
        if given.get("protocol") not in ("HTTPS", "TLS"):
            violations.append(f"{label(row)} has protocol {given.get('protocol')}; use HTTPS, or forward TCP to an ALB")
        elif given.get("sslPolicy") not in TLS_POLICIES or not given.get("certificateArn"):
            violations.append(
                f"{label(row)} has policy {given.get('sslPolicy')}, certificate {given.get('certificateArn')}; set a "
                f"certificate and {TLS_POLICIES[0]}"
            )
    return violations


def _passes_to_alb(row: Row, rows: Rows) -> bool:
    targets = [each.value for each in values_at(row, "defaultActions.targetGroupArn")]
    groups = [group for arn in targets for group in one_of(of_type(rows, TARGETS), "arn", arn)]
    return bool(groups) and all(group["inputs"].get("targetType") == "alb" for group in groups)


def health_check_tls(rows: Rows) -> list[str]:
    """Health checks without TLS, except those of Lambda targets, which are invocations."""
    probes = [
        (row, values_at(row, "healthCheck.protocol")[0].value)
        for row in of_type(rows, TARGETS)
        if row["inputs"].get("targetType") != "lambda"
    ]
    probes += [
        (row, row["inputs"].get("type"))
        for row in of_type(rows, "aws:route53/healthCheck:HealthCheck")
        # These follow other health checks or an alarm and send no request (API Route53.HealthCheckConfig).
        if row["inputs"].get("type") not in ("CALCULATED", "CLOUDWATCH_METRIC")
    ]
    return [f"{label(row)} probes with {how}; use HTTPS" for row, how in probes if how not in _PROBES]


def accelerator_port_443(rows: Rows) -> list[str]:
    """Accelerator listeners for other ports than 443."""
    return [
        f"{label(row)} opens ports {found.within[-1].get('fromPort')} to {found.value}; open 443 only"
        for row in of_type(rows, "aws:globalaccelerator/listener:Listener")
        for found in values_at(row, "portRanges.toPort")
        if (found.within[-1].get("fromPort"), found.value) != (443, 443)
    ]


def api_domain_tls(rows: Rows) -> list[str]:
    """API Gateway custom domains that accept TLS older than 1.2."""
    return [
        f"{label(row)} has security policy {row['inputs'].get('securityPolicy')}; set it to {API_POLICIES[0]}"
        for row in of_type(rows, "aws:apigateway/domainName:DomainName")
        if row["inputs"].get("securityPolicy") not in API_POLICIES
    ]


def database_tls_required(rows: Rows) -> list[str]:
    """Aurora clusters whose parameter group allows connections without TLS."""
    groups = {
        row["outputs"]["name"]: row for row in of_type(rows, "aws:rds/clusterParameterGroup:ClusterParameterGroup")
    }
    violations = []
    for row in of_type(rows, "aws:rds/cluster:Cluster"):
        name, value = FORCED[row["inputs"]["engine"]]
        group = groups.get(row["inputs"].get("dbClusterParameterGroupName", ""))
        given = {each["name"]: each["value"] for each in group["inputs"].get("parameters", [])} if group else {}
        if given.get(name) != value:
            violations.append(
                f"{label(row)} accepts connections without TLS; use a parameter group with {name}={value}"
            )
    return violations


# By resource type: the type of its policy, the policy's input that refers to it, and the output that it refers to.
GUARDED: Mapping[str, tuple[str, str, str]] = {
    "aws:s3/bucket:Bucket": ("aws:s3/bucketPolicy:BucketPolicy", "bucket", "bucket"),
    "aws:sns/topic:Topic": ("aws:sns/topicPolicy:TopicPolicy", "arn", "arn"),
    "aws:sqs/queue:Queue": ("aws:sqs/queuePolicy:QueuePolicy", "queueUrl", "url"),
}


def resource_policy_tls_required(rows: Rows) -> list[str]:
    """Buckets, queues and topics whose resource policy does not deny plain HTTP [IAM-1]."""

    def judge(row: Row) -> list[str]:
        policy, names, named_by = GUARDED[row["type"]]
        mine = [each for each in of_type(rows, policy) if each["inputs"].get(names) == row["outputs"][named_by]]
        documents = [each["inputs"].get("policy") for each in mine]
        if not any(isinstance(each, Unknown) or statements(each) for each in documents):
            return [f"{label(row)} can be reached without TLS; deny that in a {policy.rpartition(':')[2]}"]
        wanted = {row["outputs"]["arn"], *([f"{row['outputs']['arn']}/*"] if "s3" in row["type"] else [])}
        if any(_refuses_http(each, wanted) for each in documents):
            return []
        return [f"{label(row)} can be reached without TLS; deny that in a {policy.rpartition(':')[2]}"]

    return judged(of_type(rows, *GUARDED), judge)


def _refuses_http(document: object, resources: set[str]) -> bool:
    return any(
        each.get("Effect") == "Deny"
        and each.get("Principal") in ("*", {"AWS": "*"})
        and each.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and set(listed(each.get("Resource"))) >= resources
        and (set(listed(each.get("Action"))) & {"s3:*", "sqs:*", "sns:Publish"})
        for each in statements(document)
    )


def subscription_https(rows: Rows) -> list[str]:
    """SNS subscriptions over plain HTTP."""
    return [
        f"{label(row)} uses the protocol http; use https"
        for row in of_type(rows, "aws:sns/topicSubscription:TopicSubscription")
        if row["inputs"].get("protocol") == "http"
    ]
