"""Global endpoints of event buses, and buses of other regions as targets. An AWS minute lasts half a second here."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually

REGIONS = (EAST_1, EAST_2)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


@dataclass(frozen=True)
class Buses:
    """A bus of one name in each region, with a queue that gets its events, and the check that watches the first."""

    aws: LocalAws
    name: str
    queues: dict[str, str]
    alarm: str
    check: str

    def arn(self, region: str) -> str:
        return f"arn:aws:events:{region}:{ACCOUNT}:event-bus/{self.name}"

    def make_endpoint(self, replication: str = "ENABLED", **settings: Any) -> dict[str, Any]:
        check = f"arn:aws:route53:::healthcheck/{self.check}"
        given = {
            "Name": self.name,
            "EventBuses": [{"EventBusArn": self.arn(region)} for region in REGIONS],
            "RoutingConfig": {"FailoverConfig": {"Primary": {"HealthCheck": check}, "Secondary": {"Route": EAST_2}}},
            "ReplicationConfig": {"State": replication},
            "RoleArn": ROLE,
        }
        self.aws.client("events").create_endpoint(**{**given, **settings})
        made: dict[str, Any] = self.aws.client("events").describe_endpoint(Name=self.name)
        return made

    def publish(self, endpoint: str, detail: str, region: str = EAST_1, bus: str = "") -> dict[str, Any]:
        """As any AWS client does it: Signature Version 4A, for every region."""
        client: Any = boto3.client(
            "events",
            region_name=region,
            endpoint_url=self.aws.server.endpoint,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )
        entry = {"Source": "test", "DetailType": "t", "Detail": json.dumps({"is": detail})}
        answer: dict[str, Any] = client.put_events(
            EndpointId=endpoint, Entries=[{**entry, "EventBusName": bus or self.name}]
        )
        return answer

    def arrived(self, region: str) -> list[dict[str, Any]]:
        """Events that this region's rule delivered since the last call."""
        client = self.aws.client("sqs", region)
        found = client.receive_message(QueueUrl=self.queues[region], MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            client.delete_message(QueueUrl=self.queues[region], ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def fail(self) -> None:
        """Make the primary unwell: its alarm goes off, and stays so, since it ignores silence."""
        self.aws.client("cloudwatch").set_alarm_state(AlarmName=self.alarm, StateValue="ALARM", StateReason="drill")
        assert eventually(lambda: self._healthy() is False)

    def _healthy(self) -> bool | None:
        found = [each["healthy"] for each in self.aws.status()["health_checks"] if each["id"] == self.check]
        return bool(found[0]) if found else None


@pytest.fixture
def buses(planes: LocalAws, name: str) -> Buses:
    queues = {}
    for region in REGIONS:
        queues[region] = planes.client("sqs", region).create_queue(QueueName=name)["QueueUrl"]
        planes.client("events", region).create_event_bus(Name=name)
        send(planes, region, name, f"arn:aws:sqs:{region}:{ACCOUNT}:{name}", rule="deliver")
    alarm = {"AlarmName": name, "Namespace": "Test", "MetricName": name, "Statistic": "Sum", "Period": 60}
    limits = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    planes.client("cloudwatch").put_metric_alarm(**alarm, **limits, TreatMissingData="ignore")
    config = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Name": name, "Region": EAST_1}}
    check = planes.client("route53").create_health_check(
        CallerReference=uuid.uuid4().hex, HealthCheckConfig={**config, "InsufficientDataHealthStatus": "Healthy"}
    )
    return Buses(planes, name, queues, name, check["HealthCheck"]["Id"])


def send(aws: LocalAws, region: str, bus: str, target: str, *, rule: str, source: str = "test") -> None:
    """A rule that sends a source's events to `target`."""
    client = aws.client("events", region)
    client.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": [source]}))
    failed = client.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "1", "Arn": target, "RoleArn": ROLE}])
    assert not failed["FailedEntryCount"]


def details(events: list[dict[str, Any]]) -> list[str]:
    return [event["detail"]["is"] for event in events]


def test_an_endpoint_is_active_and_has_the_id_and_url_that_aws_gives(buses: Buses) -> None:
    made = buses.make_endpoint()

    assert made["State"] == "ACTIVE"
    assert made["EndpointId"].endswith(".veo")
    assert made["EndpointUrl"] == f"https://{made['EndpointId']}.endpoint.events.amazonaws.com/"
    assert made["EndpointId"] not in (made["Name"], buses.name)
    listed = buses.aws.client("events").list_endpoints(NamePrefix=buses.name)["Endpoints"]
    assert [endpoint["EndpointUrl"] for endpoint in listed] == [made["EndpointUrl"]]


def test_events_go_to_the_primary_wherever_they_come_from_and_are_copied(buses: Buses) -> None:
    endpoint = buses.make_endpoint()["EndpointId"]

    buses.publish(endpoint, "one", region=EAST_2)

    first = eventually(lambda: buses.arrived(EAST_1))
    copy = eventually(lambda: buses.arrived(EAST_2))
    assert (details(first), details(copy)) == (["one"], ["one"])
    assert (copy[0]["id"], copy[0]["region"]) == (first[0]["id"], EAST_1)


