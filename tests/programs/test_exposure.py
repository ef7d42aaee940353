"""Exposure to the internet (R14)."""

from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import exposure
from policy.rules.rows import Rows, of_type
from tests.programs.changes import added, changed, giving
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

Rule = Callable[[Rows], list[str]]
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
FUNCTION = "aws:lambda/function:Function"
ANYONE = '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:SendMessage", "Resource": "*"}}'


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_world_may_come_in_by_the_two_network_load_balancers_only(environment: str) -> None:
    rows = registered(environment)
    open_groups = {
        row["inputs"]["securityGroupId"]
        for row in of_type(rows, exposure.INGRESS)
        if row["inputs"].get("cidrIpv4") == "0.0.0.0/0"
    }
    front = [row for row in of_type(rows, exposure.BALANCER) if row["inputs"]["loadBalancerType"] == "network"]

    assert len(front) == 2
    assert open_groups == {group for row in front for group in row["inputs"]["securityGroups"]}


@pytest.mark.parametrize(
    ("rule", "token", "name", "path", "value"),
    [
        *((exposure.public_access_blocked, BLOCK, "bucket-private", [key], False) for key in exposure.PRIVATE[BLOCK]),
        (exposure.public_access_blocked, BLOCK, "log-bucket-private", ["blockPublicPolicy"], None),
        (exposure.public_access_blocked, OWNERSHIP, "bucket-ownership", ["rule", "objectOwnership"], "ObjectWriter"),
        (exposure.public_address_denied, exposure.BUCKET, "bucket-bucket", ["acl"], "public-read"),
        (exposure.public_address_denied, exposure.BALANCER, "front-door-alb", ["internal"], False),
        (
            exposure.public_address_denied,
            "aws:ec2/subnet:Subnet",
            "network-public-us-east-1a",
            ["mapPublicIpOnLaunch"],
            True,
        ),
        (
            exposure.public_address_denied,
            "aws:rds/clusterInstance:ClusterInstance",
            "database-primary-1",
            ["publiclyAccessible"],
            True,
        ),
        (exposure.public_principal_denied, QUEUE_POLICY, "dead-letters-senders", ["policy"], ANYONE),
        (exposure.inline_rules_denied, exposure.GROUP, "front-door-alb", ["ingress"], [{"protocol": "-1"}]),
        (exposure.inline_rules_denied, exposure.GROUP, "payments-network", ["egress"], [{"protocol": "-1"}]),
        (exposure.rule_explicit, exposure.INGRESS, "front-door-nlb-to-alb", ["referencedSecurityGroupId"], None),
        (exposure.rule_explicit, exposure.INGRESS, "front-door-nlb-to-alb", ["cidrIpv4"], "10.0.0.0/16"),
        (exposure.rule_explicit, exposure.INGRESS, "front-door-nlb-to-alb", ["description"], ""),
        (exposure.rule_explicit, exposure.INGRESS, "front-door-clients-to-nlb", ["fromPort"], 80),
        (exposure.rule_explicit, exposure.EGRESS, "payments-out", ["ipProtocol"], "-1"),
        (exposure.ingress_source_restricted, exposure.INGRESS, "front-door-nlb-to-alb", ["cidrIpv4"], "0.0.0.0/0"),
        (exposure.ingress_source_restricted, exposure.INGRESS, "front-door-nlb-to-alb", ["cidrIpv6"], "::/0"),
        (
            exposure.ingress_source_restricted,
            exposure.INGRESS,
            "front-door-clients-to-nlb",
            ["cidrIpv4"],
            "203.0.113.0/24",
        ),
        (
            exposure.security_group_required,
            FUNCTION,
            "payments-function",
            ["vpcConfig", "securityGroupIds"],
            ["sg-default"],
        ),
        (exposure.security_group_required, exposure.BALANCER, "front-door-nlb", ["securityGroups"], []),
    ],
)
def test_what_is_open_is_refused(rule: Rule, token: str, name: str, path: list[str], value: Any) -> None:
    (violation,) = rule(changed(registered(DEFAULTS), token, name, giving(*path, value=value)))

    assert f"{token} {name}" in violation


@pytest.mark.parametrize("lost", ["bucket-private", "log-bucket-private", "bucket-ownership"])
def test_a_bucket_without_its_privacy_is_refused(lost: str) -> None:
    rows = [row for row in registered(DEFAULTS) if row["name"] != lost]

    assert len(exposure.public_access_blocked(rows)) == 2, "one in each region"


def test_the_peer_regions_network_may_be_named_by_its_addresses() -> None:
    """Without NAT: groups of another region cannot be named [VPC-3]."""
    peer = {"cidrIpv4": "10.1.0.0/16", "securityGroupId": "sg-endpoints"}
    own = {"cidrIpv4": "10.0.0.0/16", "securityGroupId": "sg-endpoints"}
    rows = registered(DEFAULTS)

    assert exposure.ingress_source_restricted(added(rows, exposure.INGRESS, "peer", **peer)) == []
    assert len(exposure.ingress_source_restricted(added(rows, exposure.INGRESS, "own", **own))) == 1


@pytest.mark.parametrize("token", exposure.DENIED_TYPES)
def test_a_type_that_opens_things_is_refused(token: str) -> None:
    (violation,) = exposure.resource_type_denied(added(registered(DEFAULTS), token, "one"))

    assert f"{token} one" in violation
