"""Faults between regions that are both available: what functions reach, what replicates, and what clients notice."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.local.embedded import (
    EAST_1,
    EAST_2,
    TIMEOUT,
    LocalAws,
    deploy_function,
    eventually,
    make_table,
    put,
    value_of,
)

# Reads from a table in each region of the event, for as many seconds as that gives, and returns who responded.
ASK = """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    def handler(event, context):
        print("called")
        answered = {}
        for region, seconds in event["regions"].items():
            once = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1})
            try:
                client = boto3.client("dynamodb", region_name=region, config=once)
                client.get_item(TableName=event["table"], Key={"id": {"S": "any"}})
                answered[region] = "yes"
            except (BotoCoreError, ClientError) as error:
                answered[region] = type(error).__name__
        return answered
"""

# Calls an endpoint by its name, as an external client would, through the configured egress proxy.
KNOCK = """
    import urllib3

    def handler(event, context):
        print("called")
        import os
        with urllib3.ProxyManager(os.environ["HTTPS_PROXY"], cert_reqs="CERT_NONE") as pool:
            answers = []
            for endpoint in event["endpoints"]:
                try:
                    answer = pool.request("GET", f"https://{endpoint}/live/", retries=False, timeout=12)
                    answers.append(answer.status < 500)
                except urllib3.exceptions.HTTPError:
                    answers.append(False)
        return answers
"""

PATIENT = 12.0
"""Seconds for an answer that comes; two of them fit into a function's time limit."""


@pytest.fixture
def joined(aws: LocalAws) -> Iterator[LocalAws]:
    """The shared embedded AWS, its regions joined again at the end."""
    yield aws
    aws.control("heal-partition", {"between": [EAST_1, EAST_2]})


def invoke(aws: LocalAws, name: str, event: Any, region: str) -> Any:
    answer = aws.client("lambda", region, read_timeout=60).invoke(FunctionName=name, Payload=json.dumps(event))
    found = json.load(answer["Payload"])
    assert "FunctionError" not in answer, found
    return found


def test_regions_that_are_cut_off_reach_neither_each_others_aws_nor_replicate_until_joined(
    joined: LocalAws, name: str
) -> None:
    aws = joined
    make_table(aws, name, replica=EAST_2)
    for region in (EAST_1, EAST_2):
        deploy_function(aws, name, ASK, region)
    ask = {"table": name, "regions": {EAST_1: PATIENT, EAST_2: PATIENT}}
    assert invoke(aws, name, ask, EAST_2) == {EAST_1: "yes", EAST_2: "yes"}

    aws.control("partition", {"between": [EAST_1, EAST_2]})

    assert aws.status()["faults"]["partitions"] == [[EAST_1, EAST_2]]
    for region, other in ((EAST_1, EAST_2), (EAST_2, EAST_1)):
        cut = {"table": name, "regions": {region: PATIENT, other: 0.5}}
        assert invoke(aws, name, cut, region) == {region: "yes", other: "ReadTimeoutError"}
    put(aws, name, "from-1", "one", EAST_1)
    put(aws, name, "from-2", "two", EAST_2)
    time.sleep(0.5)
    assert (value_of(aws, name, "from-1", EAST_2), value_of(aws, name, "from-2", EAST_1)) == (None, None)

    aws.control("heal-partition", {"between": [EAST_1, EAST_2]})

    assert eventually(lambda: value_of(aws, name, "from-1", EAST_2)) == "one"
    assert eventually(lambda: value_of(aws, name, "from-2", EAST_1)) == "two"
    assert invoke(aws, name, ask, EAST_2) == {EAST_1: "yes", EAST_2: "yes"}


def test_a_call_that_hangs_at_a_cut_ends_with_the_cut(joined: LocalAws, name: str) -> None:
    deploy_function(joined, name, ASK, EAST_2)
    joined.control("partition", {"between": [EAST_2, EAST_1], "kind": "reset"})

    answered = invoke(joined, name, {"table": name, "regions": {EAST_1: PATIENT}}, EAST_2)

    assert answered == {EAST_1: "ConnectionClosedError"}