def test_without_replication_only_the_bus_that_is_well_gets_events(buses: Buses) -> None:
    endpoint = buses.make_endpoint(replication="DISABLED")["EndpointId"]
    buses.publish(endpoint, "before")
    assert details(eventually(lambda: buses.arrived(EAST_1))) == ["before"]
    buses.fail()

    buses.publish(endpoint, "after")

    assert details(eventually(lambda: buses.arrived(EAST_2))) == ["after"]
    assert buses.arrived(EAST_1) == []


def test_a_lost_primary_refuses_events_until_its_check_fails_and_gets_them_after_the_heal(buses: Buses) -> None:
    endpoint = buses.make_endpoint()["EndpointId"]
    buses.aws.client("events").update_endpoint(Name=buses.name, Description="watched")
    publish_fails = pytest.raises(ClientError, match="ServiceUnavailable")
    buses.aws.lose(EAST_1)
    with publish_fails:
        buses.publish(endpoint, "lost")
    buses.aws.heal(EAST_1)
    buses.fail()
    buses.aws.lose(EAST_1)

    buses.publish(endpoint, "kept")

    assert details(eventually(lambda: buses.arrived(EAST_2))) == ["kept"]
    buses.aws.heal(EAST_1)
    assert details(eventually(lambda: buses.arrived(EAST_1))) == ["kept"]


def test_an_endpoint_takes_events_for_its_own_bus_only_and_only_while_it_exists(buses: Buses) -> None:
    endpoint = buses.make_endpoint()["EndpointId"]

    with pytest.raises(ClientError, match="takes events for its bus"):
        buses.publish(endpoint, "astray", bus="default")
    buses.aws.client("events").delete_endpoint(Name=buses.name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        buses.publish(endpoint, "late")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"EventBuses": [f"arn:aws:events:{region}:{ACCOUNT}:event-bus/default" for region in REGIONS]}, "custom"),
        ({"EventBuses": [f"arn:aws:events:{region}:{ACCOUNT}:event-bus/{region}" for region in REGIONS]}, "one name"),
        ({"EventBuses": [f"arn:aws:events:{region}:{ACCOUNT}:event-bus/none" for region in REGIONS]}, "not exist"),
        ({"RoutingConfig": "SECONDARY"}, "must be the Region"),
        ({"RoutingConfig": EAST_1}, "must be the Region"),
        ({"RoleArn": None}, "RoleArn is needed"),
    ],
)
def test_an_endpoint_that_aws_would_refuse_is_refused(buses: Buses, settings: dict[str, Any], message: str) -> None:
    given = dict(settings)
    if "EventBuses" in given:
        given["EventBuses"] = [{"EventBusArn": arn} for arn in given["EventBuses"]]
    if "RoutingConfig" in given:
        check = {"HealthCheck": f"arn:aws:route53:::healthcheck/{buses.check}"}
        given["RoutingConfig"] = {
            "FailoverConfig": {"Primary": check, "Secondary": {"Route": settings["RoutingConfig"]}}
        }
    if given.get("RoleArn", ROLE) is None:
        with pytest.raises(ClientError, match=message):
            buses.aws.client("events").create_endpoint(
                Name=buses.name,
                EventBuses=[{"EventBusArn": buses.arn(region)} for region in REGIONS],
                RoutingConfig={"FailoverConfig": {"Primary": {"HealthCheck": "arn"}, "Secondary": {"Route": EAST_2}}},
            )
        return
    with pytest.raises(ClientError, match=message):
        buses.make_endpoint(**given)


def test_a_rule_reaches_the_bus_of_another_region(buses: Buses) -> None:
    send(buses.aws, EAST_1, "default", buses.arn(EAST_2), rule=buses.name, source=buses.name)
    send(buses.aws, EAST_2, buses.name, f"arn:aws:sqs:{EAST_2}:{ACCOUNT}:{buses.name}", rule="x", source=buses.name)

    entry = {"Source": buses.name, "DetailType": "t", "Detail": '{"is": "far"}'}
    answer = buses.aws.client("events").put_events(Entries=[entry])

    [event] = eventually(lambda: buses.arrived(EAST_2))
    assert (event["detail"], event["id"], event["region"]) == ({"is": "far"}, answer["Entries"][0]["EventId"], EAST_1)


def test_what_is_sent_to_a_lost_region_arrives_after_the_heal(buses: Buses) -> None:
    send(buses.aws, EAST_1, buses.name, buses.arn(EAST_2), rule="forward")
    buses.aws.lose(EAST_2)
    entry = {"Source": "test", "DetailType": "t", "Detail": '{"is": "late"}', "EventBusName": buses.name}
    buses.aws.client("events").put_events(Entries=[entry])
    assert details(eventually(lambda: buses.arrived(EAST_1))) == ["late"]

    buses.aws.heal(EAST_2)

    assert details(eventually(lambda: buses.arrived(EAST_2))) == ["late"]


def test_rules_of_one_name_in_both_regions_pass_events_on_once_and_not_round_in_circles(buses: Buses) -> None:
    for region, other in (REGIONS, REGIONS[::-1]):
        send(buses.aws, region, buses.name, buses.arn(other), rule="forward")
    entry = {"Source": "test", "DetailType": "t", "Detail": '{"is": "once"}', "EventBusName": buses.name}

    buses.aws.client("events").put_events(Entries=[entry])

    assert details(eventually(lambda: buses.arrived(EAST_2))) == ["once"]
    assert eventually(lambda: buses.arrived(EAST_2), within=0.5) == []
