"""The registered resources of a combination with an existing zone and interface endpoints, without any AWS."""

from collections import Counter

from localaws.engine import graph
from shared.local_aws import PROGRAMS
from tests.matrix.combinations import Combination

PRIVATE = Combination(engine="aurora-mysql", mode="active-active", nat="none", domain="dr.example.com", zones=3)


def test_an_environment_with_a_domain_and_without_nat_is_registered() -> None:
    types = Counter(row["type"] for row in graph(PRIVATE.environment, PROGRAMS, config_overrides=PRIVATE.settings))

    assert types["aws:acm/certificateValidation:CertificateValidation"] == 2
    assert types["aws:apigateway/domainName:DomainName"] == 2
    assert types["aws:ec2/vpcEndpoint:VpcEndpoint"] > 4
    assert not types["aws:ec2/natGateway:NatGateway"]
