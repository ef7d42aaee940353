"""A lost region as an AWS client sees it, and the other region meanwhile."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually, make_table, put, value_of

ONE_CALL_A_PROTOCOL = [
    pytest.param("dynamodb", "list_tables", {}, id="json"),
    pytest.param("sns", "list_topics", {}, id="query"),
    pytest.param("ec2", "describe_vpcs", {}, id="ec2"),
    pytest.param("lambda", "list_functions", {}, id="rest-json"),
    pytest.param("s3", "list_buckets", {}, id="s3"),
    pytest.param("s3", "head_bucket", {"Bucket": "any-bucket"}, id="s3-head"),
    pytest.param("route53", "list_hosted_zones", {}, id="rest-xml"),
    pytest.param("cloudwatch", "list_metrics", {}, id="cloudwatch"),
]


def _error_of(call: Any, **arguments: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value


def _status_of(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.mark.parametrize(("service", "operation", "arguments"), ONE_CALL_A_PROTOCOL)
def test_a_lost_region_refuses_its_signed_calls_in_their_own_protocol(
    aws: LocalAws, service: str, operation: str, arguments: dict[str, str]
) -> None:
    aws.lose(EAST_1)

    error = _error_of(getattr(aws.client(service), operation), **arguments)

    assert _status_of(error) == 503
    # An answer to HEAD has no body, so the client makes the code of the status.
    assert error.response["Error"]["Code"] == ("503" if "head" in operation else "ServiceUnavailable")
    assert aws.refused(EAST_1)[f"control:{'monitoring' if service == 'cloudwatch' else service}"] >= 1


def test_each_refused_call_is_counted_once(aws: LocalAws) -> None:
    before = aws.refused(EAST_1).get("control:sqs", 0)
    aws.lose(EAST_1)

    for _ in range(3):
        _error_of(aws.client("sqs").list_queues)

    assert aws.refused(EAST_1)["control:sqs"] == before + 3


def test_the_other_region_keeps_working(aws: LocalAws, name: str) -> None:
    make_table(aws, name, EAST_2)
    aws.lose(EAST_1, "hang")

    put(aws, name, "a", "1", EAST_2)

    assert value_of(aws, name, "a", EAST_2) == "1"


def test_a_region_that_resets_closes_the_connection_without_an_answer(aws: LocalAws) -> None:
    aws.lose(EAST_1, "reset")

    with pytest.raises(ConnectionClosedError):
        aws.client("dynamodb").list_tables()
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        httpx.get(f"{aws.server.endpoint}/_aws/execute-api/unknown/live/health")


def test_a_region_that_hangs_never_answers(aws: LocalAws) -> None:
    aws.lose(EAST_1, "hang")

    with pytest.raises(ReadTimeoutError):
        aws.client("dynamodb", read_timeout=0.3).list_tables()


def test_a_hung_write_ends_at_the_heal_and_is_not_done(aws: LocalAws, name: str) -> None:
    make_table(aws, name)
    aws.lose(EAST_1, "hang")
    with ThreadPoolExecutor() as pool:
        write = pool.submit(put, aws, name, "a", "1")
        assert eventually(lambda: aws.refused(EAST_1).get("control:dynamodb"))
        time.sleep(0.1)
        assert not write.done()

        aws.heal(EAST_1)

        with pytest.raises(ConnectionClosedError):
            write.result(timeout=60)
    assert value_of(aws, name, "a") is None


def test_losing_us_east_1_takes_the_control_planes_that_live_there(aws: LocalAws) -> None:
    aws.lose(EAST_1)

    assert _status_of(_error_of(aws.client("route53", EAST_2).list_hosted_zones)) == 503
    assert _status_of(_error_of(aws.client("iam", EAST_2).list_roles)) == 503


def test_losing_another_region_leaves_the_global_control_planes(aws: LocalAws) -> None:
    aws.lose(EAST_2)

    assert "HostedZones" in aws.client("route53", EAST_1).list_hosted_zones()
    assert "Account" in aws.client("sts", EAST_1).get_caller_identity()


def test_global_accelerator_lives_in_neither_region(aws: LocalAws) -> None:
    aws.lose(EAST_1)
    aws.lose(EAST_2)
    headers = {
        "x-amz-target": "GlobalAccelerator_V20180706.ListAccelerators",
        "authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/globalaccelerator/aws4_request, "
        "SignedHeaders=host, Signature=any",
    }

    answer = httpx.post(aws.server.endpoint, headers=headers, json={})

    assert answer.status_code != 503


def test_a_bucket_is_lost_with_its_region_whatever_region_the_call_is_signed_for(aws: LocalAws, name: str) -> None:
    aws.client("s3", EAST_1).create_bucket(Bucket=name)
    url = aws.client("s3", EAST_2).generate_presigned_url("get_object", Params={"Bucket": name, "Key": "a"})
    aws.client("s3", EAST_1).put_object(Bucket=name, Key="a", Body=b"x")
    aws.lose(EAST_1)

    assert _status_of(_error_of(aws.client("s3", EAST_2).get_object, Bucket=name, Key="a")) == 503
    assert httpx.get(url).status_code == 503
    assert httpx.get(f"{aws.server.endpoint}/{name}/a").status_code == 503, "an unsigned call"


def test_a_presigned_call_is_refused_by_the_region_it_is_signed_for(aws: LocalAws, name: str) -> None:
    url = aws.client("s3", EAST_2, signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": name, "Key": "a"}
    )
    aws.lose(EAST_2)

    assert httpx.get(url).status_code == 503


def _make_api(aws: LocalAws, function: str, region: str) -> str:
    """A REST API whose every path is the function, at stage `live`."""
    client = aws.client("apigateway", region)
    api: str = client.create_rest_api(name="test")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    resource = client.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    client.put_method(restApiId=api, resourceId=resource, httpMethod="ANY", authorizationType="NONE")
    client.put_integration(
        restApiId=api,
        resourceId=resource,
        httpMethod="ANY",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    client.create_deployment(restApiId=api, stageName="live")
    return api


REPORT_REGION = """
    import json, os

    def handler(event, context):
        print("called")
        reported = {"region": os.environ["AWS_REGION"], "host": event["headers"].get("x-localaws-region")}
        return {"statusCode": 200, "body": json.dumps(reported)}
