"""Work of a lost region that was under way or is triggered meanwhile: functions, streams, topics, workflows."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually, make_table, put, value_of
from tests.local.refusals import error_of, status_of


def test_a_call_under_way_when_its_region_is_lost_gets_no_answer(aws: LocalAws, name: str, tmp_path: Path) -> None:
    at_work = tmp_path / "at-work"
    deploy_function(
        aws,
        name,
        f"""
        import pathlib, time

        def handler(event, context):
            pathlib.Path("{at_work}").touch()
            time.sleep(25)
        """,
    )
    with ThreadPoolExecutor() as pool:
        invocation = pool.submit(aws.client("lambda", read_timeout=60).invoke, FunctionName=name)
        assert eventually(at_work.exists)

        aws.lose(EAST_1)

        with pytest.raises(ClientError) as caught:
            invocation.result()
    assert status_of(caught.value) == 503


# Writes to the table of the event's region, again and again: work that does not stay in the function's own region.
WRITE_ELSEWHERE = """
    import time
    import boto3

    def handler(event, context):
        table = boto3.client("dynamodb", region_name=event["region"])
        for number in range(400):
            table.put_item(TableName=event["table"], Item={"id": {"S": f"{number:03}"}, "value": {"S": "x"}})
            time.sleep(0.01)
