"""The callers that the API accepts, by setting."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.ingress.api_auth import ApiAccess, ApiAccessArgs, Callers
from localaws.provider import values
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEYS = {"shop": "a1" * 20, "shop-next": "b2" * 20}


def arguments(callers: Callers, **given: Any) -> ApiAccessArgs:
    chosen: dict[str, Any] = {"client_keys": KEYS if callers == "api-key" else {}} | given
    return ApiAccessArgs(
        callers=callers,
        name="access-primary-dev",
        api_id="api-1",
        stage="live",
        execution_arn="arn:aws:execute-api:us-east-1:000000000000:api-1",
        operations=["GET/payments/*", "POST/payments"],
        rate_limit=100,
        daily_quota=1_000_000,
        **chosen,
    )


def access(args: ApiAccessArgs) -> Callable[[], object]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        made = ApiAccess("access", args, opts=pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("policy", made.caller_policy_arn)
        pulumi.export("plan", made.usage_plan_id)

    return program


def test_with_iam_a_caller_is_given_these_operations_and_no_other(build: Build) -> None:
    built = build(access(arguments("iam")))
    (statement,) = json.loads(built.one("Policy").inputs["policy"])["Statement"]

    assert statement["Action"] == ["execute-api:Invoke"]
    assert statement["Resource"] == [
        "arn:aws:execute-api:us-east-1:000000000000:api-1/live/GET/payments/*",
        "arn:aws:execute-api:us-east-1:000000000000:api-1/live/POST/payments",
    ]
    assert built.exports == {"policy": "arn:aws:test:::access-callers", "plan": ""}
    assert not built.all("UsagePlan")


def test_with_keys_every_client_has_one_under_a_plan_with_rate_and_quota(build: Build) -> None:
    built = build(access(arguments("api-key")))
    plan = built.one("UsagePlan").inputs

    assert plan["apiStages"] == [{"apiId": "api-1", "stage": "live"}]
    assert plan["throttleSettings"] == {"rateLimit": 100, "burstLimit": 200}
    assert plan["quotaSettings"] == {"limit": 1_000_000, "period": "DAY"}
    assert {each.inputs["keyId"] for each in built.all("UsagePlanKey")} == {"access-shop-id", "access-shop-next-id"}
    assert all(each.inputs["usagePlanId"] == "access-plan-id" for each in built.all("UsagePlanKey"))
    assert built.exports == {"policy": "", "plan": "access-plan-id"}


def test_keys_are_the_given_ones_and_stay_secret(build: Build) -> None:
    keys = build(access(arguments("api-key"))).all("ApiKey")

    assert {values.unwrap(each.inputs["value"]) for each in keys} == set(KEYS.values())
    assert all(values.is_secret(each.inputs["value"]) for each in keys)
    assert all("value" in each.secret_outputs for each in keys)


def test_access_by_key_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no client has a key"):
        arguments("api-key", client_keys={})


@pytest.mark.parametrize("key", ["c3" * 10, "with-a-dash" * 5, "d4" * 65])
def test_a_weak_or_impossible_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="the key of client shop") as refusal:
        arguments("api-key", client_keys={"shop": key})

    assert key not in str(refusal.value)


def test_arguments_that_are_printed_show_no_key() -> None:
    shown = repr(arguments("api-key"))

    assert not [key for key in KEYS.values() if key in shown]
