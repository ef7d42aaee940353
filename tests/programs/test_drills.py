"""Experiments and plans that AWS runs: they can be stopped, and lead to what is there (R11)."""

import json
from collections.abc import Callable

import pytest

from components.fault_injection.templates import EXPERIMENTS, MOST_STOP_ALARMS, stop_alarms
from policy.rules import drills
from policy.rules.rows import Rows, of_type
from shared.naming import Names
from shared.places import Place
from tests.programs.changes import changed, giving
from tests.programs.profiles import DEFAULTS, OPTIONS, registered

Rule = Callable[[Rows], list[str]]
ALARM = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"
ISOLATION = "fault-injection-primary-isolation"
BUCKETS = "fault-injection-primary-bucket-replication"
PLAN = "region-switch-plan"


def test_each_region_has_every_experiment_and_the_environment_one_plan() -> None:
    found = [(row["region"], row["name"]) for row in of_type(registered(OPTIONS), drills.TEMPLATE)]

    assert sorted(found) == sorted(
        (region, f"fault-injection-{place}-{each.key}")
        for place, region in (("primary", "us-east-1"), ("secondary", "us-east-2"))
        for each in EXPERIMENTS
    )
    assert len(of_type(registered(OPTIONS), drills.PLAN)) == 1


def test_nothing_of_it_is_there_unless_asked_for() -> None:
    text = json.dumps([{**row, "outputs": None} for row in registered(DEFAULTS)])

    assert "aws:fis/" not in text
    assert "aws:arcregionswitch/" not in text
    assert "region-switch" not in text
    assert "FaultInjection" not in text


@pytest.mark.parametrize(
    ("rule", "token", "name", "path", "value", "message"),
    [
        (
            drills.stop_condition_required,
            drills.TEMPLATE,
            ISOLATION,
            ["stopConditions"],
            [{"source": "none"}],
            "use alarms",
        ),
        (
            drills.stop_condition_required,
            drills.TEMPLATE,
            ISOLATION,
            ["stopConditions"],
            [{"source": "aws:cloudwatch:alarm", "value": f"{ALARM}{number}"} for number in range(6)],
            "use at most 5",
        ),
        (
            drills.stop_alarm_exists,
            drills.TEMPLATE,
            ISOLATION,
            ["stopConditions", "value"],
            f"{ALARM}alarm-region-primary-options",
            "use a metric alarm",
        ),
        (
            drills.stop_alarm_exists,
            drills.TEMPLATE,
            ISOLATION,
            ["stopConditions", "value"],
            "arn:aws:cloudwatch:us-east-2:000000000000:alarm:alarm-secondary-options-nlb-unhealthy",
            "of us-east-1",
        ),
        (
            drills.target_exists,
            drills.TEMPLATE,
            BUCKETS,
            ["targets", "resourceTags", "value"],
            "other",
            "add it to the target",
        ),
        (
            drills.region_switch_function_exists,
            drills.PLAN,
            PLAN,
            ["workflows", "steps", "customActionLambdaConfigs", "lambdas", "arn"],
            "arn:aws:lambda:us-east-1:000000000000:function:other",
            "create that function",
        ),
    ],
)
def test_a_drill_without_bounds_is_refused(
    rule: Rule, token: str, name: str, path: list[str], value: object, message: str
) -> None:
    (violation,) = rule(changed(registered(OPTIONS), token, name, giving(*path, value=value)))

    assert f"{token} {name}" in violation
    assert message in violation


def test_a_plan_leaves_a_region_in_the_order_that_loses_nothing() -> None:
    (plan,) = of_type(registered(OPTIONS), drills.PLAN)

    orders = {
        flow["workflowTargetRegion"]: [step["name"] for step in flow["steps"]] for flow in plan["inputs"]["workflows"]
    }
    assert set(orders) == {"us-east-1", "us-east-2"}
    assert all(steps == ["fence", "move-the-database", "prove"] for steps in orders.values())


@pytest.mark.parametrize("place", Place)
def test_no_experiment_has_more_stop_alarms_than_fis_takes(place: Place) -> None:
    assert 1 <= len(stop_alarms(Names("dev"), place)) <= MOST_STOP_ALARMS
