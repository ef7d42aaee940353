"""Interface endpoints of a region without NAT: who reaches what, by which name."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.network.endpoints import (
    PEER_SERVICES,
    SERVICES,
    InterfaceEndpoints,
    InterfaceEndpointsArgs,
    regional_entry,
)
from localaws.engine.registration import Registration
from tests.components.answers import answer
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
CLIENTS = {"payments": "sg-payments", "ledger": "sg-ledger"}


def entries(endpoint: Registration) -> list[dict[str, str]]:
    """The names of an endpoint, in an order that puts the regional one neither first nor last."""
    service = str(endpoint.inputs["serviceName"]).rpartition(".")[2]
    return [
        {"dnsName": f"vpce-1-us-east-1a.{service}.us-east-1.vpce.amazonaws.com", "hostedZoneId": "Z1A"},
        {"dnsName": f"vpce-1.{service}.us-east-1.vpce.amazonaws.com", "hostedZoneId": "ZREGION"},
        {"dnsName": f"{service}.us-east-1.amazonaws.com", "hostedZoneId": "ZPRIVATE"},
    ]


@pytest.fixture
def built(build: Build, monkeypatch: pytest.MonkeyPatch) -> Built:
    answer(monkeypatch, "VpcEndpoint", dnsEntries=entries)

    def program() -> None:
        provider = aws.Provider("primary", region="us-east-1")
        endpoints = InterfaceEndpoints(
            "endpoints",
            InterfaceEndpointsArgs(
                name="vpc-primary-dev",
                region="us-east-1",
                vpc_id="vpc-1",
                subnet_ids=["subnet-a", "subnet-b"],
                clients=CLIENTS,
                peer_cidr="10.1.0.0/16",
            ),
            opts=pulumi.ResourceOptions(providers=[provider]),
        )
        pulumi.export("hosts", endpoints.outputs.hosts)
        pulumi.export("zones", endpoints.outputs.zone_ids)

    return build(program)


def group(built: Built, role: str) -> str:
    return f"{built.one('SecurityGroup', f'endpoints-{role}').name}-id"


def by_service(built: Built) -> dict[str, dict[str, Any]]:
    return {
        each.inputs["serviceName"].removeprefix("com.amazonaws.us-east-1."): dict(each.inputs)
        for each in built.all("VpcEndpoint")
    }


def test_every_service_that_a_function_calls_has_an_endpoint_in_every_subnet(built: Built) -> None:
    found = by_service(built)

    assert set(found) == {*SERVICES, *PEER_SERVICES}
    assert all(each["vpcEndpointType"] == "Interface" for each in found.values())
    assert all(each["subnetIds"] == ["subnet-a", "subnet-b"] for each in found.values())


def test_own_functions_find_the_endpoints_by_the_services_usual_names(built: Built) -> None:
    private = {service for service, each in by_service(built).items() if each["privateDnsEnabled"]}

    assert private == set(SERVICES)
    assert "dynamodb" not in private, "it has no private DNS, and would take own calls from the free gateway"


def test_only_our_functions_reach_the_endpoints(built: Built) -> None:
    rules = [
        each.inputs
        for each in built.all("SecurityGroupIngressRule")
        if each.inputs["securityGroupId"] == group(built, "own")
    ]

    assert {rule["referencedSecurityGroupId"] for rule in rules} == set(CLIENTS.values())
    assert all((rule["fromPort"], rule["toPort"]) == (443, 443) for rule in rules)
    assert not [rule for rule in rules if "cidrIpv4" in rule]


def test_the_peer_region_reaches_its_services_and_no_other(built: Built) -> None:
    (rule,) = [each.inputs for each in built.all("SecurityGroupIngressRule") if "cidrIpv4" in each.inputs]
    open_to_peer = {
        service for service, each in by_service(built).items() if group(built, "peer") in each["securityGroupIds"]
    }

    assert (rule["cidrIpv4"], rule["securityGroupId"]) == ("10.1.0.0/16", group(built, "peer"))
    assert open_to_peer == set(PEER_SERVICES)
    assert by_service(built)["dynamodb"]["securityGroupIds"] == [group(built, "peer")]


def test_groups_hold_no_inline_rules_and_let_nothing_out(built: Built) -> None:
    groups = built.all("SecurityGroup")

    assert groups
    assert not [each.name for each in groups if "ingress" in each.inputs or "egress" in each.inputs]
    assert not built.all("SecurityGroupEgressRule")


def test_the_peer_gets_the_regional_names(built: Built) -> None:
    assert built.exports["hosts"] == [f"vpce-1.{service}.us-east-1.vpce.amazonaws.com" for service in PEER_SERVICES]
    assert set(built.exports["zones"]) == {"ZREGION"}


def test_an_endpoint_without_a_regional_name_is_refused() -> None:
    private_only = SimpleNamespace(dns_name="ssm.us-east-1.amazonaws.com", hosted_zone_id="Z1")

    for names in (None, [], [private_only]):
        with pytest.raises(ValueError, match="has no name under"):
            regional_entry(names)


def test_endpoints_that_no_function_may_use_are_refused() -> None:
    with pytest.raises(ValueError, match="have no clients"):
        InterfaceEndpointsArgs(
            name="vpc", region="us-east-1", vpc_id="vpc-1", subnet_ids=["subnet-a"], clients={}, peer_cidr="10.1.0.0/16"
        )
