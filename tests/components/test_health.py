"""The health function and the two ways that lead to it, as a region registers them."""

import json
from typing import Any

import pytest

from components.compute.function import FunctionArgs
from localaws.engine import graph
from shared.local_aws import PROGRAMS
from shared.settings import RegionSettings, SettingsError, load
from tests.programs.profiles import registered

Row = dict[str, Any]
FUNCTION = "aws:lambda/function:Function"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [dict(row) for row in registered("dev") if row["stack"] == "primary"]


def row(rows: list[Row], of_type: str, name: str) -> Row:
    (found,) = [each for each in rows if each["type"] == of_type and each["name"] == name]
    return found


def function(rows: list[Row], name: str) -> Row:
    return row(rows, FUNCTION, f"{name}-function")


def test_the_load_balancer_forwards_health_and_nothing_else_to_it(rows: list[Row]) -> None:
    listener = row(rows, "aws:lb/listener:Listener", "front-door-alb")
    rule = row(rows, "aws:lb/listenerRule:ListenerRule", "front-door-health")
    groups = {
        each["inputs"]["targetGroupArn"]: each["inputs"]["targetId"]
        for each in rows
        if each["type"] == "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    }

    assert rule["inputs"]["listenerArn"] == listener["outputs"]["arn"]
    assert rule["inputs"]["conditions"] == [{"pathPattern": {"values": ["/health", "/health/"]}}]
    assert groups[rule["inputs"]["actions"][0]["targetGroupArn"]] == function(rows, "health")["outputs"]["arn"]
    assert (
        groups[listener["inputs"]["defaultActions"][0]["targetGroupArn"]]
        == function(rows, "payments")["outputs"]["arn"]
    )


def test_both_endpoints_may_invoke_it_and_only_for_health(rows: list[Row]) -> None:
    allowed = {
        each["inputs"]["principal"]: each["inputs"]["sourceArn"]
        for each in rows
        if each["type"] == "aws:lambda/permission:Permission"
        and each["inputs"]["function"] == "function-health-primary-dev"
    }

    assert sorted(allowed) == ["apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com"]
    assert allowed["apigateway.amazonaws.com"].endswith("/*/GET/health")
    group = row(rows, "aws:lb/targetGroup:TargetGroup", "front-door-health")
    assert allowed["elasticloadbalancing.amazonaws.com"] == group["outputs"]["arn"]


def test_the_api_invokes_it_for_health_alone(rows: list[Row]) -> None:
    body = json.loads(row(rows, "aws:apigateway/restApi:RestApi", "api-api")["inputs"]["body"])
    invoked = {
        path: operation["x-amazon-apigateway-integration"]["uri"]
        for path, item in body["paths"].items()
        for operation in item.values()
    }

    health, payments = (function(rows, name)["outputs"]["invokeArn"] for name in ("health", "payments"))
    assert invoked == {"/health": health, "/payments": payments, "/payments/{id}": payments}


def test_it_reads_and_remembers_control_records_and_no_payment(rows: list[Row]) -> None:
    policy = json.loads(row(rows, "aws:iam/rolePolicy:RolePolicy", "health-policy")["inputs"]["policy"])
    here, there = "us-east-1", "us-east-2"
    records = ["control#writer", "region#us-east-1", "region#us-east-2"]
    found = [
        (
            each["Action"],
            each["Resource"][0].split(":")[3],
            each["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"],
        )
        for each in policy["Statement"]
        if any(action.startswith("dynamodb:") for action in each["Action"])
    ]

    assert found == [
        (["dynamodb:BatchGetItem"], here, ["confirmed#us-east-1", *records]),
        (["dynamodb:PutItem"], here, ["confirmed#us-east-1"]),
        (["dynamodb:BatchGetItem"], there, records),
    ]


def reserved(rows: list[Row]) -> dict[str, int]:
    return {
        each["inputs"]["name"].removeprefix("function-").removesuffix("-primary-dev"): each["inputs"][
            "reservedConcurrentExecutions"
        ]
        for each in rows
        if each["type"] == FUNCTION and "reservedConcurrentExecutions" in each["inputs"]
    }


def test_load_on_payments_cannot_use_what_health_failover_and_ledger_need(rows: list[Row]) -> None:
    assert reserved(rows) == {
        "payments": 753,
        "health": 20,
        "sentinel": 3,
        "recovery": 10,
        "announcer": 10,
        "ledger": 100,
    }


def test_the_steps_of_a_region_switch_plan_have_a_floor_too() -> None:
    switching = graph("dev", PROGRAMS[:1], config_overrides={"primary": {"drill:regionSwitch": "true"}})

    found = reserved([dict(each) for each in switching])
    assert (found["region-switch-fence"], found["region-switch-prove"]) == (2, 2)


def test_a_new_account_reserves_nothing_and_is_deployed() -> None:
    small = graph("dev", PROGRAMS[:1], config_overrides={"primary": {"functions:accountConcurrency": "10"}})

    assert reserved([dict(each) for each in small]) == {}


@pytest.mark.parametrize("value", ["0", "9", "100001"])
def test_a_limit_that_cannot_be_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="functions:accountConcurrency is"):
        load(RegionSettings, {"functions:accountConcurrency": value}, stack="dev")


def test_zero_which_would_stop_a_function_is_no_reservation() -> None:
    given: dict[str, Any] = dict.fromkeys(
        ("source", "name", "region", "account", "description", "vpc_id", "key_arn", "dead_letter_arn"), "x"
    )
    with pytest.raises(ValueError, match="reserve 1 or more"):
        FunctionArgs(
            **given,
            environment={},
            statements=[],
            layers=[],
            subnet_ids=[],
            log_retention_days=7,
            reserved_concurrency=0,
        )
