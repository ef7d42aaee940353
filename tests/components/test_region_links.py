"""What the global stack connects in a region: the stream, the schedule, the addresses."""

import json
from collections.abc import Callable

import pulumi
import pulumi_aws as aws

from components.region.links import EndpointUrls, RegionLinks, RegionLinksArgs
from shared.naming import Names
from shared.places import Place
from tests.components.documents import statements
from tests.recorder import Built, plain

Build = Callable[[Callable[[], object]], Built]
ACCOUNT = "000000000000"
KEY = f"arn:aws:kms:us-east-2:{ACCOUNT}:key/data"
SENTINEL = f"arn:aws:lambda:us-east-2:{ACCOUNT}:function:function-sentinel-secondary-dev"
QUEUE = f"arn:aws:sqs:us-east-2:{ACCOUNT}:queue-dead-letters-secondary-dev"


def program() -> None:
    RegionLinks(
        "links-secondary",
        RegionLinksArgs(
            place=Place.SECONDARY,
            region="us-east-2",
            account=ACCOUNT,
            names=Names("dev"),
            stream_arn=f"arn:aws:dynamodb:us-east-2:{ACCOUNT}:table/table-journal-dev/stream/2026",
            ledger="function-ledger-secondary-dev",
            sentinel="function-sentinel-secondary-dev",
            sentinel_arn=SENTINEL,
            dead_letter_arn=QUEUE,
            topic_arn=f"arn:aws:sns:us-east-2:{ACCOUNT}:topic",
            key_arn=KEY,
            endpoints={
                "us-east-1": EndpointUrls(load_balancer="https://nlb-1", api="https://api-1/v1"),
                "us-east-2": EndpointUrls(load_balancer="https://nlb-2", api="https://api-2/v1"),
            },
            event_endpoint_id="abc.veo",
        ),
        opts=pulumi.ResourceOptions(providers=[aws.Provider("secondary", region="us-east-2")]),
    )


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


def test_the_sentinel_is_called_every_minute_and_a_late_call_is_dropped(build: Build) -> None:
    schedule = build(program).one("Schedule").inputs

    assert schedule["scheduleExpression"] == "rate(1 minutes)"
    assert schedule["target"]["arn"] == SENTINEL
    assert schedule["target"]["retryPolicy"]["maximumRetryAttempts"] == 0
    assert schedule["target"]["deadLetterConfig"]["arn"] == QUEUE


def test_the_schedule_may_call_the_sentinel_and_nothing_else(build: Build) -> None:
    built = build(program)
    allowed = {action: each["Resource"] for each in statements(built, "RolePolicy") for action in each["Action"]}
    trust = json.loads(built.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]

    assert allowed["lambda:InvokeFunction"] == [SENTINEL]
    assert set(allowed) == {"lambda:InvokeFunction", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_both_regions_doors_are_named_where_no_copy_reaches(build: Build) -> None:
    parameters = {each.inputs["name"]: plain(each)["value"] for each in build(program).all("Parameter")}

    assert parameters["/app/dev/local/endpoints/us-east-1/load-balancer"] == "https://nlb-1"
    assert parameters["/app/dev/local/endpoints/us-east-2/api"] == "https://api-2/v1"
    assert all(name.startswith("/app/dev/local/") for name in parameters), "the other region would get ours"


def test_a_sentinel_that_nobody_calls_is_noticed(build: Build) -> None:
    alarm = build(program).one("MetricAlarm").inputs

    assert (alarm["metricName"], alarm["treatMissingData"]) == ("Invocations", "breaching")
