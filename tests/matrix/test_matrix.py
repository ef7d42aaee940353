"""Combinations of engine, traffic mode, NAT mode, domain and zones: deployed, checked, deployed again, destroyed.

`MATRIX=all` in the environment (`make matrix`) runs every combination, otherwise a set that contains every pair of
choices.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from localaws.engine import Deployment, State, deploy, destroy
from shared.local_aws import PROGRAMS
from shared.outputs import PlainGlobalOutputs, PlainRegionOutputs
from tests.matrix.account import Account
from tests.matrix.combinations import Combination, combinations, covering
from tests.matrix.conftest import DOMAIN

ALL = list(combinations(DOMAIN))
CHOSEN = ALL if os.environ.get("MATRIX") == "all" else covering(ALL)
# The one that `make test` takes: it has what a development environment has not.
PRIVATE = next(each for each in CHOSEN if each.nat == "none" and each.domain)
NOTHING: dict[tuple[str, str], list[str]] = {}


class Environment:
    """One combination, deployed twice and destroyed, and the seconds that each took."""

    def __init__(self, account: Account, combination: Combination) -> None:
        self.account = account
        self.combination = combination
        self.seconds: dict[str, float] = {}
        self.gone = False
        self._state = State()

    def deploy(self) -> Deployment:
        began = time.monotonic()
        settings = self.combination.settings
        name, endpoint = self.combination.environment, self.account.endpoint
        deployment = deploy(name, endpoint, PROGRAMS, state=self._state, config_overrides=settings)
        self.seconds["again" if self.seconds else "deploy"] = time.monotonic() - began
        return deployment

    def destroy(self) -> None:
        began = time.monotonic()
        destroy(self.combination.environment, self.account.endpoint, PROGRAMS, state=self._state)
        self.gone = True
        self.seconds["destroy"] = time.monotonic() - began


@pytest.fixture
def environment(account: Account, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The combination of the test, destroyed after the test in any case."""
    made = Environment(account, request.param)
    yield made
    if not made.gone:
        made.destroy()
        account.settle()


def name_of(combination: Combination) -> str:
    domain = "domain" if combination.domain else "no-domain"
    return f"{combination.engine}/{combination.mode}/nat-{combination.nat}/{domain}/{combination.zones}-zones"


@pytest.mark.parametrize(
    "environment",
    [pytest.param(each, marks=[] if each is PRIVATE else [pytest.mark.nightly]) for each in CHOSEN],
    ids=name_of,
    indirect=True,
)
def test_a_combination_is_deployed_and_destroyed_without_leftovers(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    account, combination = environment.account, environment.combination

    first = environment.deploy()
    assert services(first) <= {listing.partition(":")[0] for listing, _ in account.added()}, "it is not seen"

    again = environment.deploy()
    assert (again.changes.created, again.changes.updated, again.changes.deleted) == ([], [], [])
    assert again.registrations == first.registrations, "the second run registered other inputs"
    regions, whole = contract(first)
    assert again.outputs == first.outputs
    assert {place: empty(outputs) for place, outputs in regions.items()} == {
        "primary": combination.empty_outputs,
        "secondary": combination.empty_outputs,
    }
    assert empty(whole) == set()
    for outputs in regions.values():
        check_network(account, combination, outputs)
        check_names(account, combination, outputs)
    check_database(account, combination, whole)
    assert dials(account, whole) == {100, 100 if combination.mode == "active-active" else 0}

    environment.destroy()
    began = time.monotonic()
    assert account.settle() == (NOTHING, NOTHING)
    environment.seconds["inventory"] = time.monotonic() - began
    with capsys.disabled():
        spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in environment.seconds.items())
        print(f"\n{1 + CHOSEN.index(combination)}/{len(CHOSEN)} {name_of(combination)}: {spent} ", end="")


def services(deployment: Deployment) -> set[str]:
    """The services of the deployment's resources, by boto3's names."""
    types = [row["type"] for row in deployment.rows if row["type"].startswith("aws:")]
    modules = {each.partition("/")[0].removeprefix("aws:") for each in types}
    renamed = {
        "cloudwatch": {"cloudwatch", "events", "logs"},
        "lb": {"elbv2"},
        "vpc": {"ec2"},
        "sfn": {"stepfunctions"},
    }
    return set().union(*(renamed.get(each, {each}) for each in modules))


def contract(deployment: Deployment) -> tuple[dict[str, PlainRegionOutputs], PlainGlobalOutputs]:
    """The outputs of the regions and of `global`. Raises OutputsError if one is missing."""
    outputs = deployment.outputs
    regions = {place: PlainRegionOutputs.from_plain(outputs[place]) for place in ("primary", "secondary")}
    return regions, PlainGlobalOutputs.from_plain(outputs["global"])


def empty(outputs: Any) -> set[str]:
    return {name for name, value in outputs.leaves() if not value}


def check_network(account: Account, combination: Combination, outputs: PlainRegionOutputs) -> None:
    ec2 = account.client("ec2", outputs.region)
    inside = [{"Name": "vpc-id", "Values": [outputs.network.vpc_id]}]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    gateways = ec2.describe_nat_gateways(Filters=inside)["NatGateways"]
    endpoints = ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]

    assert {each["SubnetId"] for each in subnets} == {
        *outputs.network.public_subnet_ids,
        *outputs.network.private_subnet_ids,
    }
    assert len({each["AvailabilityZone"] for each in subnets}) == combination.zones
    assert len(gateways) == combination.nat_gateways
    assert any(each["VpcEndpointType"] == "Interface" for each in endpoints) == (combination.nat == "none")


def check_names(account: Account, combination: Combination, outputs: PlainRegionOutputs) -> None:
    """With a domain, the region has a certificate issued by ACM, and its API a custom domain."""
    acm, api = account.client("acm", outputs.region), account.client("apigateway", outputs.region)
    certificate = acm.describe_certificate(CertificateArn=outputs.ingress.certificate_arn)["Certificate"]
    names = {each["domainName"] for each in api.get_domain_names()["items"]}

    assert certificate["Status"] == "ISSUED"
    assert certificate["Type"] == ("AMAZON_ISSUED" if combination.domain else "IMPORTED")
    assert names == ({f"api.{combination.domain}"} if combination.domain else set())
    for name in names:
        (mapping,) = api.get_base_path_mappings(domainName=name)["items"]
        assert (mapping["restApiId"], mapping["stage"]) == (outputs.ingress.api_id, outputs.ingress.api_stage)


def check_database(account: Account, combination: Combination, outputs: PlainGlobalOutputs) -> None:
    for region, arn in zip(account.regions, (outputs.primary_cluster_arn, outputs.secondary_cluster_arn), strict=True):
        (cluster,) = account.client("rds", region).describe_db_clusters(DBClusterIdentifier=arn)["DBClusters"]
        assert cluster["Engine"] == combination.engine


def dials(account: Account, outputs: PlainGlobalOutputs) -> set[float]:
    client = account.client("globalaccelerator", "us-west-2")
    (listener,) = client.list_listeners(AcceleratorArn=outputs.accelerator_arn)["Listeners"]
    groups = client.list_endpoint_groups(ListenerArn=listener["ListenerArn"])["EndpointGroups"]
    return {group["TrafficDialPercentage"] for group in groups}
