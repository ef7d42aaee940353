"""The plan of `deploy-global EXCLUDE_REGION=…` while a region is lost: nothing that needs that region."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from ops.rollout import degraded
from shared.command_line import CouldNotStart
from shared.places import Place
from shared.settings import GlobalSettings
from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn

SETTINGS = GlobalSettings.model_validate({"dr:environment": "dev", "dr:suffix": "dev"})
NOT_CUSTOM = ("dr:", "pulumi:pulumi:Stack")


def exported(rows: Sequence[dict[str, Any]]) -> str:
    """As `pulumi stack export` writes the registered resources."""
    resources = [
        {
            "urn": row["urn"],
            "type": row["type"],
            "custom": not row["type"].startswith(NOT_CUSTOM) or row["type"].endswith("StackReference"),
            "provider": f"{row['provider']}::some-id" if row["provider"] else "",
            "inputs": row["inputs"],
            "dependencies": row["options"]["depends_on"],
        }
        for row in rows
    ]
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


@pytest.fixture
def rows(registered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in registered if row["stack"] == "global"]


@pytest.mark.parametrize("place", Place)
def test_no_target_is_in_the_lost_region_names_it_or_depends_on_what_does(
    rows: list[dict[str, Any]], place: Place
) -> None:
    by_urn = {row["urn"]: row for row in rows}
    lost = SETTINGS.region(place)

    plan = degraded.plan(exported(rows), SETTINGS, place)

    assert plan.lost == lost
    assert plan.targets, "nothing is planned"
    for urn in plan.targets:
        assert by_urn[urn]["region"] != lost, urn
        assert f'"{lost}"' not in json.dumps(by_urn[urn]["inputs"]), urn
        assert not set(by_urn[urn]["options"]["depends_on"]) & set(plan.excluded), urn
    kinds = {row["urn"]: row["type"] for row in rows}
    every = {urn for urn, kind in kinds.items() if not kind.startswith((*NOT_CUSTOM, "pulumi:"))}
    assert every == set(plan.targets) | set(plan.excluded), "some are neither planned nor excluded"


def resource(name: str, provider: str = "", *, inputs: Any = None, needs: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:dev::dr-global::aws:x:Y::{name}",
        "type": "aws:x:Y",
        "custom": True,
        "provider": f"urn:pulumi:dev::dr-global::pulumi:providers:aws::{provider}::id" if provider else "",
        "inputs": inputs or {},
        "dependencies": [f"urn:pulumi:dev::dr-global::aws:x:Y::{each}" for each in needs],
    }


def provider(name: str, region: str) -> dict[str, Any]:
    kind = "pulumi:providers:aws"
    inputs = {"region": region}
    return {"urn": f"urn:pulumi:dev::dr-global::{kind}::{name}", "type": kind, "custom": True, "inputs": inputs}


def state(*resources: dict[str, Any]) -> str:
    regions = [provider("primary", "us-east-1"), provider("secondary", "us-east-2")]
    return json.dumps({"deployment": {"resources": [*regions, *resources]}})


def test_a_replica_a_copy_and_what_follows_from_them_are_left_out() -> None:
    held = state(
        resource("alarm", "secondary"),
        resource("table", "secondary", inputs={"replicas": [{"regionName": "us-east-1"}]}),
        resource("copy", "secondary", inputs={"to": "arn:aws:backup:us-east-1:1:backup-vault:v"}),
        resource("alarm-of-table", "secondary", needs=["table"]),
        resource("name", "secondary", inputs={"host": "nlb.elb.us-east-1.amazonaws.com"}),
        resource("member", "primary"),
        {**resource("role", "secondary"), "type": "aws:iam/role:Role"},
    )

    plan = degraded.plan(held, SETTINGS, Place.PRIMARY)

    assert [urn.rpartition("::")[2] for urn in plan.targets] == ["alarm", "name"]
    assert {urn.rpartition("::")[2]: why for urn, why in plan.excluded.items()} == {
        "table": "names something in us-east-1",
        "copy": "names something in us-east-1",
        "alarm-of-table": "depends on table",
        "role": "is changed in us-east-1",
        "member": "made through a provider of us-east-1",
    }


def test_it_is_refused_where_it_is_impossible() -> None:
    looked_up = SETTINGS.model_copy(update={"create_zone": False, "zone_name": "dr.example.com"})
    half = {**resource("half", "secondary"), "delete": True}

    with pytest.raises(CouldNotStart, match=r"looks up the zone dr\.example\.com in Route 53"):
        degraded.plan(state(resource("alarm", "secondary")), looked_up, Place.PRIMARY)
    with pytest.raises(CouldNotStart, match="nothing can be planned"):
        degraded.plan(state(resource("member", "primary")), SETTINGS, Place.PRIMARY)
    with pytest.raises(CouldNotStart, match="half replaced"):
        degraded.plan(state(half), SETTINGS, Place.PRIMARY)
    with pytest.raises(CouldNotStart, match="cannot be read"):
        degraded.plan("{}", SETTINGS, Place.PRIMARY)


@pytest.mark.usefixtures("signed_in")
def test_the_targets_reach_the_cli_and_a_region_is_excluded_from_global_only(pulumi: PulumiStandIn, ops: Ops) -> None:
    held = state(resource("alarm", "secondary"), resource("member", "primary"))

    def export(call: Call) -> Answer | None:
        return Answer(out=held) if call.verb == "stack export" else None

    pulumi.answer = export
    pulumi.outputs = {"primary": {"region": "us-east-1"}, "secondary": {"region": "us-east-2"}}
    answer = ops("deploy", "global", "--env", "dev", "--exclude-region", "primary", "--yes")
    refused = ops("deploy", "primary", "--env", "dev", "--exclude-region", "primary", "--yes")

    assert answer.exit_code == 0, answer.output
    (up,) = pulumi.of("up")
    targets = [word for before, word in zip(up.words, up.words[1:], strict=False) if before == "--target"]
    assert targets == ["urn:pulumi:dev::dr-global::aws:x:Y::alarm"]
    assert "member: made through a provider of us-east-1" in answer.output
    assert refused.exit_code == 2
