"""Arguments that force a replacement, compared with the SDK's documentation and the arguments that the stacks give."""

import importlib
import re
from collections.abc import Iterator

import pytest
from pulumi._types import input_type_py_to_pulumi_names

from localaws.provider.preparation import entry_of
from localaws.provider.replacement import IN_PLACE, REPLACED, forced_by
from localaws.provider.resources import TABLE

_FORCES = re.compile(
    r"\bforces? (?:a |the )?(?:new|replacement|re-?creation)|will (?:force|trigger) [\w ]*recreat", re.I
)

CONDITIONAL = {
    "aws:ec2/subnet:Subnet": {"ipv6CidrBlock"},  # only if an association exists
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"privateDnsEnabled"},  # only of a gateway endpoint
    "aws:lb/loadBalancer:LoadBalancer": {
        "secondaryIpsAutoAssignedPerSubnet",
        "securityGroups",
        "subnets",
    },  # removing one
    "aws:rds/cluster:Cluster": {"storageType"},  # only of a Multi-AZ cluster that is no Aurora one
}
"""Documented to force a replacement in some cases, of which none can occur here."""


def documented(type_: str) -> Iterator[str]:
    """The arguments of a type whose documented changes force a replacement."""
    package, module, name = re.match(r"(\w+):(\w+)/[^:]+:(\w+)", type_).groups()  # type: ignore[union-attr]
    sdk = importlib.import_module(f"pulumi_{package}")
    if module != "index":
        sdk = getattr(sdk, f"{module}_" if module == "lambda" else module)
    arguments = getattr(sdk, f"{name}Args")
    for python, argument in input_type_py_to_pulumi_names(arguments).items():
        if _FORCES.search(getattr(arguments, python).fget.__doc__ or ""):
            yield argument


@pytest.mark.parametrize("type_", TABLE)
def test_what_the_sdk_documents_to_force_a_replacement_does(type_: str) -> None:
    forcing = {*documented(type_)} - CONDITIONAL.get(type_, set())

    assert forced_by(type_, forcing) == forcing


def test_the_documentation_is_found() -> None:
    assert sum(len([*documented(type_)]) for type_ in TABLE) >= 10
    assert all(given <= {*documented(type_)} for type_, given in CONDITIONAL.items())


@pytest.mark.parametrize(
    ("type_", "argument", "replaced"),
    [
        ("aws:ec2/vpc:Vpc", "cidrBlock", True),
        ("aws:ec2/subnet:Subnet", "availabilityZone", True),
        ("aws:rds/cluster:Cluster", "kmsKeyId", True),
        ("aws:rds/cluster:Cluster", "engineVersion", False),
        ("aws:rds/globalCluster:GlobalCluster", "globalClusterIdentifier", True),
        ("aws:dynamodb/table:Table", "hashKey", True),
        ("aws:dynamodb/table:Table", "replicas", False),
        ("aws:s3/bucket:Bucket", "bucket", True),
        ("aws:apigateway/deployment:Deployment", "triggers", True),
        ("aws:lambda/function:Function", "code", False),
        ("aws:lambda/layerVersion:LayerVersion", "code", True),
        ("aws:sns/topic:Topic", "tags", False),
        ("aws:sns/topic:Topic", "tagsAll", False),
        ("random:index/randomPassword:RandomPassword", "length", True),
        ("tls:index/selfSignedCert:SelfSignedCert", "validityPeriodHours", True),
    ],
)
def test_a_change_replaces_a_resource_or_updates_it(type_: str, argument: str, replaced: bool) -> None:
    assert forced_by(type_, [argument]) == ({argument} if replaced else set())


def test_the_exceptions_are_ones() -> None:
    for type_, arguments in IN_PLACE.items():
        stuck = {*arguments} - {*forced_by(type_, arguments)}
        assert stuck == {*arguments}
        assert entry_of(type_)
    for type_, arguments in REPLACED.items():
        assert forced_by(type_, arguments) == {*arguments}
