"""CloudWatch alarms: on a metric of their region, with actions on that region's SNS topic (R10)."""

from policy.rules import iam
from policy.rules.metrics import metric_regions
from policy.rules.rows import Row, Rows, label, listed, of_type, one_of, statements, values_at

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC = "aws:sns/topic:Topic"
_ACTIONS = ("alarmActions", "okActions")
# API CloudWatch.PutMetricAlarm, without `missing`: the provider fills that in where the program gives none.
_MISSING = ("breaching", "notBreaching", "ignore")
# A health check follows this metric's alarm, and keeps its last status without data [EVENTS-6].
_MISSING_WANTED = ("IngestionToInvocationStartLatency",)


def actions_required(rows: Rows) -> list[str]:
    """Alarms without an action for the ALARM or the OK state."""
    return [
        f"{label(row)} has no {action}; add the topic of {row['region']}"
        for row in of_type(rows, ALARM, COMPOSITE)
        for action in _ACTIONS
        if not row["inputs"].get(action) or row["inputs"].get("actionsEnabled") is False
    ]


def topic_same_region(rows: Rows) -> list[str]:
    """Alarms whose topic is in another region, which CloudWatch rejects, or not of this environment [CW-1]."""
    violations = []
    for row in of_type(rows, ALARM, COMPOSITE):
        topics = {each["outputs"]["arn"] for each in of_type(rows, TOPIC) if each["region"] == row["region"]}
        violations += [
            f"{label(row)} has the action {found.value}; use the topic of {row['region']}"
            for action in _ACTIONS
            for found in values_at(row, action)
            if found.value is not None and found.value not in topics
        ]
    return violations


def topic_permission(rows: Rows) -> list[str]:
    """Topics that alarms may not publish to, or whose key they may not use: CloudWatch drops such notifications without
    an error [SNS-2]."""
    violations = []
    for topic in of_type(rows, TOPIC):
        policies = [
            row
            for row in of_type(rows, "aws:sns/topicPolicy:TopicPolicy")
            if row["inputs"].get("arn") == topic["outputs"]["arn"]
        ]
        keys = one_of(of_type(rows, iam.KEY), "arn", topic["inputs"].get("kmsMasterKeyId"))
        if not any(_allows_alarms(row, {"sns:Publish"}) for row in policies):
            violations.append(f"{label(topic)} rejects alarms; allow cloudwatch.amazonaws.com sns:Publish")
        if not any(_allows_alarms(row, {"kms:Decrypt", "kms:GenerateDataKey"}) for row in keys):
            violations.append(f"{label(topic)} has a key that alarms may not use; allow cloudwatch.amazonaws.com to")
    return violations


def _allows_alarms(row: Row, actions: set[str]) -> bool:
    return any(
        each["Effect"] == "Allow"
        and each.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}
        and actions <= set(listed(each["Action"]))
        for each in statements(row["inputs"].get("policy"))
    )


def missing_data_treatment_required(rows: Rows) -> list[str]:
    """Alarms without an explicit treatment of missing data, or that become `INSUFFICIENT_DATA` without need."""
    return [
        f"{label(row)} treats missing data as {row['inputs'].get('treatMissingData')}; set treatMissingData"
        for row in of_type(rows, ALARM)
        if row["inputs"].get("treatMissingData") not in _MISSING
        and row["inputs"].get("metricName") not in _MISSING_WANTED
    ]


def metric_exists(rows: Rows) -> list[str]:
    """Alarms on a metric that is not published in their region, or whose dimensions name an unregistered resource."""
    violations = []
    for row in of_type(rows, ALARM):
        what = f"{row['inputs'].get('namespace')} {row['inputs'].get('metricName')} {row['inputs'].get('dimensions')}"
        regions = metric_regions(row, rows)
        if regions is None:
            violations.append(f"{label(row)} is on {what}, which is not in METRICS; add it with its region")
        elif row["region"] not in regions:
            there = ", ".join(sorted(regions)) or "no region"
            violations.append(f"{label(row)} in {row['region']} is on {what}, published in {there}; move it there")
    return violations


def composite_per_region(rows: Rows) -> list[str]:
    """Regions without a composite alarm, and composite alarms of no alarm of their region."""
    violations = []
    composites = of_type(rows, COMPOSITE)
    for region in sorted({row["region"] for row in of_type(rows, TOPIC)} - {row["region"] for row in composites}):
        violations.append(f"{region} has no {COMPOSITE}; create one of the alarms that mean the region cannot serve")
    for row in composites:
        names = {each["outputs"]["name"] for each in of_type(rows, ALARM) if each["region"] == row["region"]}
        children = [part.split('"')[1] for part in str(row["inputs"].get("alarmRule")).split(" OR ") if '"' in part]
        if not children or set(children) - names:
            violations.append(f"{label(row)} refers to {sorted(set(children) - names)}; use alarms of {row['region']}")
    return violations
