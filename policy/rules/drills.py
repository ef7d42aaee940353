"""Drills that AWS runs for us: what they harm ends by itself, and what they call is there (R11)."""

from policy.rules.alarms import ALARM
from policy.rules.metrics import FUNCTION
from policy.rules.rows import Row, Rows, label, look, of_type

TEMPLATE = "aws:fis/experimentTemplate:ExperimentTemplate"
PLAN = "aws:arcregionswitch/plan:Plan"
MOST_CONDITIONS = 5  # [FIS-2]


def unstoppable(rows: Rows) -> list[str]:
    """Experiments that no alarm ends, or more than FIS takes."""
    violations = []
    for row in of_type(rows, TEMPLATE):
        sources = [each.value for each in look(row, "stopConditions.source")]
        if any(source != "aws:cloudwatch:alarm" for source in sources):
            violations.append(f"{label(row)} is stopped by {sources}; name alarms of {row['region']}")
        elif len(sources) > MOST_CONDITIONS:
            violations.append(f"{label(row)} has {len(sources)} stop conditions; FIS takes {MOST_CONDITIONS}")
    return violations


def stopped_by_nothing(rows: Rows) -> list[str]:
    """Experiments with an alarm that is not there: one of another region cancels them, and FIS looks only when they
    start."""
    alarms = {(row["region"], row["outputs"]["name"]) for row in of_type(rows, ALARM)}
    return [
        f"{label(row)} is stopped by {found.value}; name a metric alarm of {row['region']}"
        for row in of_type(rows, TEMPLATE)
        for found in look(row, "stopConditions.value")
        if _named(str(found.value)) not in alarms or str(found.value).split(":")[3] != row["region"]
    ]


def unmarked_targets(rows: Rows) -> list[str]:
    """Experiments whose targets have tags that nothing in their region has: they could not start."""
    return [
        f"{label(row)} looks for {tag}; give that tag to what it is for"
        for row in of_type(rows, TEMPLATE)
        for tag in sorted(_tags_wanted(row))
        if not any(
            (each["inputs"].get("tags") or {}).get(tag[0]) == tag[1] for each in rows if each["region"] == row["region"]
        )
    ]


def _tags_wanted(row: Row) -> set[tuple[str, str]]:
    return {
        (each.value["key"], each.value["value"]) for each in look(row, "targets.resourceTags") if each.value is not None
    }


def plans_of_nothing(rows: Rows) -> list[str]:
    """Plans with a step whose function is not there in each of the plan's regions."""
    functions = {(row["region"], row["outputs"]["name"]) for row in of_type(rows, FUNCTION)}
    violations = []
    for row in of_type(rows, PLAN):
        for found in look(row, "workflows.steps.customActionLambdaConfigs.lambdas.arn"):
            if found.value is not None and _named(str(found.value)) not in functions:
                violations.append(f"{label(row)} calls {found.value}; make that function")
        for step in look(row, "workflows.steps.customActionLambdaConfigs"):
            called = {_named(each["arn"])[0] for each in (step.value or {}).get("lambdas", [])}
            if step.value is not None and called != set(row["inputs"]["regions"]):
                violations.append(f"{label(row)} has a step for {sorted(called)}; give it a function in each region")
    return violations


def _named(arn: str) -> tuple[str, str]:
    """Region and name."""
    parts = arn.split(":")
    return (parts[3], parts[6]) if len(parts) > 6 else ("", arn)
