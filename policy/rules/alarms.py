"""Alarms that can be heard: on a metric of their region, with people behind them, in a region's own topic (R10)."""

from policy.rules import iam
from policy.rules.metrics import homes
from policy.rules.rows import Row, Rows, label, listed, look, of_type, one_of, statements

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC = "aws:sns/topic:Topic"
_ACTIONS = ("alarmActions", "okActions")
# API CloudWatch.PutMetricAlarm.
_MISSING = ("breaching", "notBreaching", "ignore", "missing")


def unheard(rows: Rows) -> list[str]:
    """Alarms that tell no one that something is wrong, or no one that it is well again."""
    return [
        f"{label(row)} has no {action}; tell the topic of {row['region']}"
        for row in of_type(rows, ALARM, COMPOSITE)
        for action in _ACTIONS
        if not row["inputs"].get(action) or row["inputs"].get("actionsEnabled") is False
    ]


def told_elsewhere(rows: Rows) -> list[str]:
    """Alarms whose topic is in another region, or not ours: CloudWatch refuses it [CW-1]."""
    violations = []
    for row in of_type(rows, ALARM, COMPOSITE):
        topics = {each["outputs"]["arn"] for each in of_type(rows, TOPIC) if each["region"] == row["region"]}
        violations += [
            f"{label(row)} tells {found.value}; name the topic of {row['region']}"
            for action in _ACTIONS
            for found in look(row, action)
            if found.value is not None and found.value not in topics
        ]
    return violations


def silent_topics(rows: Rows) -> list[str]:
    """Topics that alarms may not publish to, or whose key they may not use: CloudWatch drops their messages without a
    word [SNS-2]."""
    violations = []
    for topic in of_type(rows, TOPIC):
        policies = [
            row
            for row in of_type(rows, "aws:sns/topicPolicy:TopicPolicy")
            if row["inputs"].get("arn") == topic["outputs"]["arn"]
        ]
        keys = one_of(of_type(rows, iam.KEY), "arn", topic["inputs"].get("kmsMasterKeyId"))
        if not any(_lets_alarms(row, {"sns:Publish"}) for row in policies):
            violations.append(f"{label(topic)} takes nothing from alarms; allow cloudwatch.amazonaws.com sns:Publish")
        if not any(_lets_alarms(row, {"kms:Decrypt", "kms:GenerateDataKey"}) for row in keys):
            violations.append(f"{label(topic)} has a key that alarms may not use; allow cloudwatch.amazonaws.com to")
    return violations


def _lets_alarms(row: Row, actions: set[str]) -> bool:
    return any(
        each["Effect"] == "Allow"
        and each.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}
        and actions <= set(listed(each["Action"]))
        for each in statements(row["inputs"].get("policy"))
    )


def unsaid_missing_data(rows: Rows) -> list[str]:
    """Alarms that leave it to AWS what missing data means."""
    return [
        f"{label(row)} treats missing data as {row['inputs'].get('treatMissingData')}; say what it means there"
        for row in of_type(rows, ALARM)
        if row["inputs"].get("treatMissingData") not in _MISSING
    ]


def on_no_metric(rows: Rows) -> list[str]:
    """Alarms on a metric that their region does not have, or has for something that is not there."""
    violations = []
    for row in of_type(rows, ALARM):
        what = f"{row['inputs'].get('namespace')} {row['inputs'].get('metricName')} {row['inputs'].get('dimensions')}"
        regions = homes(row, rows)
        if regions is None:
            violations.append(f"{label(row)} looks at {what}; put into the table of metrics where that is")
        elif row["region"] not in regions:
            there = ", ".join(sorted(regions)) or "no region"
            violations.append(f"{label(row)} in {row['region']} looks at {what}, which is in {there}; move it there")
    return violations


def composites_of_nothing(rows: Rows) -> list[str]:
    """Regions without an alarm that sums them up, and such alarms of other regions' alarms or of none."""
    violations = []
    composites = of_type(rows, COMPOSITE)
    for region in sorted({row["region"] for row in of_type(rows, TOPIC)} - {row["region"] for row in composites}):
        violations.append(f"{region} has no {COMPOSITE}; sum up what it cannot serve without")
    for row in composites:
        names = {each["outputs"]["name"] for each in of_type(rows, ALARM) if each["region"] == row["region"]}
        children = [part.split('"')[1] for part in str(row["inputs"].get("alarmRule")).split(" OR ") if '"' in part]
        if not children or set(children) - names:
            violations.append(f"{label(row)} sums up {sorted(set(children) - names)}; name alarms of {row['region']}")
    return violations
