"""Every function the same: its log first, a place for what it could not handle, traces, private subnets, arm64 (R7)."""

from policy.rules import metrics
from policy.rules.alarms import ALARM
from policy.rules.coverage import dead_letter_queues
from policy.rules.rows import Row, Rows, label, look, of_type

FUNCTION = metrics.FUNCTION
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ARCHITECTURES = ["arm64"]
RUNTIME = "python3.13"


def unready_logs(rows: Rows) -> list[str]:
    """Functions whose log group is not there before they are: Lambda would make one that never expires and stays when
    the function is gone [LAMBDA-1]."""
    violations = []
    for row in of_type(rows, FUNCTION):
        name = look(row, "loggingConfig.logGroup")[0].value or f"/aws/lambda/{row['outputs']['name']}"
        mine = [
            each
            for each in of_type(rows, LOG_GROUP)
            if (each["inputs"].get("name"), each["region"]) == (name, row["region"])
        ]
        if not mine:
            violations.append(f"{label(row)} has no log group; make {name}")
        elif mine[0]["urn"] not in row["options"]["depends_on"]:
            violations.append(f"{label(row)} may be there before {name}; let it depend on the log group")
    return violations


def endless_logs(rows: Rows) -> list[str]:
    """Log groups that are kept for ever."""
    return [
        f"{label(row)} never expires; give retentionInDays"
        for row in of_type(rows, LOG_GROUP)
        if not row["inputs"].get("retentionInDays")
    ]


def losing(rows: Rows) -> list[str]:
    """Functions that drop an event they could not handle: without a dead-letter queue of their region that is ours, or
    without the permission to send there, which Lambda checks by the function's role [LAMBDA-15]."""
    queues = {row["outputs"]["arn"]: row for row in of_type(rows, metrics.QUEUE)}
    violations = []
    for row in of_type(rows, FUNCTION):
        target = look(row, "deadLetterConfig.targetArn")[0].value
        queue = queues.get(target)
        if queue is None or queue["region"] != row["region"]:
            violations.append(f"{label(row)} leaves failures to {target}; give it a dead-letter queue of its region")
        elif not any("sqs:SendMessage" in text and target in text for text in _role_policies(row, rows)):
            violations.append(f"{label(row)} may not send to {target}; allow its role sqs:SendMessage")
    return violations


def _role_policies(function: Row, rows: Rows) -> list[str]:
    names = [
        role["outputs"]["name"]
        for role in of_type(rows, "aws:iam/role:Role")
        if role["outputs"]["arn"] == function["inputs"].get("role")
    ]
    policies = of_type(rows, "aws:iam/rolePolicy:RolePolicy")
    return [str(row["inputs"].get("policy")) for row in policies if row["inputs"].get("role") in names]


def lost_messages(rows: Rows) -> list[str]:
    """Dead-letter queues that forget before anyone has looked: 14 days is the most (API SQS.SetQueueAttributes)."""
    return [
        f"{label(row)} keeps messages for {row['inputs'].get('messageRetentionSeconds')} s; keep them for 14 days"
        for row in of_type(rows, metrics.QUEUE)
        if row["outputs"]["arn"] in dead_letter_queues(rows)
        and row["inputs"].get("messageRetentionSeconds") != 14 * 24 * 3600
    ]


def slow_to_tell(rows: Rows) -> list[str]:
    """Functions whose duration alarm goes off only when their time is up already."""
    limits = {
        each["inputs"]["dimensions"]["FunctionName"]: each["inputs"]["threshold"]
        for each in of_type(rows, ALARM)
        if (each["inputs"]["namespace"], each["inputs"]["metricName"]) == ("AWS/Lambda", "Duration")
    }
    return [
        f"{label(row)} is cut off after {row['inputs'].get('timeout')} s, but its alarm waits for {limit} ms; lower it"
        for row in of_type(rows, FUNCTION)
        for limit in [limits.get(row["outputs"]["name"])]
        if limit is not None and limit >= row["inputs"].get("timeout", 3) * 1000
    ]


def untraced(rows: Rows) -> list[str]:
    return [
        f"{label(row)} sends no traces; set tracingConfig.mode to Active"
        for row in of_type(rows, FUNCTION)
        if look(row, "tracingConfig.mode")[0].value != "Active"
    ]


def outside(rows: Rows) -> list[str]:
    """Functions that are not in private subnets, in two zones or more."""
    public = _public_subnets(rows)
    violations = []
    for row in of_type(rows, FUNCTION):
        subnets = {found.value for found in look(row, "vpcConfig.subnetIds")} - {None}
        if len(subnets) < 2 or subnets & public:
            violations.append(f"{label(row)} runs in {sorted(subnets)}; give it private subnets in two zones or more")
    return violations


def _public_subnets(rows: Rows) -> set[str]:
    """Those with a way to the internet gateway."""
    gateways = {row["outputs"]["id"] for row in of_type(rows, "aws:ec2/internetGateway:InternetGateway")}
    routes = of_type(rows, "aws:ec2/route:Route")
    tables = {row["inputs"]["routeTableId"] for row in routes if row["inputs"].get("gatewayId") in gateways}
    joined = of_type(rows, "aws:ec2/routeTableAssociation:RouteTableAssociation")
    return {row["inputs"]["subnetId"] for row in joined if row["inputs"]["routeTableId"] in tables}


def of_another_kind(rows: Rows) -> list[str]:
    """Functions that run on something else than all others, for which the pinned libraries were built."""
    return [
        f"{label(row)} runs {row['inputs'].get('runtime')} on {row['inputs'].get('architectures')}; use {RUNTIME} on "
        f"{ARCHITECTURES}"
        for row in of_type(rows, FUNCTION)
        if (row["inputs"].get("architectures"), row["inputs"].get("runtime")) != (ARCHITECTURES, RUNTIME)
    ]