"""


def test_an_unsigned_api_call_is_served_and_refused_by_the_region_of_its_api(aws: LocalAws, name: str) -> None:
    apis = {
        region: _make_api(aws, deploy_function(aws, name, REPORT_REGION, region), region) for region in (EAST_1, EAST_2)
    }
    paths = {
        region: (f"/_aws/execute-api/{api}/live/pay", f"/restapis/{api}/live/_user_request_/pay")
        for region, api in apis.items()
    }

    for region, forms in paths.items():
        for form in forms:
            answer = httpx.get(aws.server.endpoint + form, headers={"x-localaws-region": region})
            assert answer.json() == {"region": region, "host": None}, form
    aws.lose(EAST_2)

    for form in paths[EAST_2]:
        answer = httpx.get(aws.server.endpoint + form)
        assert (answer.status_code, answer.json()) == (503, {"message": "execute-api in us-east-2 is unavailable"})
    by_host = httpx.get(f"{aws.server.endpoint}/live/pay", headers={"host": f"{apis[EAST_2]}.execute-api.localhost"})
    assert by_host.status_code == 503
    assert httpx.get(aws.server.endpoint + paths[EAST_1][0]).status_code == 200
    assert aws.refused(EAST_2)["data:execute-api"] == 3


def test_a_custom_domain_of_both_regions_is_served_by_the_region_of_the_front(aws: LocalAws, name: str) -> None:
    host = f"{name}.example"
    for region in (EAST_1, EAST_2):
        api = _make_api(aws, deploy_function(aws, name, REPORT_REGION, region), region)
        client = aws.client("apigateway", region)
        client.create_domain_name(domainName=host, endpointConfiguration={"types": ["REGIONAL"]})
        client.create_base_path_mapping(domainName=host, restApiId=api, stage="live")

    def ask(**front: str) -> httpx.Response:
        return httpx.get(f"{aws.server.endpoint}/pay", headers={"host": host, **front})

    assert ask(**{"x-localaws-region": EAST_1}).json()["region"] == EAST_1
    assert ask(**{"x-localaws-region": EAST_2}).json()["region"] == EAST_2
    aws.lose(EAST_2)
    assert ask(**{"x-localaws-region": EAST_2}).status_code == 503


def test_a_function_url_is_refused_by_the_region_of_its_function(aws: LocalAws, name: str) -> None:
    deploy_function(aws, name, "def handler(event, context):\n    print('called')\n    return 'here'", EAST_2)
    made = aws.client("lambda", EAST_2).create_function_url_config(FunctionName=name, AuthType="NONE")
    host = made["FunctionUrl"].removeprefix("https://").rstrip("/")

    assert "here" in httpx.get(aws.server.endpoint, headers={"host": host}).text
    aws.lose(EAST_2)
    assert httpx.get(aws.server.endpoint, headers={"host": host}).status_code == 503


def test_a_load_balancer_is_served_and_refused_by_its_own_region(aws: LocalAws, name: str) -> None:
    client = aws.client("elbv2", EAST_2)
    vpc = aws.client("ec2", EAST_2).create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = aws.client("ec2", EAST_2).create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    balancer = client.create_load_balancer(Name=name, Subnets=[subnet])["LoadBalancers"][0]
    answer = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "here"}
    client.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
    )

    def ask() -> httpx.Response:
        return httpx.get(aws.server.endpoint, headers={"host": balancer["DNSName"]})

    assert ask().text == "here"
    aws.lose(EAST_2)
    assert ask().status_code == 503
    assert httpx.get(f"{aws.server.endpoint}/_alb/{name}/").status_code == 503


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
    assert _status_of(caught.value) == 503


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

    error = _error_of(aws.client("dynamodb", EAST_2, user_agent_appid=application).list_tables)

    assert _status_of(error) == 503


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
