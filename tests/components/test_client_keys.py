"""Clients' keys in a regional stack: hashes for its function, and a warning when there are none."""

import hashlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.workload.context import FunctionContext
from components.workload.payments import payments_function
from localaws.engine import graph
from localaws.provider import values
from shared.client_keys import LIMIT, SETTING, problems
from shared.local_aws import PROGRAMS
from shared.places import Place
from shared.settings import SECRETS, RegionSettings, load
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEYS = {"shop": "a1" * 20, "shop-next": "b2" * 20}
HASHES = {client: hashlib.sha256(key.encode()).hexdigest() for client, key in KEYS.items()}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The primary stack with two clients at both endpoints."""
    overrides = {"primary": {SETTING: KEYS, "api:access": "api-key"}}
    return graph("dev", PROGRAMS[:1], config_overrides=overrides, secret_keys=SECRETS)


def function(
    build: Build, keys: dict[str, str], settings: dict[str, str] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The function's environment variables, secrets in envelopes, and what the program warned of."""
    dead_letters: Any = SimpleNamespace(arn="arn:aws:sqs:us-east-1:000000000000:dead")
    network: Any = SimpleNamespace(vpc_id="vpc-1", private_subnet_ids=["subnet-1"])

    def program() -> None:
        payments_function(
            FunctionContext(
                place=Place.PRIMARY,
                settings=load(RegionSettings, settings or {}, stack="dev"),
                account="000000000000",
                network=network,
                key_arn="arn:aws:kms:us-east-1:000000000000:key/1",
                dead_letters=dead_letters,
                topic_arn="arn:aws:sns:us-east-1:000000000000:topic",
                layers=[],
            ),
            client_keys={client: pulumi.Output.secret(key) for client, key in keys.items()},
            opts=pulumi.ResourceOptions(providers=[aws.Provider("primary", region="us-east-1")]),
        )

    built = build(program)
    environment = built.one("Function", "payments-function").inputs["environment"]
    return environment, built.warnings


def test_the_function_gets_the_hash_of_each_key_as_a_secret(build: Build) -> None:
    environment, _ = function(build, KEYS)

    assert values.is_secret(environment), "Pulumi's SDK reads what holds a secret as one"
    assert json.loads(values.unwrap(environment)["variables"]["CLIENT_KEY_HASHES"]) == HASHES
    assert environment == function(build, dict(reversed(KEYS.items())))[0], "another order is another deployment"


def test_the_graph_shows_neither_keys_nor_hashes(rows: list[dict[str, Any]]) -> None:
    (payments,) = (
        row
        for row in rows
        if row["type"] == "aws:lambda/function:Function" and row["inputs"]["handler"] == "payments.handler.handler"
    )

    assert payments["inputs"]["environment"] == "[secret]"
    assert not [each for each in (*KEYS.values(), *HASHES.values()) if each in json.dumps(rows)]


def test_a_key_changes_no_generated_name(rows: list[dict[str, Any]]) -> None:
    other = {"primary": {SETTING: {client: key[::-1] for client, key in KEYS.items()}, "api:access": "api-key"}}

    def names(found: list[dict[str, Any]]) -> dict[str, Any]:
        keys = ("id", "name", "bucket", "layerName")
        return {row["urn"]: {key: row["outputs"].get(key) for key in keys} for row in found}

    assert names(graph("dev", PROGRAMS[:1], config_overrides=other, secret_keys=SECRETS)) == names(rows)


def test_without_keys_the_function_gets_none_and_the_deployment_warns(build: Build) -> None:
    environment, (warning,) = function(build, {})

    assert environment["variables"]["CLIENT_KEY_HASHES"] == "{}"
    assert "anyone who finds the accelerator can pay" in warning
    assert "pulumi config set --secret api:clientKeys" in warning


def test_with_keys_there_is_nothing_to_warn_of(build: Build) -> None:
    assert function(build, KEYS)[1] == []


def test_the_most_clients_fit_into_the_functions_environment(build: Build) -> None:
    """4 KB in all [LAMBDA-21], with the longest names that the settings allow."""
    longest = {
        "dr:suffix": "dr-prod-long",
        "dr:primaryRegion": "ap-northeast-1",
        "dr:secondaryRegion": "ap-southeast-1",
    }
    variables = values.unwrap(function(build, KEYS, longest)[0])["variables"]
    others = sum(len(f"{key}{value}") for key, value in variables.items() if key != "CLIENT_KEY_HASHES")

    assert others + len("CLIENT_KEY_HASHES") + LIMIT <= 4096


def test_more_clients_than_fit_are_refused() -> None:
    def clients(count: int) -> dict[str, str]:
        return {f"client-{number:02}": f"{number:02}" + "k" * 40 for number in range(count)}

    assert not list(problems(clients(25)))
    (problem,) = problems(clients(40))
    assert "40 clients take 3240 of 2500 bytes" in problem
