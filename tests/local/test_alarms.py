"""Metric alarms as a client sees them. An AWS minute lasts half a second here."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually

MINUTE = 0.5  # seconds of this machine


def put_alarm(aws: LocalAws, name: str, region: str = EAST_1, **settings: Any) -> None:
    given = {
        "AlarmName": name,
        "Namespace": "Test",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    aws.client("cloudwatch", region).put_metric_alarm(**{**given, **settings})


def put(aws: LocalAws, metric: str, value: float, region: str = EAST_1, **dimensions: str) -> None:
    pairs = [{"Name": name, "Value": each} for name, each in dimensions.items()]
    datum = {"MetricName": metric, "Value": value, "Dimensions": pairs}
    aws.client("cloudwatch", region).put_metric_data(Namespace="Test", MetricData=[datum])


def state(aws: LocalAws, name: str, region: str = EAST_1) -> str:
    found = aws.client("cloudwatch", region).describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return str([*found["MetricAlarms"], *found["CompositeAlarms"]][0]["StateValue"])


def becomes(aws: LocalAws, name: str, wanted: str, region: str = EAST_1) -> bool:
    return eventually(lambda: state(aws, name, region) == wanted, within=120 * MINUTE)


def history(aws: LocalAws, name: str) -> list[str]:
    items = aws.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")
    return [item["HistorySummary"] for item in items["AlarmHistoryItems"]]


def test_a_breach_is_an_alarm_and_silence_after_it_is_not(planes: LocalAws, name: str) -> None:
    put_alarm(planes, name)
    assert becomes(planes, name, "OK")

    put(planes, name, 5)

    assert becomes(planes, name, "ALARM")
    assert becomes(planes, name, "OK"), "no further datapoint counts as not breaching"


def test_only_the_alarms_own_dimensions_count(planes: LocalAws, name: str) -> None:
    for region in (EAST_1, EAST_2):
        put_alarm(planes, f"{name}-{region}", MetricName=name, Dimensions=[{"Name": "Region", "Value": region}])
    put_alarm(planes, f"{name}-none", MetricName=name)

    put(planes, name, 5, Region=EAST_2)

    assert becomes(planes, f"{name}-{EAST_2}", "ALARM")
    assert [state(planes, f"{name}-{which}") for which in (EAST_1, "none")] == ["OK", "OK"]
    assert not any("to ALARM" in line for line in history(planes, f"{name}-{EAST_1}"))


def test_a_metric_of_another_region_is_another_metric(planes: LocalAws, name: str) -> None:
    for region in (EAST_1, EAST_2):
        put_alarm(planes, name, region)

    put(planes, name, 5, EAST_2)

    assert becomes(planes, name, "ALARM", EAST_2)
    assert state(planes, name) == "OK"


@pytest.mark.parametrize(("treatment", "wanted"), [("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA")])
def test_missing_data_is_treated_as_the_alarm_defines(planes: LocalAws, name: str, treatment: str, wanted: str) -> None:
    put_alarm(planes, name, TreatMissingData=treatment)
    put(planes, name, 0)
    assert becomes(planes, name, "OK")

    assert becomes(planes, name, wanted)


def test_two_of_three_datapoints_make_an_alarm_and_one_does_not(planes: LocalAws, name: str) -> None:
    put_alarm(planes, name, EvaluationPeriods=3, DatapointsToAlarm=2)
    assert becomes(planes, name, "OK")
    put(planes, name, 5)
    time.sleep(1.5 * MINUTE)
    assert state(planes, name) == "OK", "one breaching datapoint of three"

    def breaches_again() -> bool:
        put(planes, name, 5)
        return state(planes, name) == "ALARM"

    assert eventually(breaches_again)


def test_an_alarm_notifies_its_topic_once_in_alarm_and_once_when_ok(planes: LocalAws, name: str) -> None:
    topic = planes.client("sns").create_topic(Name=name)["TopicArn"]
    queue = planes.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    attributes = planes.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    planes.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    put_alarm(planes, name)
    assert becomes(planes, name, "OK")
    put_alarm(planes, name, AlarmActions=[topic], OKActions=[topic])

    put(planes, name, 5)
    assert becomes(planes, name, "ALARM")
    assert becomes(planes, name, "OK")

    found = planes.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    notified = [json.loads(json.loads(message["Body"])["Message"]) for message in found]
    assert sorted(message["NewStateValue"] for message in notified) == ["ALARM", "OK"]
    assert {message["AlarmName"] for message in notified} == {name}


def test_a_composite_alarm_follows_the_alarms_of_its_rule(planes: LocalAws, name: str) -> None:
    put_alarm(planes, name)
    planes.client("cloudwatch").put_composite_alarm(AlarmName=f"{name}-all", AlarmRule=f'ALARM("{name}")')
    assert becomes(planes, f"{name}-all", "OK")

    put(planes, name, 5)

    assert becomes(planes, f"{name}-all", "ALARM")
    assert becomes(planes, f"{name}-all", "OK")


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(planes: LocalAws, name: str) -> None:
    put_alarm(planes, name)
    assert becomes(planes, name, "OK")

    planes.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill")

    assert becomes(planes, name, "OK")
    assert any("OK to ALARM" in line for line in history(planes, name))


def alarms_of_an_outage(planes: LocalAws, name: str) -> tuple[datetime, list[datetime], datetime]:
    """The times of a region's loss, of the alarm on a metric that then stayed silent, and of the region's return.

    The metric had reported right before the loss. The alarm treats missing data as breaching after three minutes; the
    outage takes twelve. History has whole seconds, so the time of an alarm is up to a second early.
    """
    put_alarm(planes, name, EAST_2, TreatMissingData="breaching")
    put(planes, name, 0, EAST_2)
    assert becomes(planes, name, "OK", EAST_2)
    put(planes, name, 0, EAST_2)
    planes.lose(EAST_2)
    lost = datetime.now(UTC)
    time.sleep(12 * MINUTE)
    healed = datetime.now(UTC)
    planes.heal(EAST_2)
    assert becomes(planes, name, "ALARM", EAST_2)
    items = planes.client("cloudwatch", EAST_2).describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")
    raised = [item["Timestamp"] for item in items["AlarmHistoryItems"] if "to ALARM" in item["HistorySummary"]]
    return lost, raised, healed


def test_an_alarm_of_a_lost_region_waits_for_the_heal(planes: LocalAws, name: str) -> None:
    # On a slow machine the three minutes, 1.5 s, can pass before the loss; such an outage shows nothing.
    for attempt in range(6):
        lost, raised, healed = alarms_of_an_outage(planes, f"{name}-{attempt}")
        late = healed - timedelta(seconds=1)
        assert not [at for at in raised if lost < at < late], "an alarm of a lost region was evaluated"
        if min(raised) > late:
            return
    pytest.fail("the alarm was raised before every loss")


@pytest.mark.parametrize(
    "words", [{"Metrics": [{"Id": "m", "Expression": "1"}], "Threshold": 1}, {"ThresholdMetricId": "band"}]
)
def test_what_cannot_be_evaluated_is_refused(planes: LocalAws, name: str, words: dict[str, Any]) -> None:
    given = {"AlarmName": name, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}

    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        planes.client("cloudwatch").put_metric_alarm(**given, **words)
