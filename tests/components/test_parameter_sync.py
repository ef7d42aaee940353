"""The synchronization of parameters, and the parameters that an environment starts with."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.compute.function import SOURCES
from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.network.vpc import Network, NetworkArgs
from components.storage.parameters import SeededParameters, SeededParametersArgs
from components.workload import parameter_sync
from components.workload.context import FunctionContext
from components.workload.parameter_sync import ParameterSync, ParameterSyncArgs, reconciliation_schedule
from shared.naming import Names
from shared.places import Place
from shared.settings import RegionSettings, load
from tests.components.documents import allowed_to, refuses_plain_http, statements
from tests.recorder import Built, plain

Build = Callable[[Callable[[], object]], Built]
ACCOUNT = "000000000000"
KEY = "arn:aws:kms:us-east-1:000000000000:key/data"


def sync(place: Place = Place.PRIMARY, settings: Mapping[str, str] = MappingProxyType({})) -> Callable[[], None]:
    def program() -> None:
        given = load(RegionSettings, settings, stack="dev")
        region = given.region(place)
        opts = pulumi.ResourceOptions(providers=[aws.Provider(str(place), region=region)])
        zones = [f"{region}a", f"{region}b"]
        network = NetworkArgs(name="vpc", region=region, cidr="10.0.0.0/16", zones=zones, nat="none")
        context = FunctionContext(
            place=place,
            settings=given,
            account=ACCOUNT,
            network=Network("network", network, opts=opts),
            key_arn=KEY,
            dead_letters=DeadLetterQueue("dead", DeadLetterQueueArgs(name="dead", key_arn=KEY), opts=opts),
            topic_arn="arn:aws:sns:::topic",
            layers=[],
        )
        made = ParameterSync("parameters", ParameterSyncArgs(context=context), opts=opts)
        pulumi.export(
            "monitored",
            [[alarm.metric for alarm in each.alarms] for each in [made.function.monitored, *made.monitored_queues]],
        )

    return program


def patterns(built: Built) -> dict[str, dict[str, Any]]:
    return {rule.inputs["name"]: json.loads(rule.inputs["eventPattern"]) for rule in built.all("EventRule")}


def test_events_of_the_prefix_go_to_the_queue_but_for_the_regions_own(build: Build) -> None:
    built = build(sync())

    changes = patterns(built)["rule-parameters-primary-dev"]
    assert changes["detail"] == {"name": [{"prefix": "/app/dev/"}]}
    own = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/app/dev/local/"
    assert changes["resources"] == [{"anything-but": {"prefix": own}}]
    queue = built.one("aws:sqs/queue:Queue", "parameters-changes")
    assert {target.inputs["arn"] for target in built.all("EventTarget")} == {f"arn:aws:test:::{queue.name}"}
    assert all(rule.inputs.get("eventBusName") is None for rule in built.all("EventRule")), "AWS's events go to default"


def test_our_own_stamp_on_a_parameter_is_no_news(build: Build) -> None:
    tags = patterns(build(sync()))["rule-parameter-tags-primary-dev"]

    assert tags["detail"]["changed-tag-keys"] == [{"anything-but": [parameter_sync.STAMP]}]
    written = (SOURCES / "parameter_sync" / "parameter.py").read_text()
    assert f'TAG = "{parameter_sync.STAMP}"' in written, "the function writes another tag"


def test_the_queue_takes_from_our_rules_only_and_gives_up_into_a_queue_of_its_own(build: Build) -> None:
    built = build(sync())
    queue = built.one("aws:sqs/queue:Queue", "parameters-changes").inputs
    policy = statements(built, "QueuePolicy", "parameters-events-senders")

    (allowed,) = allowed_to("events.amazonaws.com", policy)
    rules = [f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}" for name in patterns(built)]
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": rules}}
    assert refuses_plain_http(policy, "sqs:*")
    assert queue["kmsMasterKeyId"] == KEY
    assert json.loads(queue["redrivePolicy"])["deadLetterTargetArn"] == "arn:aws:test:::parameters-dead-queue"
    timeout = built.one("aws:lambda/function:Function").inputs["timeout"]
    assert queue["visibilityTimeoutSeconds"] >= 6 * timeout, "what Lambda asks for [LAMBDA-7]"


def test_a_message_that_fails_comes_again_alone(build: Build) -> None:
    mapping = build(sync()).one("EventSourceMapping").inputs

    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["scalingConfig"] == {"maximumConcurrency": 2}


def test_the_regions_reconcile_in_turns(build: Build) -> None:
    when = [build(sync(place)).one("Schedule").inputs["scheduleExpression"] for place in Place]

    assert when == ["cron(0/15 * * * ? *)", "cron(7/15 * * * ? *)"]


def test_the_function_may_touch_both_regions_parameters_and_neithers_own(build: Build) -> None:
    found = statements(build(sync()), "RolePolicy", "parameter_sync-policy")
    ours = [each for each in found if any("parameter/app/dev" in str(arn) for arn in each["Resource"])]

    allowed, denied = ours
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    regions = ("us-east-1", "us-east-2")
    assert allowed["Resource"] == [f"arn:aws:ssm:{each}:{ACCOUNT}:parameter/app/dev/*" for each in regions]
    assert denied["Resource"] == [f"arn:aws:ssm:{each}:{ACCOUNT}:parameter/app/dev/local/*" for each in regions]
    assert denied["Action"] == allowed["Action"]


def test_keys_are_used_through_parameter_store_and_by_their_alias_only(build: Build) -> None:
    found = statements(build(sync()), "RolePolicy", "parameter_sync-policy")

    (keys,) = [each for each in found if "kms:Encrypt" in each["Action"]]
    assert keys["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/key-data-dev"]},
        "StringEquals": {"kms:ViaService": ["ssm.us-east-1.amazonaws.com", "ssm.us-east-2.amazonaws.com"]},
    }


def test_both_functions_know_each_others_writing_by_the_roles_they_run_under(build: Build) -> None:
    variables = {}
    for place in Place:
        built = build(sync(place))
        variables[built.one("Role", "parameter_sync-role").inputs["name"]] = plain(
            built.one("aws:lambda/function:Function")
        )["environment"]

    roles = {environment["variables"]["COPIER_ROLES"] for environment in variables.values()}
    assert roles == {",".join(variables)}


def test_everything_that_can_fail_is_watched(build: Build) -> None:
    metrics = [metric for each in build(sync()).exports["monitored"] for metric in each]

    assert {"Errors", "Throttles", "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"} <= set(
        metrics
    )


@pytest.mark.parametrize(("given", "made"), [("standard", 0), ("high", 1)])
def test_higher_throughput_is_paid_for_only_when_asked_for(build: Build, given: str, made: int) -> None:
    assert len(build(sync(settings={"parameters:throughput": given})).all("ServiceSetting")) == made


def seeds(**secrets: str) -> Callable[[], None]:
    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        SeededParameters(
            "seeds",
            SeededParametersArgs(
                names=Names("dev"),
                key_arn=KEY,
                writer_endpoint="writer.example",
                writer_region="us-east-1",
                flags={"instant-payments": False},
                secrets=secrets,
            ),
            opts=pulumi.ResourceOptions(providers=[provider]),
        )

    return program


def test_an_environment_starts_with_what_r5_names(build: Build) -> None:
    made = {each.inputs["name"]: plain(each) for each in build(seeds()).all("aws:ssm/parameter:Parameter")}

    assert {name: each.get("insecureValue") for name, each in made.items()} == {
        "/app/dev/database/writer-endpoint": "writer.example",
        "/app/dev/database/writer-region": "us-east-1",
        "/app/dev/flags/instant-payments": "off",
        "/app/dev/external/api-key": None,
    }
    assert (made["/app/dev/external/api-key"]["type"], made["/app/dev/external/api-key"]["keyId"]) == (
        "SecureString",
        KEY,
    )


def test_what_others_write_later_is_never_changed_back(build: Build) -> None:
    for each in build(seeds()).all("aws:ssm/parameter:Parameter"):
        assert {"value", "insecureValue", "tags"} <= set(each.options["ignore_changes"])


def test_a_secret_that_is_given_is_not_drawn(build: Build) -> None:
    built = build(seeds(**{"external/api-key": "given", "external/other": "too"}))

    assert built.all("RandomPassword") == []
    assert len(built.all("aws:ssm/parameter:Parameter")) == 5


@pytest.mark.parametrize(("minutes", "expected"), [(5, "2/5"), (30, "15/30"), (60, "30")])
def test_the_secondary_reconciles_in_between(minutes: int, expected: str) -> None:
    assert reconciliation_schedule(Place.SECONDARY, minutes) == f"cron({expected} * * * ? *)"
