"""Event sources of functions: streams of tables and schedules."""

from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
role = aws.iam.Role("starts", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}), opts=opts)
key = aws.kms.Key("starts", opts=opts)
failures = aws.sqs.Queue("failures", opts=opts)
function = aws.lambda_.Function(
    "started", role=role.arn, runtime="python3.13", handler="handler.handle", opts=opts,
    code=pulumi.AssetArchive({"handler.py": pulumi.StringAsset("def handle(event, context):\\n    return {}\\n")}),
)
table = aws.dynamodb.Table(
    "watched", billing_mode="PAY_PER_REQUEST", hash_key="id", attributes=[{"name": "id", "type": "S"}],
    stream_enabled=True, stream_view_type="NEW_AND_OLD_IMAGES", replicas=[{"region_name": "us-east-2"}], opts=opts,
)
mapping = aws.lambda_.EventSourceMapping(
    "stream", event_source_arn=table.stream_arn, function_name=function.arn, starting_position="TRIM_HORIZON",
    batch_size=25, maximum_batching_window_in_seconds=0, maximum_retry_attempts=-1, maximum_record_age_in_seconds=-1,
    bisect_batch_on_function_error=True, function_response_types=["ReportBatchItemFailures"],
    destination_config={"on_failure": {"destination_arn": failures.arn}},
    filter_criteria={"filters": [{"pattern": json.dumps({"eventName": ["INSERT"]})}]}, opts=opts,
)
aws.lambda_.FunctionRecursionConfig("loop", function_name=function.name, recursive_loop="Allow", opts=opts)
schedule = aws.scheduler.Schedule(
    "clock", name="runner-clock", schedule_expression="rate(1 minute)", kms_key_arn=key.arn, description="runs",
    flexible_time_window={"mode": "OFF"}, opts=opts,
    target={
        "arn": function.arn, "role_arn": role.arn, "input": "{}",
        "retry_policy": {"maximum_event_age_in_seconds": 60, "maximum_retry_attempts": 0},
        "dead_letter_config": {"arn": failures.arn},
    },
)
for name, value in {
    "function": function.name,
    "mapping": mapping.uuid, "schedule": schedule.name, "queue": failures.arn, "key": key.arn,
    "stream": table.stream_arn, "replica": table.replicas[0].stream_arn,
}.items():
    pulumi.export(name, value)
"""


def _mapping(aws: Client, out: dict[str, Any]) -> dict[str, Any]:
    found = aws("lambda").get_event_source_mapping(UUID=out["mapping"])
    return {
        **found,
        "Source": found["EventSourceArn"] == out["stream"],
        "Failures": found["DestinationConfig"]["OnFailure"]["Destination"] == out["queue"],
        "Filters": [each["Pattern"] for each in found["FilterCriteria"]["Filters"]],
        "InTheReplica": ":us-east-2:" in out["replica"] and "/stream/" in out["replica"],
    }


def _schedule(aws: Client, out: dict[str, Any]) -> dict[str, Any]:
    found = aws("scheduler").get_schedule(Name=out["schedule"])
    target = found["Target"]
    return {
        **found,
        "Key": found["KmsKeyArn"] == out["key"],
        "Retries": target["RetryPolicy"]["MaximumRetryAttempts"],
        "Failures": target["DeadLetterConfig"]["Arn"] == out["queue"],
    }


CASE = Case(
    program=PROGRAM,
    readings={
        "aws:lambda/eventSourceMapping:EventSourceMapping": Reading(
            _mapping,
            {
                "BatchSize": 25,
                "BisectBatchOnFunctionError": True,
                "Failures": True,
                "Filters": ['{"eventName": ["INSERT"]}'],
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "InTheReplica": True,
                "MaximumRecordAgeInSeconds": -1,
                "MaximumRetryAttempts": -1,
                "Source": True,
                "StartingPosition": "TRIM_HORIZON",
                "State": "Enabled",
            },
        ),
        "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": Reading(
            lambda aws, out: aws("lambda").get_function_recursion_config(FunctionName=out["function"]),
            {"RecursiveLoop": "Allow"},
        ),
        "aws:scheduler/schedule:Schedule": Reading(
            _schedule,
            {
                "Description": "runs",
                "Failures": True,
                "Key": True,
                "Retries": 0,
                "ScheduleExpression": "rate(1 minute)",
                "State": "ENABLED",
            },
        ),
    },
    edits=(
        ("batch_size=25", "batch_size=50"),
        ("rate(1 minute)", "rate(2 minutes)"),
        ('loop="Allow"', 'loop="Terminate"'),
    ),
    changed={
        "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": {"RecursiveLoop": "Terminate"},
        "aws:lambda/eventSourceMapping:EventSourceMapping": {"BatchSize": 50, "Failures": True},
        "aws:scheduler/schedule:Schedule": {"ScheduleExpression": "rate(2 minutes)", "Description": "runs"},
    },
)
