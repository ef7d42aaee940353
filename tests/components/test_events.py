"""The event bus of a region, and the global endpoint of both."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.messaging.events import EventBus, EventBusArgs, EventEndpoint, EventEndpointArgs, bus_arn, endpoint_id
from shared.naming import Names
from shared.places import Place
from tests.components.answers import answer
from tests.components.documents import statements
from tests.handles import REGIONS, handles
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
ENDPOINT = "aws:cloudwatch/eventEndpoint:EventEndpoint"
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic-primary-dev"


@pytest.fixture(autouse=True)
def url(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "EventEndpoint", endpointUrl="https://abcde.veo.endpoint.events.amazonaws.com/")


def key(place: Place) -> str:
    return f"arn:aws:kms:{REGIONS[place]}:000000000000:key/{place}"


def arn(place: Place) -> str:
    return f"arn:aws:events:{REGIONS[place]}:000000000000:event-bus/bus-dev"


def bus(region: str) -> Callable[[], None]:
    def program() -> None:
        provider = aws.Provider("here", region=region)
        args = EventBusArgs(name="bus-dev", key_arn="arn:key", dead_letter_arn="arn:queue")
        EventBus("bus", args, opts=pulumi.ResourceOptions(providers=[provider]))

    return program


def endpoint() -> None:
    regions = handles(
        {
            place: {
                "account": "000000000000",
                "messaging.bus_arn": arn(place),
                "messaging.topic_arn": f"arn:aws:sns:{REGIONS[place]}:000000000000:topic-{place}-dev",
                "storage.data_key_arn": key(place),
            }
            for place in Place
        }
    )
    args = EventEndpointArgs(names=Names("dev"), regions=regions, nlb_check_id="nlb-check")
    EventEndpoint("events", args, opts=pulumi.ResourceOptions(providers=[regions[Place.PRIMARY].provider]))


def check(built: Built, kind: str) -> Any:
    (found,) = [each for each in built.all("aws:route53/healthCheck:HealthCheck") if each.inputs["type"] == kind]
    return found


def test_a_bus_has_the_same_name_and_its_own_key_in_either_region(build: Build) -> None:
    made = [build(bus(region)).one("aws:cloudwatch/eventBus:EventBus").inputs for region in REGIONS.values()]

    assert made[0] == made[1]
    assert made[0]["name"] == "bus-dev"
    assert made[0]["kmsKeyIdentifier"] == "arn:key"
    assert made[0]["deadLetterConfig"] == {"arn": "arn:queue"}, "events that cannot be decrypted would be lost"


def test_the_arn_of_a_bus_is_known_before_it_is_made(build: Build) -> None:
    built = build(lambda: pulumi.export("arn", bus_arn("us-east-2", "000000000000", "bus-dev")))

    assert built.exports["arn"] == arn(Place.SECONDARY)


def test_events_go_to_the_primary_bus_until_its_health_check_fails(build: Build) -> None:
    made = build(endpoint).one(ENDPOINT)

    assert made.inputs["eventBuses"] == [{"eventBusArn": arn(Place.PRIMARY)}, {"eventBusArn": arn(Place.SECONDARY)}]
    failover = made.inputs["routingConfig"]["failoverConfig"]
    assert failover["primary"] == {"healthCheck": "arn:aws:test:::events-primary"}
    assert failover["secondary"] == {"route": "us-east-2"}, "a region's name [EVENTS-2]"
    assert made.provider.endswith("::primary")


def test_events_reach_both_buses(build: Build) -> None:
    made = build(endpoint).one(ENDPOINT)

    assert made.inputs["replicationConfig"] == {"state": "ENABLED"}
    assert made.inputs["roleArn"] == "arn:aws:test:::events-role"


def test_the_health_check_fails_when_events_are_late_or_the_region_is_gone(build: Build) -> None:
    built = build(endpoint)

    both = check(built, "CALCULATED").inputs
    assert set(both["childHealthchecks"]) == {"events-latency-id", "nlb-check"}
    assert both["childHealthThreshold"] == 2
    assert (
        built.one(ENDPOINT)
        .inputs["routingConfig"]["failoverConfig"]["primary"]["healthCheck"]
        .endswith(check(built, "CALCULATED").name)
    )


def test_the_latency_check_follows_an_alarm_of_the_primary_region(build: Build) -> None:
    built = build(endpoint)

    latency = check(built, "CLOUDWATCH_METRIC").inputs
    alarm = built.one("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert latency["cloudwatchAlarmName"] == alarm.inputs["name"]
    assert latency["cloudwatchAlarmRegion"] == "us-east-1"
    assert alarm.inputs["metricName"] == "IngestionToInvocationStartLatency"
    assert alarm.inputs.get("dimensions", {}) == {}, "the metric has none [EVENTS-7]"
    assert (alarm.inputs["statistic"], alarm.inputs["threshold"]) == ("Average", 30_000)
    assert alarm.inputs["alarmActions"] == [TOPIC]


def test_a_quiet_bus_stays_where_it_is(build: Build) -> None:
    """Missing data as missing goes with the last known status [EVENTS-6]."""
    built = build(endpoint)

    assert built.one("MetricAlarm").inputs["treatMissingData"] == "missing"
    assert check(built, "CLOUDWATCH_METRIC").inputs["insufficientDataHealthStatus"] == "LastKnownStatus"


def test_a_change_of_the_alarm_reaches_the_health_check(build: Build) -> None:
    """Route 53 copies the alarm when the check is made [R53-7]."""
    built = build(endpoint)

    triggers, alarm = check(built, "CLOUDWATCH_METRIC").inputs["triggers"], built.one("MetricAlarm").inputs
    assert {name: float(value) for name, value in triggers.items()} == {
        "evaluation_periods": alarm["evaluationPeriods"],
        "period": alarm["period"],
        "threshold": alarm["threshold"],
    }


def test_the_role_may_replicate_and_no_more(build: Build) -> None:
    built = build(endpoint)

    found = statements(built, "aws:iam/rolePolicy:RolePolicy")
    rules = [
        f"arn:aws:events:{region}:000000000000:rule/bus-dev/GlobalEndpointManagedRule-*" for region in REGIONS.values()
    ]
    assert {action: each["Resource"] for each in found for action in each["Action"]} == {
        "events:PutRule": rules,
        "events:PutTargets": rules,
        "events:DeleteRule": rules,
        "events:RemoveTargets": rules,
        "events:PutEvents": [arn(place) for place in Place],
        "iam:PassRole": ["arn:aws:test:::events-role"],
        "kms:Decrypt": [key(place) for place in Place],
    }
    (passing,) = [each for each in found if each["Action"] == ["iam:PassRole"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}
    trusted = json.loads(built.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]["Principal"]
    assert trusted == {"Service": "events.amazonaws.com"}
    assert built.one("RolePolicy").urn in built.one(ENDPOINT).options["depends_on"]


def test_an_endpoints_id_is_the_part_of_its_url_that_publishers_need() -> None:
    assert endpoint_id("https://abcde.veo.endpoint.events.amazonaws.com/") == "abcde.veo"


def test_another_url_has_no_endpoints_id() -> None:
    with pytest.raises(ValueError, match="is not the URL of an event endpoint"):
        endpoint_id("https://events.us-east-1.amazonaws.com/")
