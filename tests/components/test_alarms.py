"""Alarms made from the catalogue."""

from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.monitoring import catalogue_compute, catalogue_traffic
from components.monitoring.alarms import Alarms, AlarmsArgs, Monitored
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic-primary-dev"
PAYMENTS = Monitored(
    name="payments",
    alarms=catalogue_compute.FUNCTION,
    dimensions={"function": "function-payments-primary-dev"},
    limits={"timeout_ms": 10_000},
)
TARGETS = Monitored(
    name="nlb",
    alarms=catalogue_traffic.TARGETS,
    dimensions={"load_balancer": "net/nlb/1", "target_group": "targetgroup/a/2"},
)
CHECK = Monitored(name="nlb-primary", alarms=catalogue_traffic.HEALTH_CHECK, dimensions={"health_check": "check-1"})


def args(monitored: Sequence[Monitored], **changed: Any) -> AlarmsArgs:
    known: dict[str, Any] = {
        "prefix": "alarm-primary-dev",
        "region": "us-east-1",
        "topic_arn": TOPIC,
        "monitored": monitored,
        "composite": None,
    }
    return AlarmsArgs(**(known | changed))


def alarms(monitored: Sequence[Monitored], **changed: Any) -> Callable[[], None]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        Alarms("alarms", args(monitored, **changed), opts=pulumi.ResourceOptions(providers=[provider]))

    return program


def test_an_alarm_is_made_as_its_catalogue_entry_defines(build: Build) -> None:
    made = build(alarms([PAYMENTS])).one("aws:cloudwatch/metricAlarm:MetricAlarm", "alarms-payments-errors").inputs

    (entry,) = [alarm for alarm in catalogue_compute.FUNCTION if alarm.key == "errors"]
    assert made["name"] == "alarm-primary-dev-payments-errors"
    assert (made["namespace"], made["metricName"]) == ("AWS/Lambda", "Errors")
    assert made["dimensions"] == {"FunctionName": "function-payments-primary-dev"}
    assert (made["statistic"], made["period"], made["threshold"]) == ("Sum", 60, 1)
    assert (made["evaluationPeriods"], made["datapointsToAlarm"]) == (5, 2)
    assert made["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert made["treatMissingData"] == "notBreaching"
    assert made["alarmDescription"] == entry.reason


def test_a_percentile_is_an_extended_statistic(build: Build) -> None:
    """API CloudWatch.PutMetricAlarm: Statistic or ExtendedStatistic, never both."""
    made = build(alarms([PAYMENTS])).one("MetricAlarm", "alarms-payments-duration").inputs

    assert made["extendedStatistic"] == "p99"
    assert "statistic" not in made
    assert made["threshold"] == 8_000


def test_every_alarm_notifies_when_it_goes_off_and_when_it_ends(build: Build) -> None:
    built = build(alarms([PAYMENTS, TARGETS, CHECK], composite="alarm-region-primary-dev"))

    made = [*built.all("MetricAlarm"), *built.all("aws:cloudwatch/compositeAlarm:CompositeAlarm")]
    assert len(made) == 6
    for each in made:
        assert each.inputs["alarmActions"] == [TOPIC]
        assert each.inputs["okActions"] == [TOPIC]
        assert each.provider.endswith("::primary"), "an alarm sees the metrics of its own region only"


def test_the_composite_alarm_sums_up_the_urgent_ones(build: Build) -> None:
    built = build(alarms([PAYMENTS, TARGETS], composite="alarm-region-primary-dev"))

    made = built.one("aws:cloudwatch/compositeAlarm:CompositeAlarm")
    assert made.inputs["alarmRule"] == " OR ".join(
        f'ALARM("alarm-primary-dev-{name}")' for name in ("payments-errors", "payments-throttles", "nlb-unhealthy")
    )


def test_the_alarms_a_composite_names_are_made_before_it(build: Build) -> None:
    """And deleted after it [CW-2]."""
    built = build(alarms([TARGETS], composite="alarm-region-primary-dev"))

    child = built.one("MetricAlarm", "alarms-nlb-unhealthy").urn
    assert child in built.one("CompositeAlarm").dependencies


def test_without_a_name_there_is_no_composite_alarm(build: Build) -> None:
    assert build(alarms([TARGETS])).all("CompositeAlarm") == []


def test_a_composite_of_nothing_urgent_is_refused() -> None:
    with pytest.raises(ValueError, match="sums up 0 alarms"):
        args([CHECK], composite="alarm-region-primary-dev")


def test_a_composite_of_more_alarms_than_aws_takes_is_refused() -> None:
    many = [
        Monitored(name=f"nlb-{index}", alarms=catalogue_traffic.TARGETS, dimensions=TARGETS.dimensions)
        for index in range(101)
    ]
    with pytest.raises(ValueError, match="sums up 101 alarms"):
        args(many, composite="alarm-region-primary-dev")


def test_a_health_check_alarm_outside_us_east_1_is_refused() -> None:
    """It would never go off: Route 53 reports there only [R53-4]."""
    with pytest.raises(ValueError, match="exists in us-east-1 only, not in us-east-2"):
        args([CHECK], region="us-east-2")


def test_two_alarms_by_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="alarm-primary-dev-nlb-unhealthy are there twice"):
        args([TARGETS, TARGETS])
