"""The links of the global stack in a region: the stream, the schedule, the addresses."""

import json
from collections.abc import Callable

import pulumi
import pytest

from components.global_stack.links import RegionLinks, RegionLinksArgs
from components.storage.journal_table import Journal, JournalArgs
from shared.places import Place
from shared.settings import GlobalSettings, load
from tests.components.answers import answer
from tests.handles import REGIONS, handles
from tests.recorder import Built, plain

Build = Callable[[Callable[[], object]], Built]
ACCOUNT = "000000000000"
KEY = f"arn:aws:kms:us-east-2:{ACCOUNT}:key/data"
SENTINEL = f"arn:aws:lambda:us-east-2:{ACCOUNT}:function:function-sentinel-secondary-dev"
ANNOUNCER = f"arn:aws:lambda:us-east-2:{ACCOUNT}:function:function-announcer-secondary-dev"
LEDGER = f"arn:aws:lambda:us-east-2:{ACCOUNT}:function:function-ledger-secondary-dev"
QUEUE = f"arn:aws:sqs:us-east-2:{ACCOUNT}:queue-dead-letters-secondary-dev"


def outputs(place: Place) -> dict[str, str]:
    return {
        "account": ACCOUNT,
        "compute.functions.ledger.name": f"function-ledger-{place}-dev",
        "compute.functions.ledger.arn": LEDGER,
        "compute.functions.sentinel.arn": SENTINEL,
        "compute.functions.announcer.arn": ANNOUNCER,
        "messaging.dead_letter_arn": QUEUE,
        "storage.data_key_arn": KEY,
        "ingress.nlb_dns_name": f"nlb-{place}",
        "ingress.alb_dns_name": f"alb-{place}",
        "ingress.api_url": f"https://api-{place}/v1",
    }


def program(nat: str = "one") -> None:
    settings = load(GlobalSettings, {"network:nat": nat}, stack="dev")
    regions = handles({place: outputs(place) for place in Place})
    at = {place: pulumi.ResourceOptions(providers=[regions[place].provider]) for place in Place}
    RegionLinks(
        "links-secondary",
        RegionLinksArgs(
            settings=settings,
            regions=regions,
            place=Place.SECONDARY,
            journal=Journal("journal", JournalArgs(settings=settings, regions=regions), opts=at[Place.PRIMARY]),
            event_endpoint_id="abc.veo",
        ),
        opts=at[Place.SECONDARY],
    )


@pytest.fixture(autouse=True)
def streams(monkeypatch: pytest.MonkeyPatch) -> None:
    replicas = [{"regionName": "us-east-2", "streamArn": "arn:stream"}]
    answer(monkeypatch, "Table", streamArn="arn:stream", replicas=replicas)


def test_a_ledger_that_may_not_post_loses_no_batch(build: Build) -> None:
    mapping = build(program).one("EventSourceMapping").inputs

    assert (mapping["maximumRetryAttempts"], mapping["maximumRecordAgeInSeconds"]) == (-1, -1), "a limit drops payments"
    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["startingPosition"] == "TRIM_HORIZON", "what was paid before the mapping was made counts too"


def test_the_ledger_is_called_for_payments_alone(build: Build) -> None:
    (given,) = build(program).one("EventSourceMapping").inputs["filterCriteria"]["filters"]

    assert json.loads(given["pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "payment#"}]}}},
    }


CALLED = {
    "minute": (SENTINEL, None),
    "catch-up": (LEDGER, {"operation": "catch-up"}),
    "sweep": (ANNOUNCER, {"operation": "sweep"}),
}


@pytest.mark.parametrize("name", CALLED)
def test_a_function_is_called_every_minute_and_a_late_call_is_dropped(build: Build, name: str) -> None:
    (schedule,) = [each.inputs for each in build(program).all("Schedule") if f"-{name}-" in each.name]
    function, payload = CALLED[name]

    assert schedule["scheduleExpression"] == "rate(1 minutes)"
    assert schedule["target"]["arn"] == function
    assert json.loads(schedule["target"].get("input") or "null") == payload
    assert schedule["target"]["retryPolicy"]["maximumRetryAttempts"] == 0
    assert schedule["target"]["deadLetterConfig"]["arn"] == QUEUE


@pytest.mark.parametrize("name", CALLED)
def test_a_schedule_may_call_its_function_and_nothing_else(build: Build, name: str) -> None:
    built = build(program)
    (policy,) = [each for each in built.all("RolePolicy") if f"-{name}-" in each.name]
    (role,) = [each for each in built.all("aws:iam/role:Role") if f"-{name}-" in each.name]
    allowed = {
        action: each["Resource"]
        for each in json.loads(policy.inputs["policy"])["Statement"]
        for action in each["Action"]
    }
    trust = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]

    assert allowed["lambda:InvokeFunction"] == [CALLED[name][0]]
    assert set(allowed) == {"lambda:InvokeFunction", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_both_regions_endpoints_are_stored_where_no_copy_reaches(build: Build) -> None:
    parameters = {each.inputs["name"]: plain(each)["value"] for each in build(program).all("Parameter")}

    assert parameters["/app/dev/local/endpoints/us-east-1/load-balancer"] == "https://nlb-primary"
    assert parameters["/app/dev/local/endpoints/us-east-2/api"] == "https://api-secondary/v1"
    assert all(name.startswith("/app/dev/local/") for name in parameters), "the other region would get ours"


def test_without_nat_both_endpoints_are_the_load_balancer_that_is_reached_from_inside(build: Build) -> None:
    built = build(lambda: program(nat="none"))
    parameters = {each.inputs["name"]: plain(each)["value"] for each in built.all("Parameter")}

    for place, region in REGIONS.items():
        found = {parameters[f"/app/dev/local/endpoints/{region}/{each}"] for each in ("load-balancer", "api")}
        assert found == {f"https://alb-{place}"}


@pytest.mark.parametrize("name", ["links-secondary-silent", "links-secondary-sweep-silent"])
def test_a_function_that_its_schedule_does_not_call_is_noticed(build: Build, name: str) -> None:
    alarm = build(program).one("MetricAlarm", name).inputs

    assert (alarm["metricName"], alarm["treatMissingData"]) == ("Invocations", "breaching")