def test_functions_of_an_isolated_region_cannot_reach_the_other_regions_endpoints_only(
    planes: LocalAws, name: str
) -> None:
    make_table(planes, name)
    endpoints = []
    for region in (EAST_1, EAST_2):
        api = planes.client("apigateway", region).create_rest_api(name=name)["id"]
        endpoints.append(f"{api}.execute-api.{region}.amazonaws.com")
    deploy_function(planes, name, ASK, EAST_2)
    deploy_function(planes, f"{name}-knocks", KNOCK, EAST_2)
    assert invoke(planes, f"{name}-knocks", {"endpoints": endpoints}, EAST_2) == [True, True]

    planes.control("isolate-functions", {"region": EAST_2})

    assert planes.status()["faults"]["isolated"] == [EAST_2]
    assert invoke(planes, f"{name}-knocks", {"endpoints": endpoints}, EAST_2) == [False, True]
    assert invoke(planes, name, {"table": name, "regions": {EAST_1: PATIENT}}, EAST_2) == {EAST_1: "yes"}

    planes.control("reconnect-functions", {"region": EAST_2})

    assert invoke(planes, f"{name}-knocks", {"endpoints": endpoints}, EAST_2) == [True, True]


@pytest.fixture
def served(aws: LocalAws, name: str) -> Iterator[LocalAws]:
    """The shared embedded AWS with a table `name` in both regions; no service is out at the end."""
    make_table(aws, name, replica=EAST_2)
    yield aws
    for region in (EAST_1, EAST_2):
        aws.control("service", {"region": region, "service": "dynamodb", "fault": None})


def test_a_service_that_is_out_answers_nobody_in_its_region_and_the_rest_works(served: LocalAws, name: str) -> None:
    deploy_function(served, name, ASK, EAST_2)
    ask = {"table": name, "regions": {EAST_1: PATIENT, EAST_2: PATIENT}}

    served.control("service", {"region": EAST_1, "service": "dynamodb", "fault": "error"})

    assert served.status()["faults"]["services"] == [{"region": EAST_1, "service": "dynamodb", "kind": "error"}]
    with pytest.raises(ClientError) as caught:
        put(served, name, "a", "one", EAST_1)
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert invoke(served, name, ask, EAST_2) == {EAST_1: "ClientError", EAST_2: "yes"}
    assert served.client("sqs", EAST_1).list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    put(served, name, "b", "two", EAST_2)

    served.control("service", {"region": EAST_1, "service": "dynamodb", "fault": None})

    assert value_of(served, name, "a", EAST_1) is None, "a refused write is not done"
    assert eventually(lambda: value_of(served, name, "b", EAST_1)) == "two", "replication goes on"
    assert served.status()["faults"]["services"] == []


def test_a_call_to_a_service_that_hangs_ends_with_the_outage(served: LocalAws, name: str) -> None:
    deploy_function(served, name, ASK, EAST_2)
    served.control("service", {"region": EAST_1, "service": "dynamodb", "fault": "hang"})
    assert invoke(served, name, {"table": name, "regions": {EAST_1: 0.5}}, EAST_2) == {EAST_1: "ReadTimeoutError"}

    with ThreadPoolExecutor(max_workers=1) as calls:
        hung = calls.submit(put, served, name, "a", "one", EAST_1)
        assert eventually(lambda: served.refused(EAST_1).get("control:dynamodb", 0) >= 2)
        served.control("service", {"region": EAST_1, "service": "dynamodb", "fault": None})
        assert isinstance(hung.exception(TIMEOUT), ConnectionClosedError)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"region": EAST_1, "service": "payments", "fault": "error"}, "service 'payments' is not emulated"),
        ({"region": "mars", "service": "events", "fault": "error"}, "region mars is not on this machine"),
        ({"region": EAST_1, "service": "events", "fault": "slow"}, "'slow' is not a valid OutageKind"),
    ],
)
def test_an_invalid_service_fault_is_rejected_with_the_reason(aws: LocalAws, wanted: Any, reason: str) -> None:
    answer = httpx.post(f"{aws.server.control}/service", json=wanted, timeout=TIMEOUT)

    assert (answer.status_code, reason in answer.json()["error"]) == (400, True), answer.text


def test_an_invalid_database_fault_is_rejected_with_the_reason(planes: LocalAws) -> None:
    assert planes.control("lag", {"seconds": 30}) == {"seconds": 30}
    assert planes.control("lag", {"seconds": None}) == {"seconds": None}
    assert planes.control("database", {"region": EAST_2, "fault": None}) == {"region": EAST_2, "fault": None}
    for what, content, error in (
        ("lag", {"seconds": -1}, "seconds is -1; a number of AWS seconds or null is needed"),
        ("database", {"region": "mars-1"}, "region 'mars-1' is not on this machine; use us-east-1 or us-east-2"),
        ("database", {"region": EAST_1, "fault": "fire"}, "fault 'fire' is unknown; use \"down\" or null"),
        (
            "database",
            {"region": EAST_1, "fault": "down", "seconds": "3"},
            "seconds is '3'; a number of AWS seconds is needed",
        ),
    ):
        answer = httpx.post(f"{planes.server.control}/{what}", json=content)
        assert (answer.status_code, answer.json()) == (400, {"error": error})
