"""Plans of the engine that a deployment refuses, with the stand-in for `pulumi`."""

from typing import Any

import pytest

from ops.rollout.plan_guard import HOLDS_DATA
from tests.ops.conftest import Ops
from tests.ops.stand_in import ACCOUNT, PulumiStandIn

pytestmark = pytest.mark.usefixtures("signed_in")

DEPLOYED: dict[str, dict[str, Any]] = {
    "primary": {"suffix": "dev", "region": "us-east-1", "network": {"cidr": "10.0.0.0/16"}},
    "secondary": {"suffix": "dev", "region": "us-east-2", "network": {"cidr": "10.1.0.0/16"}},
    "global": {"suffix": "dev", "zone_id": "Z1"},
}
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
TABLE = "aws:dynamodb/table:Table"


@pytest.fixture
def deployed(pulumi: PulumiStandIn) -> PulumiStandIn:
    """An environment that was deployed with the settings of dev."""
    pulumi.outputs = {stack: dict(outputs) for stack, outputs in DEPLOYED.items()}
    return pulumi


def step(op: str, name: str, type_: str = TABLE, *, keys: tuple[str, ...] = (), **old: Any) -> dict[str, Any]:
    """A step of the engine's plan, as `resourcePreEvent` has it."""
    urn = f"urn:pulumi:dev::dr::dr:data:Journal${type_}::{name}"
    return {"op": op, "urn": urn, "type": type_, "keys": list(keys), "old": {"custom": True, **old}}


def replacement(name: str, type_: str = TABLE, *keys: str) -> list[dict[str, Any]]:
    """The three steps of a replacement, in which only the first two name the cause."""
    return [
        step("create-replacement", name, type_, keys=keys),
        step("replace", name, type_, keys=keys),
        step("delete-replaced", name, type_),
    ]


@pytest.mark.parametrize("type_", sorted(HOLDS_DATA))
@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_plan_that_takes_away_what_holds_data_is_refused_before_the_first_change(
    deployed: PulumiStandIn, ops: Ops, type_: str, how: str
) -> None:
    deployed.plans["global"] = (
        replacement("kept-here", type_, "name") if how == "replaced" else [step("delete", "kept-here", type_)]
    )

    answer = ops("deploy", "--env", "dev", "--yes")

    assert answer.exit_code == 1
    cause = " (name)" if how == "replaced" else ""
    assert f"global: kept-here, {type_}: {how}{cause}; it holds {HOLDS_DATA[type_]}" in answer.output
    assert 'make deploy ENV=dev ALLOW="kept-here"' in answer.output
    assert not deployed.of("up")


def test_every_resource_has_to_be_agreed_to_by_its_own_name(deployed: PulumiStandIn, ops: Ops) -> None:
    deployed.plans["global"] = [
        step("delete", "journal"),
        *replacement("database", "aws:rds/cluster:Cluster", "kmsKeyId"),
    ]

    one = ops("deploy", "--env", "dev", "--yes", "--allow", "journal")
    both = ops("deploy", "--env", "dev", "--yes", "--allow", "journal", "--allow", "database")

    assert one.exit_code == 1
    assert "global: database" in one.output
    assert "global: journal" not in one.output
    assert 'ALLOW="database journal"' in one.output
    assert both.exit_code == 0, both.output
    assert sorted(deployed.order("up")) == ["global", "primary", "secondary"]


def test_a_preview_fails_where_the_deployment_would_be_refused(deployed: PulumiStandIn, ops: Ops) -> None:
    deployed.plans["secondary"] = [step("delete", "data-key", "aws:kms/key:Key")]

    refused = ops("preview", "secondary", "--env", "dev")
    agreed = ops("preview", "secondary", "--env", "dev", "--allow", "data-key")

    assert (refused.exit_code, agreed.exit_code) == (1, 0)
    assert 'make deploy-secondary ENV=dev ALLOW="data-key"' in refused.output


