"""A lost region as an AWS client sees it, and the other region meanwhile."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually, make_table, put, value_of
from tests.local.refusals import error_of, status_of

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


@pytest.mark.parametrize(("service", "operation", "arguments"), ONE_CALL_A_PROTOCOL)
def test_a_lost_region_refuses_its_signed_calls_in_their_own_protocol(
    aws: LocalAws, service: str, operation: str, arguments: dict[str, str]
) -> None:
    aws.lose(EAST_1)

    error = error_of(getattr(aws.client(service), operation), **arguments)

    assert status_of(error) == 503
    # An answer to HEAD has no body, so the client makes the code of the status.
    assert error.response["Error"]["Code"] == ("503" if "head" in operation else "ServiceUnavailable")
    assert aws.refused(EAST_1)[f"control:{'monitoring' if service == 'cloudwatch' else service}"] >= 1


def test_each_refused_call_is_counted_once(aws: LocalAws) -> None:
    before = aws.refused(EAST_1).get("control:sqs", 0)
    aws.lose(EAST_1)

    for _ in range(3):
        error_of(aws.client("sqs").list_queues)

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

    assert status_of(error_of(aws.client("route53", EAST_2).list_hosted_zones)) == 503
    assert status_of(error_of(aws.client("iam", EAST_2).list_roles)) == 503


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

    assert status_of(error_of(aws.client("s3", EAST_2).get_object, Bucket=name, Key="a")) == 503
    assert httpx.get(url).status_code == 503
    assert httpx.get(f"{aws.server.endpoint}/{name}/a").status_code == 503, "an unsigned call"


def test_a_presigned_call_is_refused_by_the_region_it_is_signed_for(aws: LocalAws, name: str) -> None:
    url = aws.client("s3", EAST_2, signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": name, "Key": "a"}
    )
    aws.lose(EAST_2)

    assert httpx.get(url).status_code == 503
