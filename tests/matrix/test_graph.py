"""Settings with an existing zone or interface endpoints are registered without AWS too, for policies and diagrams."""

from collections import Counter

from tests.programs.profiles import OPTIONS, registered


def test_an_environment_with_a_domain_and_without_nat_can_be_drawn() -> None:
    types = Counter(row["type"] for row in registered(OPTIONS))

    assert types["aws:acm/certificateValidation:CertificateValidation"] == 2
    assert types["aws:apigateway/domainName:DomainName"] == 2
    assert types["aws:ec2/vpcEndpoint:VpcEndpoint"] > 4
    assert not types["aws:ec2/natGateway:NatGateway"]
