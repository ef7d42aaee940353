"""Alarms that can be heard, on everything that R10 names, in the region where the metric is."""

from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import alarms, coverage, metrics
from policy.rules.alarms import ALARM, COMPOSITE
from policy.rules.rows import Row, Rows, label, of_type
from tests.programs.changes import changed, giving, without
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

Rule = Callable[[Rows], list[str]]
# Of R10, in its words.
NAMED = {
    "health checks",
    "Aurora replication lag",
    "DynamoDB replication lag",
    "S3 replication lag",
    "Lambda errors",
    "Lambda throttles",
    "Lambda duration",
    "API 5XX",
    "API latency",
    "NLB unhealthy hosts",
    "dead-letter depth",
    "backup failures",
    "certificate expiry",
}
THERE = "arn:aws:sns:us-east-2:000000000000:topic-secondary-test"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
KEY = "aws:kms/key:Key"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_that_r10_names_is_there_to_be_watched(environment: str) -> None:
    wanted = coverage.required_alarms(registered(environment))

    assert {each.why for each in wanted} - {"S3 replication failures"} == NAMED


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_replication_is_watched_where_its_lag_is_measured(environment: str) -> None:
    lags = [each for each in coverage.required_alarms(registered(environment)) if each.why.endswith("replication lag")]

    assert sorted((each.namespace, each.region) for each in lags) == [
        (namespace, region)
        for namespace in ("AWS/DynamoDB", "AWS/RDS", "AWS/S3")
        for region in ("us-east-1", "us-east-2")
    ]
    assert coverage.alarm_coverage(registered(environment)) == []


def test_every_metric_of_the_table_has_an_alarm() -> None:
    """So that every entry of the table is tried."""
    used = {
        (
            metrics.published_namespace(row["inputs"]["namespace"], registered(environment)),
            row["inputs"]["metricName"],
        )
        for environment in ENVIRONMENTS
        for row in of_type(registered(environment), ALARM)
    }

    assert set(metrics.METRICS) == used


@pytest.mark.parametrize(
    ("rule", "token", "name", "path", "value"),
    [
        (alarms.actions_required, ALARM, "alarms-payments-errors", ["alarmActions"], []),
        (alarms.actions_required, ALARM, "alarms-payments-errors", ["okActions"], None),
        (alarms.actions_required, COMPOSITE, "alarms-region", ["okActions"], None),
        (alarms.topic_same_region, ALARM, "alarms-payments-errors", ["alarmActions"], [THERE]),
        (alarms.topic_same_region, COMPOSITE, "alarms-region", ["okActions"], [THERE]),
        (alarms.topic_permission, "aws:sns/topic:Topic", "topic-topic", ["kmsMasterKeyId"], "alias/aws/sns"),
        (alarms.missing_data_treatment_required, ALARM, "alarms-payments-errors", ["treatMissingData"], None),
        (alarms.metric_exists, ALARM, "alarms-payments-errors", ["metricName"], "Mistakes"),
        (alarms.metric_exists, ALARM, "alarms-payments-errors", ["dimensions"], {"FunctionName": "function-gone"}),
        (alarms.metric_exists, ALARM, "alarms-payments-errors", ["dimensions"], {}),
        (alarms.metric_exists, ALARM, "alarms-ledger-audit-missing", ["namespace"], "dr-of-another-environment"),
        (alarms.metric_exists, ALARM, "alarms-ledger-audit-missing", ["dimensions", "service"], "orders"),
        (alarms.metric_exists, ALARM, "alarms-announcements-oldest", ["namespace"], "dr-other"),
        (alarms.metric_exists, ALARM, "alarms-announcements-oldest", ["dimensions", "service"], "other"),
        (alarms.metric_exists, ALARM, "alarms-api-5xx", ["dimensions", "Stage"], "other"),
        (alarms.metric_exists, ALARM, "monitoring-primary-database-lag", ["dimensions", "SourceRegion"], "us-east-2"),
        (alarms.metric_exists, ALARM, "monitoring-primary-database-lag", ["dimensions"], {"DBClusterIdentifier": "x"}),
        (
            alarms.metric_exists,
            ALARM,
            "monitoring-primary-journal-replication",
            ["dimensions", "ReceivingRegion"],
            "us-east-1",
        ),
        (alarms.metric_exists, ALARM, "monitoring-primary-bucket-in-latency", ["dimensions", "RuleId"], "other"),
        (alarms.metric_exists, ALARM, "alarms-nlb-unhealthy", ["dimensions", "TargetGroup"], "targetgroup/other"),
        (alarms.composite_per_region, COMPOSITE, "alarms-region", ["alarmRule"], 'ALARM("other")'),
        (alarms.composite_per_region, COMPOSITE, "alarms-region", ["alarmRule"], "FALSE"),
    ],
)
def test_an_alarm_that_no_one_would_hear_is_refused(
    rule: Rule, token: str, name: str, path: list[str], value: Any
) -> None:
    (violation,) = rule(changed(registered(DEFAULTS), token, name, giving(*path, value=value)))

    assert f"{token} {name}" in violation