"""


def test_a_function_of_a_lost_region_does_no_more_work_anywhere(aws: LocalAws, name: str) -> None:
    make_table(aws, name, EAST_2)
    deploy_function(aws, name, WRITE_ELSEWHERE)
    event = json.dumps({"region": EAST_2, "table": name})

    def written() -> int:
        return int(aws.client("dynamodb", EAST_2).scan(TableName=name, Select="COUNT")["Count"])

    with ThreadPoolExecutor() as pool:
        pool.submit(aws.client("lambda").invoke, FunctionName=name, Payload=event)
        assert eventually(lambda: written() > 2)

        aws.lose(EAST_1)
        at_loss = written()
        time.sleep(0.3)

    assert written() == at_loss


def test_a_call_that_a_function_of_a_lost_region_sends_is_refused_elsewhere(aws: LocalAws, name: str) -> None:
    code = "import os\ndef handler(event, context):\n    return os.environ['AWS_SDK_UA_APP_ID']"
    deploy_function(aws, name, code)
    application = json.load(aws.client("lambda").invoke(FunctionName=name)["Payload"])
    aws.lose(EAST_1)

    error = error_of(aws.client("dynamodb", EAST_2, user_agent_appid=application).list_tables)

    assert status_of(error) == 503


def test_an_asynchronous_invocation_is_done_after_the_heal(aws: LocalAws, name: str, tmp_path: Path) -> None:
    make_table(aws, name, EAST_2)
    at_work, may_end = tmp_path / "at-work", tmp_path / "may-end"
    code = f"""
        import pathlib, time
        import boto3

        def handler(event, context):
            pathlib.Path("{at_work}").touch()
            while not pathlib.Path("{may_end}").exists():
                time.sleep(0.01)
            table = boto3.client("dynamodb", region_name="{EAST_2}")
            table.put_item(TableName=event, Item={{"id": {{"S": "a"}}, "value": {{"S": "done"}}}})
    """
    deploy_function(aws, name, code)
    # With no retry after a failure, only an event that waits for the region is done at all.
    aws.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(name), InvocationType="Event")
    assert eventually(at_work.exists)
    aws.lose(EAST_1)
    may_end.touch()
    time.sleep(0.5)
    assert value_of(aws, name, "a", EAST_2) is None, "it was done in a lost region"

    aws.heal(EAST_1)

    assert eventually(lambda: value_of(aws, name, "a", EAST_2)) == "done"


def test_records_wait_at_their_stream_while_the_function_is_lost(aws: LocalAws, name: str) -> None:
    stream = make_table(aws, name, EAST_2, replica=EAST_1)
    replica = aws.client("dynamodb", EAST_1).describe_table(TableName=name)["Table"]["LatestStreamArn"]
    assert replica != stream
    make_table(aws, f"{name}-seen", EAST_1)
    code = f"""
        import boto3

        def handler(event, context):
            for record in event["Records"]:
                item = {{"id": record["dynamodb"]["Keys"]["id"], "value": {{"S": "seen"}}}}
                boto3.client("dynamodb").put_item(TableName="{name}-seen", Item=item)
    """
    deploy_function(aws, name, code, EAST_1)
    aws.client("lambda", EAST_1).create_event_source_mapping(
        FunctionName=name, EventSourceArn=replica, StartingPosition="TRIM_HORIZON"
    )
    aws.lose(EAST_1)
    put(aws, name, "a", "1", EAST_2)

    aws.heal(EAST_1)

    assert eventually(lambda: value_of(aws, f"{name}-seen", "a")) == "seen"


def test_a_topic_keeps_its_messages_for_a_queue_in_a_lost_region(aws: LocalAws, name: str) -> None:
    queue = aws.client("sqs", EAST_1).create_queue(QueueName=name)["QueueUrl"]
    topic = aws.client("sns", EAST_2).create_topic(Name=name)["TopicArn"]
    arn = f"arn:aws:sqs:{EAST_1}:{ACCOUNT}:{name}"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    aws.client("sqs", EAST_1).set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})}
    )
    aws.client("sns", EAST_2).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws.lose(EAST_1)
    aws.client("sns", EAST_2).publish(TopicArn=topic, Message="hello")
    assert aws.status()["replication"]["backlog"][EAST_1] == 1

    aws.heal(EAST_1)

    def messages() -> Any:
        return aws.client("sqs", EAST_1).receive_message(QueueUrl=queue).get("Messages")

    received = eventually(messages)
    assert json.loads(received[0]["Body"])["Message"] == "hello"


def test_a_topic_keeps_its_messages_for_a_function_in_a_lost_region(aws: LocalAws, name: str) -> None:
    make_table(aws, name, EAST_1)
    code = f"""
        import boto3

        def handler(event, context):
            message = event["Records"][0]["Sns"]["Message"]
            item = {{"id": {{"S": "a"}}, "value": {{"S": message}}}}
            boto3.client("dynamodb").put_item(TableName="{name}", Item=item)
    """
    function = deploy_function(aws, name, code, EAST_1)
    topic = aws.client("sns", EAST_2).create_topic(Name=name)["TopicArn"]
    aws.client("sns", EAST_2).subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    aws.lose(EAST_1)
    aws.client("sns", EAST_2).publish(TopicArn=topic, Message="hello")
    time.sleep(0.2)

    aws.heal(EAST_1)

    assert eventually(lambda: value_of(aws, name, "a")) == "hello"


def test_a_workflow_goes_on_after_the_heal(aws: LocalAws, name: str) -> None:
    make_table(aws, name, EAST_1)
    item = {"TableName": name, "Item": {"id": {"S": "a"}, "value": {"S": "done"}}}
    put_item = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "Parameters": item, "End": True}
    states = {"Wait": {"Type": "Wait", "Seconds": 3, "Next": "Put"}, "Put": put_item}  # the loss comes before its end
    client = aws.client("stepfunctions", EAST_1)
    machine = client.create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "Wait", "States": states}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/x",
    )["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=machine)["executionArn"]
    aws.lose(EAST_1)
    time.sleep(3.4)
    healed = time.time()

    aws.heal(EAST_1)

    assert eventually(lambda: client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    events = client.get_execution_history(executionArn=execution)["events"]
    done = next(event for event in events if event["type"] == "TaskSucceeded")
    assert done["timestamp"].timestamp() >= healed - 0.01, "it went on in a lost region"
    assert value_of(aws, name, "a") == "done"
