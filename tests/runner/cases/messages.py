"""Topics, queues and event buses."""

from tests.runner.cases import Case, Reading

PROGRAM = """
topic = aws.sns.Topic("alerts", display_name="Alerts", opts=opts)
dead = aws.sqs.Queue("dead", message_retention_seconds=1209600, opts=opts)
queue = aws.sqs.Queue(
    "work", visibility_timeout_seconds=90,
    redrive_policy=dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})),
    opts=opts,
)
bus = aws.cloudwatch.EventBus("payments", name="runner-payments", description="payments", opts=opts)
for name, value in {"topic": topic.arn, "queue": queue.url, "queue_arn": queue.arn, "bus": bus.arn}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:sns/topic:Topic": Reading(
            lambda aws, out: aws("sns").get_topic_attributes(TopicArn=out["topic"])["Attributes"],
            {"DisplayName": "Alerts"},
        ),
        "aws:sqs/queue:Queue": Reading(
            lambda aws, out: {
                **(
                    found := aws("sqs").get_queue_attributes(QueueUrl=out["queue"], AttributeNames=["All"])[
                        "Attributes"
                    ]
                ),
                "Same": found["QueueArn"] == out["queue_arn"],
                "Redrives": "maxReceiveCount" in found["RedrivePolicy"],
            },
            {"VisibilityTimeout": "90", "Same": True, "Redrives": True},
        ),
        "aws:cloudwatch/eventBus:EventBus": Reading(
            lambda aws, _: aws("events").describe_event_bus(Name="runner-payments"), {"Name": "runner-payments"}
        ),
    },
    edits=(
        ('display_name="Alerts"', 'display_name="Alarms"'),
        ("visibility_timeout_seconds=90", "visibility_timeout_seconds=91"),
    ),
    changed={
        "aws:sns/topic:Topic": {"DisplayName": "Alarms"},
        "aws:sqs/queue:Queue": {"VisibilityTimeout": "91", "Redrives": True},
    },
)