@pytest.mark.parametrize("token_and_name", [(TOPIC_POLICY, "topic-publishers"), (KEY, "data-key")])
def test_a_topic_that_alarms_cannot_write_to_is_refused(token_and_name: tuple[str, str]) -> None:
    rows = registered(DEFAULTS)
    text = next(row["inputs"]["policy"] for row in rows if (row["type"], row["name"]) == token_and_name)
    other = text.replace("cloudwatch.amazonaws.com", "budgets.amazonaws.com")

    (violation,) = alarms.topic_permission(changed(rows, *token_and_name, giving("policy", value=other)))
    assert "aws:sns/topic:Topic topic-topic" in violation


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("alarms-payments-errors", "us-east-1"),
        ("monitoring-primary-bucket-in-latency", "us-east-1"),
        ("monitoring-primary-bucket-out-failed", "us-east-1"),
        ("monitoring-primary-journal-replication", "us-east-1"),
        ("monitoring-primary-database-lag", "us-east-1"),
        ("monitoring-primary-api-secondary-health", "us-east-1"),
    ],
)
def test_an_alarm_in_a_region_without_its_metric_is_refused(name: str, there: str) -> None:
    def move(row: dict[str, Any]) -> None:
        row["region"] = "us-east-2"

    (violation,) = alarms.metric_exists(changed(registered(DEFAULTS), ALARM, name, move))
    assert f"{name} in us-east-2 is on" in violation
    assert violation.endswith(f"published in {there}; move it there")


def test_an_alarm_on_the_accelerator_is_refused() -> None:
    """Its metrics are in us-west-2 [GA-6]."""
    rows = changed(
        registered(DEFAULTS), ALARM, "alarms-payments-errors", giving("namespace", value="AWS/GlobalAccelerator")
    )

    (violation,) = alarms.metric_exists(rows)
    assert violation.endswith("add it with its region")


@pytest.mark.parametrize("why", sorted({*NAMED, "S3 replication failures"}))
def test_a_thing_whose_alarm_is_lost_is_named(why: str) -> None:
    """For each thing in turn: without the alarms that watch it, the rule reports it as unwatched."""
    rows = registered(DEFAULTS)
    for each in (one for one in coverage.required_alarms(rows) if one.why == why):
        left = [row for row in rows if not watches(row, each)]

        assert len(left) < len(rows)
        assert f"{label(each.row)} has no alarm on {why}" in {
            violation.partition(";")[0] for violation in coverage.alarm_coverage(left)
        }


def watches(row: Row, thing: coverage.RequiredAlarm) -> bool:
    given = row["inputs"]
    return (
        row["type"] == ALARM
        and (row["region"], given["namespace"], given["metricName"]) == (thing.region, thing.namespace, thing.metric)
        and thing.dimensions.items() <= (given.get("dimensions") or {}).items()
    )


def test_a_region_without_its_dashboard_or_its_summing_alarm_is_named() -> None:
    rows = [
        row
        for row in registered(DEFAULTS)
        if row["stack"] != "secondary" or row["type"] not in (coverage.DASHBOARD, COMPOSITE)
    ]

    assert coverage.dashboard_per_region(rows) == [f"secondary has no {coverage.DASHBOARD}; create one"]
    assert alarms.composite_per_region(rows) == [
        f"us-east-2 has no {COMPOSITE}; create one of the alarms that mean the region cannot serve"
    ]


def test_an_alarm_without_dimensions_it_needs_is_refused() -> None:
    rows = changed(registered(DEFAULTS), ALARM, "alarms-nlb-unhealthy", without("dimensions", "LoadBalancer"))

    assert len(alarms.metric_exists(rows)) == 1
