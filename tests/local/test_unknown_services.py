"""Operations that are not emulated return an error at once, with their name, in a form that every SDK parses."""

from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.local.embedded import LocalAws

NOT_EMULATED = [
    pytest.param("service-quotas", "list_services", {}, "servicequotas (operation ListServices)", id="json"),
    pytest.param(
        "elasticbeanstalk", "describe_applications", {}, "elasticbeanstalk (operation DescribeApplications)", id="query"
    ),
    pytest.param("fis", "list_experiments", {}, "fis (operation GET /experiments)", id="rest-json"),
    pytest.param(
        "arc-region-switch", "list_plans", {}, "arc-region-switch (operation ListPlans)", id="json-in-its-own-way"
    ),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "named"), NOT_EMULATED)
def test_a_service_that_nobody_emulates_is_refused_by_name(
    aws: LocalAws, service: str, operation: str, arguments: dict[str, Any], named: str
) -> None:
    call = getattr(aws.client(service), operation)

    with pytest.raises(ClientError) as caught:
        call(**arguments)

    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error["Error"]["Code"] == "NotImplemented"
    assert error["Error"]["Message"] == f"The embedded AWS does not emulate {named}."


def test_a_made_up_service_is_refused_too(aws: LocalAws) -> None:
    credential = "Credential=000000000000/20260101/us-east-1/madeup/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=any"}

    answer = httpx.get(f"{aws.server.endpoint}/anything", headers=headers)

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (501, "NotImplemented")
