"""Dashboards: what they show, and that each graph looks where its metric is."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.monitoring import catalogue_compute, catalogue_data
from components.monitoring import dashboard as layout
from components.monitoring.alarms import Monitored
from components.monitoring.dashboard import Dashboard, DashboardArgs
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
PAYMENTS = Monitored(
    name="payments",
    alarms=catalogue_compute.FUNCTION,
    dimensions={"function": "payments"},
    limits={"timeout_ms": 10_000},
)


def bucket(name: Any) -> Monitored:
    return Monitored(
        name="objects",
        alarms=catalogue_data.BUCKET_RECEIVING,
        dimensions={"source": name, "destination": "bucket-b", "rule": "primary-to-secondary"},
    )


def dashboard() -> None:
    provider = aws.Provider("primary", region="us-east-1")
    queue = aws.sqs.Queue("known-later", name="bucket-a", opts=pulumi.ResourceOptions(provider=provider))
    sections = [
        layout.Section(title="Primary", widgets=layout.alarm_graphs("us-east-1", [PAYMENTS])),
        layout.Section(title="Both", widgets=layout.alarm_graphs("us-east-2", [bucket(queue.name)])),
        layout.Section(title="World", widgets=[layout.accelerator_traffic("accelerator-1")]),
    ]
    args = DashboardArgs(name="dashboard-dev", sections=sections)
    Dashboard("dashboard", args, opts=pulumi.ResourceOptions(providers=[provider]))


def graphs(widgets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each["properties"] for each in widgets if each["type"] == "metric"]


def test_every_graph_names_its_region(build: Build) -> None:
    made = build(dashboard).one("aws:cloudwatch/dashboard:Dashboard").inputs

    shown = graphs(json.loads(made["dashboardBody"])["widgets"])
    assert [each["region"] for each in shown] == ["us-east-1"] * 3 + ["us-east-2", "us-west-2"]
    assert made["dashboardName"] == "dashboard-dev"


def test_names_known_only_after_deployment_reach_the_graphs(build: Build) -> None:
    made = build(dashboard).one("aws:cloudwatch/dashboard:Dashboard").inputs

    (lag,) = [each for each in graphs(json.loads(made["dashboardBody"])["widgets"]) if each["region"] == "us-east-2"]
    assert lag["metrics"] == [
        [
            "AWS/S3",
            "ReplicationLatency",
            *("DestinationBucket", "bucket-b"),
            *("RuleId", "primary-to-secondary"),
            *("SourceBucket", "bucket-a"),
            {"label": "ReplicationLatency", "stat": "Maximum"},
        ]
    ]


def test_the_same_dashboard_is_the_same_text(build: Build) -> None:
    first, second = (build(dashboard).one("aws:cloudwatch/dashboard:Dashboard").inputs for _ in range(2))

    assert first["dashboardBody"] == second["dashboardBody"]


def test_whatever_can_go_off_can_be_seen() -> None:
    shown = graphs(layout.alarm_graphs("us-east-1", [PAYMENTS]))

    assert [each["metrics"][0][1] for each in shown] == [alarm.metric for alarm in catalogue_compute.FUNCTION]
    assert [each["annotations"]["horizontal"][0]["value"] for each in shown] == [1, 1, 8_000]
    assert [each["metrics"][0][-1]["stat"] for each in shown] == ["Sum", "Sum", "p99"]


def test_no_two_widgets_overlap_and_all_fit_the_grid() -> None:
    """CloudWatch API, "Dashboard body structure": 24 columns."""
    sections = [
        layout.Section(title=str(count), widgets=[layout.load_balancer_traffic("us-east-1", "net/nlb/1")] * count)
        for count in (1, 3, 4, 0, 7)
    ]
    widgets = layout.body(sections)["widgets"]

    taken: set[tuple[int, int]] = set()
    for each in widgets:
        cells = {
            (column, row)
            for column in range(each["x"], each["x"] + each["width"])
            for row in range(each["y"], each["y"] + each["height"])
        }
        assert not cells & taken
        assert max(column for column, _ in cells) < 24
        taken |= cells
    assert len(widgets) == 5 + 15


def test_the_accelerator_is_asked_in_the_only_region_that_knows_it() -> None:
    (shown,) = graphs([layout.accelerator_traffic("accelerator-1")])

    assert shown["region"] == "us-west-2", "where Global Accelerator reports [GA-6]"
    assert {line[1] for line in shown["metrics"]} == {"NewFlowCount", "ProcessedBytesIn", "ProcessedBytesOut"}
    assert all(line[2:4] == ["Accelerator", "accelerator-1"] for line in shown["metrics"])


def test_an_accelerator_is_known_to_its_metrics_by_the_end_of_its_arn() -> None:
    assert layout.accelerator_id("arn:aws:globalaccelerator::000000000000:accelerator/1234-abcd") == "1234-abcd"


@pytest.mark.parametrize(
    ("widget", "line"),
    [
        (
            layout.load_balancer_traffic("us-east-2", "net/nlb/1"),
            ["AWS/NetworkELB", "NewFlowCount", "LoadBalancer", "net/nlb/1"],
        ),
        (
            layout.api_traffic("us-east-2", "api", "live"),
            ["AWS/ApiGateway", "Count", "ApiName", "api", "Stage", "live"],
        ),
    ],
)
def test_traffic_is_shown_in_the_region_it_comes_to(widget: layout.Widget, line: list[str]) -> None:
    (shown,) = graphs([widget])

    assert shown["region"] == "us-east-2"
    assert shown["metrics"][0][:-1] == line
