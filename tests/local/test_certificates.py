"""Certificates that ACM issues: real ones, of an authority that clients here can trust."""

import ssl
from typing import Any

import httpx
from cryptography import x509

from tests.local.embedded import LocalAws, eventually


def issued(aws: LocalAws, *names: str) -> tuple[str, dict[str, str]]:
    """The ARN of a new certificate, and its PEM texts."""
    client = aws.client("acm")
    arn = client.request_certificate(DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS")[
        "CertificateArn"
    ]
    return arn, client.get_certificate(CertificateArn=arn)


def test_an_issued_certificate_carries_its_names_and_was_signed_by_the_authority_of_its_chain(
    planes: LocalAws, name: str
) -> None:
    _, pem = issued(planes, f"{name}.example", f"api.{name}.example")

    certificate = x509.load_pem_x509_certificate(pem["Certificate"].encode())
    authority = x509.load_pem_x509_certificate(pem["CertificateChain"].encode())
    certificate.verify_directly_issued_by(authority)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [f"{name}.example", f"api.{name}.example"]
    assert "PRIVATE KEY" not in str(pem)


def test_a_load_balancer_serves_an_issued_certificate(planes: LocalAws, name: str) -> None:
    host = f"{name}.example"
    arn, pem = issued(planes, host)
    ec2, elb = planes.client("ec2"), planes.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.251.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.251.{place}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for place, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name=name[:25], Subnets=subnets)["LoadBalancers"][0]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "served"}}
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[answer],
    )
    address = eventually(lambda: addresses(planes).get(f"{balancer['DNSName']}:443"))
    assert address

    trusting = ssl.create_default_context(cadata=pem["CertificateChain"])
    with httpx.Client(verify=trusting) as client:
        served = client.get(f"https://{address}/", headers={"host": host}, extensions={"sni_hostname": host})

    assert (served.status_code, served.text) == (200, "served")


def addresses(aws: LocalAws) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{aws.server.control}/addresses").raise_for_status().json()
    return found
