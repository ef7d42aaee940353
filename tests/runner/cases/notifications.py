"""Notifications: rules and targets, topic and queue policies, subscriptions, composite alarms, global endpoints."""

import json
from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
tags = {"Application": "dr"}
other = aws.Provider("other", region="us-east-2", default_tags={"tags": tags})
west = pulumi.ResourceOptions(provider=other)
topic = aws.sns.Topic("people", opts=opts)
queue = aws.sqs.Queue("work", opts=opts)
def allow(action, resource):
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": action}
    return resource.apply(lambda arn: json.dumps(
        {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]}
    ))
publishers = aws.sns.TopicPolicy("people", arn=topic.arn, policy=allow("sns:Publish", topic.arn), opts=opts)
senders = aws.sqs.QueuePolicy("work", queue_url=queue.url, policy=allow("sqs:SendMessage", queue.arn), opts=opts)
email = aws.sns.TopicSubscription("person", topic=topic.arn, protocol="email", endpoint="a@example.com", opts=opts)
to_queue = aws.sns.TopicSubscription(
    "work", topic=topic.arn, protocol="sqs", endpoint=queue.arn, raw_message_delivery=True, opts=opts,
    filter_policy=json.dumps({"kind": ["paid"]}),
)
bus = aws.cloudwatch.EventBus("bus", name="runner-notified", opts=opts)
peer = aws.cloudwatch.EventBus("peer", name="runner-notified", opts=west)
rule = aws.cloudwatch.EventRule(
    "paid", name="runner-paid", event_bus_name=bus.name, event_pattern=json.dumps({"source": ["payments"]}), opts=opts
)
target = aws.cloudwatch.EventTarget(
    "paid", rule=rule.name, event_bus_name=bus.name, arn=queue.arn, target_id="work", opts=opts,
    input_transformer={"input_paths": {"id": "$.detail.id"}, "input_template": '{"id": <id>}'},
)
alarm = aws.cloudwatch.MetricAlarm(
    "slow", name="runner-slow", namespace="Runner", metric_name="Latency", statistic="Average", period=60, opts=opts,
    evaluation_periods=5, comparison_operator="GreaterThanThreshold", threshold=1, treat_missing_data="missing",
)
both = aws.cloudwatch.CompositeAlarm(
    "region", alarm_name="runner-region", alarm_rule=alarm.name.apply(lambda name: f'ALARM("{name}")'),
    alarm_actions=[topic.arn], ok_actions=[topic.arn], alarm_description="the region", opts=opts,
)
check = aws.route53.HealthCheck(
    "slow", type="CLOUDWATCH_METRIC", cloudwatch_alarm_name=alarm.name, cloudwatch_alarm_region="us-east-1",
    insufficient_data_health_status="LastKnownStatus", opts=opts,
)
role = aws.iam.Role("endpoint", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}), opts=opts)
endpoint = aws.cloudwatch.EventEndpoint(
    "endpoint", name="runner-endpoint", description="events", role_arn=role.arn, opts=opts,
    event_buses=[{"event_bus_arn": bus.arn}, {"event_bus_arn": peer.arn}],
    routing_config={"failover_config": {"primary": {"health_check": check.arn}, "secondary": {"route": "us-east-2"}}},
    replication_config={"state": "ENABLED"},
)
for name, value in {
    "topic": topic.arn, "queue": queue.url, "email": email.arn, "to_queue": to_queue.arn, "queue_arn": queue.arn,
    "url": endpoint.endpoint_url, "buses": [bus.arn, peer.arn], "check": check.arn,
}.items():
    pulumi.export(name, value)
