"""The API's own name in a region."""

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from components.ingress.rest_api import ApiDomain, ApiDomainArgs
from tests.components.answers import answer
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]


@pytest.fixture
def built(build: Build, monkeypatch: pytest.MonkeyPatch) -> Built:
    answer(
        monkeypatch, "DomainName", regionalDomainName="d-1.execute-api.us-east-1.amazonaws.com", regionalZoneId="ZAPI"
    )

    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        domain = ApiDomain(
            "api-domain",
            ApiDomainArgs(
                domain_name="api.shop.example", certificate_arn="arn:certificate", api_id="api-1", stage="live"
            ),
            opts=pulumi.ResourceOptions(providers=[provider]),
        )
        pulumi.export("host", domain.target_host)
        pulumi.export("zone", domain.target_zone_id)

    return build(program)


def test_the_name_is_regional_and_speaks_tls_1_2_at_least(built: Built) -> None:
    domain = built.one("DomainName").inputs

    assert domain["endpointConfiguration"] == {"types": "REGIONAL"}
    assert domain["securityPolicy"] == "TLS_1_2"
    assert domain["regionalCertificateArn"] == "arn:certificate"
    assert "certificateArn" not in domain, "that one is for edge-optimized and private domains"


def test_the_stage_is_at_the_root_and_gives_way_to_its_successor(built: Built) -> None:
    mapping = built.one("BasePathMapping")

    assert (mapping.inputs["restApi"], mapping.inputs["stageName"]) == ("api-1", "live")
    assert "basePath" not in mapping.inputs
    assert mapping.options["delete_before_replace"]


def test_dns_gets_the_target_of_the_name(built: Built) -> None:
    assert built.exports == {"host": "d-1.execute-api.us-east-1.amazonaws.com", "zone": "ZAPI"}
