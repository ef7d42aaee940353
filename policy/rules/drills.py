"""AWS FIS templates and Region switch plans: with stop conditions, and with targets that exist (R11)."""

from policy.rules.alarms import ALARM
from policy.rules.metrics import FUNCTION
from policy.rules.rows import Row, Rows, label, of_type, values_at

TEMPLATE = "aws:fis/experimentTemplate:ExperimentTemplate"
PLAN = "aws:arcregionswitch/plan:Plan"
MAX_STOP_CONDITIONS = 5  # [FIS-2]


def stop_condition_required(rows: Rows) -> list[str]:
    """Experiments without a CloudWatch alarm as stop condition, or with more than FIS accepts."""
    violations = []
    for row in of_type(rows, TEMPLATE):
        sources = [each.value for each in values_at(row, "stopConditions.source")]
        if any(source != "aws:cloudwatch:alarm" for source in sources):
            violations.append(f"{label(row)} has the stop conditions {sources}; use alarms of {row['region']}")
        elif len(sources) > MAX_STOP_CONDITIONS:
            violations.append(f"{label(row)} has {len(sources)} stop conditions; use at most {MAX_STOP_CONDITIONS}")
    return violations


def stop_alarm_exists(rows: Rows) -> list[str]:
    """Experiments whose stop alarm does not exist in their region: FIS cancels them, but only at their start."""
    alarms = {(row["region"], row["outputs"]["name"]) for row in of_type(rows, ALARM)}
    return [
        f"{label(row)} has the stop condition {found.value}; use a metric alarm of {row['region']}"
        for row in of_type(rows, TEMPLATE)
        for found in values_at(row, "stopConditions.value")
        if _named(str(found.value)) not in alarms or str(found.value).split(":")[3] != row["region"]
    ]


def target_exists(rows: Rows) -> list[str]:
    """Experiments whose target tags are on no resource of their region: they could not start."""
    return [
        f"{label(row)} targets the tag {tag}; add it to the target resource"
        for row in of_type(rows, TEMPLATE)
        for tag in sorted(_target_tags(row))
        if not any(
            (each["inputs"].get("tags") or {}).get(tag[0]) == tag[1] for each in rows if each["region"] == row["region"]
        )
    ]


def _target_tags(row: Row) -> set[tuple[str, str]]:
    return {
        (each.value["key"], each.value["value"])
        for each in values_at(row, "targets.resourceTags")
        if each.value is not None
    }


def region_switch_function_exists(rows: Rows) -> list[str]:
    """Plans with a step whose function does not exist in each of the plan's regions."""
    functions = {(row["region"], row["outputs"]["name"]) for row in of_type(rows, FUNCTION)}
    violations = []
    for row in of_type(rows, PLAN):
        for found in values_at(row, "workflows.steps.customActionLambdaConfigs.lambdas.arn"):
            if found.value is not None and _named(str(found.value)) not in functions:
                violations.append(f"{label(row)} calls {found.value}, which is not registered; create that function")
        for step in values_at(row, "workflows.steps.customActionLambdaConfigs"):
            called = {_named(each["arn"])[0] for each in (step.value or {}).get("lambdas", [])}
            if step.value is not None and called != set(row["inputs"]["regions"]):
                violations.append(f"{label(row)} has a step for {sorted(called)}; give it a function in each region")
    return violations


def _named(arn: str) -> tuple[str, str]:
    """Region and name."""
    parts = arn.split(":")
    return (parts[3], parts[6]) if len(parts) > 6 else ("", arn)
