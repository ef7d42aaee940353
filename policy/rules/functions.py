"""Lambda functions: log group first, dead-letter queue, tracing, private subnets, one runtime and architecture (R7)."""

from policy.rules import metrics
from policy.rules.alarms import ALARM
from policy.rules.coverage import dead_letter_queues
from policy.rules.rows import Row, Rows, label, of_type, values_at
from policy.rules.unknown import judged

FUNCTION = metrics.FUNCTION
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ARCHITECTURES = ["arm64"]
RUNTIME = "python3.13"


def log_group_first(rows: Rows) -> list[str]:
    """Functions that may exist before their log group: Lambda would create one that never expires and that outlives the
    function [LAMBDA-1]."""
    violations = []
    for row in of_type(rows, FUNCTION):
        name = values_at(row, "loggingConfig.logGroup")[0].value or f"/aws/lambda/{row['outputs']['name']}"
        mine = [
            each
            for each in of_type(rows, LOG_GROUP)
            if (each["inputs"].get("name"), each["region"]) == (name, row["region"])
        ]
        if not mine:
            violations.append(f"{label(row)} has no log group; create {name}")
        elif mine[0]["urn"] not in row["options"]["depends_on"]:
            violations.append(f"{label(row)} may exist before {name}; add the log group to depends_on")
    return violations


def log_retention_required(rows: Rows) -> list[str]:
    """Log groups without a retention period."""
    return [
        f"{label(row)} never expires; set retentionInDays"
        for row in of_type(rows, LOG_GROUP)
        if not row["inputs"].get("retentionInDays")
    ]


def dead_letter_queue_required(rows: Rows) -> list[str]:
    """Functions without a dead-letter queue of this environment and their region, or whose role may not send to it, as
    Lambda requires [LAMBDA-15]."""
    queues = {row["outputs"]["arn"]: row for row in of_type(rows, metrics.QUEUE)}

    def judge(row: Row) -> list[str]:
        target = values_at(row, "deadLetterConfig.targetArn")[0].value
        queue = queues.get(target)
        if queue is None or queue["region"] != row["region"]:
            return [f"{label(row)} has dead-letter target {target}; use a dead-letter queue of its region"]
        if not any("sqs:SendMessage" in text and target in text for text in _role_policies(row, rows)):
            return [f"{label(row)} may not send to {target}; allow its role sqs:SendMessage"]
        return []

    return judged(of_type(rows, FUNCTION), judge)


def _role_policies(function: Row, rows: Rows) -> list[str]:
    names = [
        role["outputs"]["name"]
        for role in of_type(rows, "aws:iam/role:Role")
        if role["outputs"]["arn"] == function["inputs"].get("role")
    ]
    policies = of_type(rows, "aws:iam/rolePolicy:RolePolicy")
    return [str(row["inputs"].get("policy")) for row in policies if row["inputs"].get("role") in names]


def dead_letter_retention(rows: Rows) -> list[str]:
    """Dead-letter queues with less than SQS's maximum retention of 14 days (API SQS.SetQueueAttributes)."""
    return [
        f"{label(row)} keeps messages for {row['inputs'].get('messageRetentionSeconds')} s; keep them for 14 days"
        for row in of_type(rows, metrics.QUEUE)
        if row["outputs"]["arn"] in dead_letter_queues(rows)
        and row["inputs"].get("messageRetentionSeconds") != 14 * 24 * 3600
    ]


def duration_alarm_below_timeout(rows: Rows) -> list[str]:
    """Functions whose duration alarm has a threshold at or above their timeout."""
    limits = {
        each["inputs"]["dimensions"]["FunctionName"]: each["inputs"]["threshold"]
        for each in of_type(rows, ALARM)
        if (each["inputs"]["namespace"], each["inputs"]["metricName"]) == ("AWS/Lambda", "Duration")
    }
    return [
        f"{label(row)} times out after {row['inputs'].get('timeout')} s, its alarm is at {limit} ms; lower the alarm"
        for row in of_type(rows, FUNCTION)
        for limit in [limits.get(row["outputs"]["name"])]
        if limit is not None and limit >= row["inputs"].get("timeout", 3) * 1000
    ]


def tracing_required(rows: Rows) -> list[str]:
    """Functions without active X-Ray tracing."""
    return [
        f"{label(row)} sends no traces; set tracingConfig.mode to Active"
        for row in of_type(rows, FUNCTION)
        if values_at(row, "tracingConfig.mode")[0].value != "Active"
    ]


def private_subnets(rows: Rows) -> list[str]:
    """Functions in a public subnet, or in fewer than two subnets."""
    public = _public_subnets(rows)

    def judge(row: Row) -> list[str]:
        subnets = {found.value for found in values_at(row, "vpcConfig.subnetIds")} - {None}
        if len(subnets) < 2 or subnets & public:
            return [f"{label(row)} runs in {sorted(subnets)}; use private subnets in two zones or more"]
        return []

    return judged(of_type(rows, FUNCTION), judge)


def _public_subnets(rows: Rows) -> set[str]:
    """Subnets with a route to the internet gateway."""
    gateways = {row["outputs"]["id"] for row in of_type(rows, "aws:ec2/internetGateway:InternetGateway")}
    routes = of_type(rows, "aws:ec2/route:Route")
    tables = {row["inputs"]["routeTableId"] for row in routes if row["inputs"].get("gatewayId") in gateways}
    joined = of_type(rows, "aws:ec2/routeTableAssociation:RouteTableAssociation")
    return {row["inputs"]["subnetId"] for row in joined if row["inputs"]["routeTableId"] in tables}


def runtime_and_architecture(rows: Rows) -> list[str]:
    """Functions on another runtime or architecture than the one for which the layer's libraries are built."""
    return [
        f"{label(row)} runs {row['inputs'].get('runtime')} on {row['inputs'].get('architectures')}; use {RUNTIME} on "
        f"{ARCHITECTURES}"
        for row in of_type(rows, FUNCTION)
        if (row["inputs"].get("architectures"), row["inputs"].get("runtime")) != (ARCHITECTURES, RUNTIME)
    ]