@pytest.mark.parametrize(
    ("stack", "changed", "setting"),
    [
        ("primary", {"suffix": "dr-old"}, "dr:suffix"),
        ("global", {"suffix": "dr-old"}, "dr:suffix"),
        ("primary", {"region": "eu-west-1"}, "dr:primaryRegion"),
        ("secondary", {"region": "eu-west-1"}, "dr:secondaryRegion"),
        ("primary", {"network": {"cidr": "10.9.0.0/16"}}, "network:primaryCidr"),
        ("secondary", {"network": {"cidr": "10.9.0.0/16"}}, "network:secondaryCidr"),
    ],
)
def test_another_identity_is_refused_although_nothing_with_data_is_in_the_plan(
    deployed: PulumiStandIn, ops: Ops, stack: str, changed: dict[str, Any], setting: str
) -> None:
    deployed.outputs[stack] |= changed

    refused = ops("deploy", stack, "--env", "dev", "--yes")
    agreed = ops("deploy", stack, "--env", "dev", "--yes", "--allow", setting)

    assert refused.exit_code == 1
    assert f"{setting}: deployed with " in refused.output
    assert agreed.exit_code == 0, agreed.output


def test_another_engine_has_to_be_agreed_to_beside_the_cluster(deployed: PulumiStandIn, ops: Ops) -> None:
    deployed.plans["global"] = replacement("database-global", "aws:rds/globalCluster:GlobalCluster", "engine")

    answer = ops("deploy", "--env", "dev", "--yes", "--allow", "database-global")

    assert answer.exit_code == 1
    assert "database:engine" in answer.output


@pytest.mark.parametrize(
    "harmless",
    [
        replacement("health-logs", LOG_GROUP, "name"),
        [step("delete", "health-logs", LOG_GROUP)],
        [step("update", "journal")],
        [step("create", "journal")],
        [step("delete", "journal", retainOnDelete=True)],
        [step("delete", "component", "dr:data:Journal", custom=False)],
    ],
    ids=["logs replaced", "logs deleted", "updated", "created", "retained", "component"],
)
def test_what_takes_no_data_away_is_deployed(deployed: PulumiStandIn, ops: Ops, harmless: list[dict[str, Any]]) -> None:
    deployed.plans["global"] = harmless

    answer = ops("deploy", "--env", "dev", "--yes")

    assert answer.exit_code == 0, answer.output


def test_what_a_person_agrees_to_has_counts_and_names_what_goes(deployed: PulumiStandIn, ops: Ops) -> None:
    deployed.plans["primary"] = [
        step("create", "one"),
        step("create", "two"),
        *replacement("health-logs", LOG_GROUP, "name"),
        step("delete", "old-alarm", "aws:cloudwatch/metricAlarm:MetricAlarm"),
    ]

    answer = ops("deploy", "primary", "--env", "dev", typed="no\n")

    assert answer.exit_code == 2
    assert f"of dev in account …{ACCOUNT[-4:]}" in answer.output
    assert "  primary: 2 to create, 1 to replace, 1 to delete\n" in answer.output
    assert f"    replaced: health-logs, {LOG_GROUP} (name)\n" in answer.output
    assert "    deleted: old-alarm, aws:cloudwatch/metricAlarm:MetricAlarm\n" in answer.output
    assert not deployed.of("up")


def test_global_is_planned_again_if_the_regions_change(deployed: PulumiStandIn, ops: Ops) -> None:
    deployed.plans["primary"] = [step("update", "function")]
    changed = ops("deploy", "--env", "dev", "--yes")
    previews = deployed.order("preview")
    deployed.plans["primary"] = []
    unchanged = ops("deploy", "--env", "dev", "--yes")

    assert (changed.exit_code, unchanged.exit_code) == (0, 0)
    assert previews.count("global") == 2
    assert deployed.order("preview").count("global") == 3


def test_a_plan_of_global_that_is_refused_after_the_regions_is_incomplete(pulumi: PulumiStandIn, ops: Ops) -> None:
    def first_deployment(call: Any) -> None:
        if call.verb == "up":
            pulumi.outputs[call.stack] = DEPLOYED[call.stack]

    pulumi.answer = first_deployment
    pulumi.plans["global"] = [step("delete", "journal")]

    answer = ops("deploy", "--env", "dev", "--yes")

    assert answer.exit_code == 3
    assert "the regions are deployed, global was not touched" in answer.output
    assert sorted(pulumi.order("up")) == ["primary", "secondary"]
    assert pulumi.order("preview")[-1] == "global"