"""


def _policy(aws: Client, out: dict[str, Any]) -> Any:
    policy = aws("sns").get_topic_attributes(TopicArn=out["topic"])["Attributes"]["Policy"]
    return json.loads(policy)["Statement"][0]


def _queue_policy(aws: Client, out: dict[str, Any]) -> Any:
    found = aws("sqs").get_queue_attributes(QueueUrl=out["queue"], AttributeNames=["Policy"])["Attributes"]
    return json.loads(found["Policy"])["Statement"][0]


def _target(aws: Client, out: dict[str, Any]) -> Any:
    found = aws("events").list_targets_by_rule(Rule="runner-paid", EventBusName="runner-notified")["Targets"][0]
    return {**found, "Same": found["Arn"] == out["queue_arn"]}


def _endpoint(aws: Client, out: dict[str, Any]) -> Any:
    found = aws("events").describe_endpoint(Name="runner-endpoint")
    primary = found["RoutingConfig"]["FailoverConfig"]["Primary"]["HealthCheck"]
    return {
        **found,
        "Url": out["url"] == found["EndpointUrl"] == f"https://{found['EndpointId']}.endpoint.events.amazonaws.com/",
        "Buses": [bus["EventBusArn"] for bus in found["EventBuses"]] == out["buses"],
        "Follows": primary == out["check"],
    }


CASE = Case(
    PROGRAM,
    {
        "aws:sns/topicPolicy:TopicPolicy": Reading(
            _policy, {"Action": "sns:Publish", "Principal": {"Service": "events.amazonaws.com"}}
        ),
        "aws:sqs/queuePolicy:QueuePolicy": Reading(
            _queue_policy, {"Action": "sqs:SendMessage", "Principal": {"Service": "events.amazonaws.com"}}
        ),
        "aws:sns/topicSubscription:TopicSubscription": Reading(
            lambda aws, out: aws("sns").get_subscription_attributes(SubscriptionArn=out["to_queue"])["Attributes"],
            {"Protocol": "sqs", "RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["paid"]}'},
        ),
        "aws:cloudwatch/eventRule:EventRule": Reading(
            lambda aws, _: aws("events").describe_rule(Name="runner-paid", EventBusName="runner-notified"),
            {"EventPattern": '{"source": ["payments"]}', "State": "ENABLED"},
        ),
        "aws:cloudwatch/eventTarget:EventTarget": Reading(
            _target,
            {
                "Id": "work",
                "Same": True,
                "InputTransformer": {"InputPathsMap": {"id": "$.detail.id"}, "InputTemplate": '{"id": <id>}'},
            },
        ),
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": Reading(
            lambda aws, out: {
                **(
                    found := aws("cloudwatch").describe_alarms(
                        AlarmNames=["runner-region"], AlarmTypes=["CompositeAlarm"]
                    )["CompositeAlarms"][0]
                ),
                "Notifies": found["AlarmActions"] == found["OKActions"] == [out["topic"]],
            },
            {"AlarmRule": 'ALARM("runner-slow")', "AlarmDescription": "the region", "Notifies": True},
        ),
        "aws:cloudwatch/eventEndpoint:EventEndpoint": Reading(
            _endpoint,
            {
                "State": "ACTIVE",
                "Description": "events",
                "ReplicationConfig": {"State": "ENABLED"},
                "Url": True,
                "Buses": True,
                "Follows": True,
            },
        ),
    },
    edits=(
        ('{"Application": "dr"}', '{"Owner": "me"}'),
        ('"source": ["payments"]', '"source": ["bank"]'),
        ('description="events"', 'description="all events"'),
        ('"$.detail.id"', '"$.detail.key"'),
        ('"kind": ["paid"]', '"kind": ["lost"]'),
        ('alarm_description="the region"', 'alarm_description="this region"'),
    ),
    changed={
        "aws:cloudwatch/eventRule:EventRule": {"EventPattern": '{"source": ["bank"]}', "State": "ENABLED"},
        "aws:cloudwatch/eventEndpoint:EventEndpoint": {"Description": "all events", "Url": True, "Buses": True},
        "aws:cloudwatch/eventTarget:EventTarget": {
            "Id": "work",
            "InputTransformer": {"InputPathsMap": {"id": "$.detail.key"}, "InputTemplate": '{"id": <id>}'},
        },
        "aws:sns/topicSubscription:TopicSubscription": {"FilterPolicy": '{"kind": ["lost"]}'},
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"AlarmDescription": "this region", "Notifies": True},
    },
)
