"""The output of `dr drift`, with the stand-in for `pulumi`."""

import json
from typing import Any

import pytest

from tests.ops.conftest import Ops
from tests.ops.stand_in import PulumiStandIn

pytestmark = pytest.mark.usefixtures("signed_in")

GROUP = "urn:pulumi:dev::dr-primary::dr:network:Network$aws:cloudwatch/logGroup:LogGroup::flow-logs"


def step(op: str) -> dict[str, Any]:
    """Of the engine's plan, about one log group."""
    return {"op": op, "urn": GROUP, "old": {"custom": True}}


def test_nothing_differs(pulumi: PulumiStandIn, ops: Ops) -> None:
    pulumi.plans["primary"] = [step("same")]
    pulumi.drifted["primary"] = [step("same")]

    answer = ops("drift", "--env", "dev")

    assert answer.exit_code == 0, answer.output
    assert [f"{stack}: no differences" in answer.stdout for stack in ("primary", "secondary", "global")] == [True] * 3
    assert not pulumi.of("up")


@pytest.mark.parametrize(("kind", "name"), [("plans", "planned"), ("drifted", "drifted")])
def test_what_differs_is_listed_by_stack_and_by_who_changed_it(
    pulumi: PulumiStandIn, ops: Ops, kind: str, name: str
) -> None:
    getattr(pulumi, kind)["primary"] = [step("update")]
    change = "update aws:cloudwatch/logGroup:LogGroup flow-logs"

    people = ops("drift", "primary", "--env", "dev")
    machines = ops("drift", "primary", "--env", "dev", "--json")

    assert (people.exit_code, machines.exit_code) == (1, 1)
    assert f"primary: 1 difference\n  {name}: {change}\n" in people.stdout
    assert json.loads(machines.stdout) == {"stacks": {"primary": {"planned": [], "drifted": []} | {name: [change]}}}


def test_nothing_is_kept_of_the_refresh(pulumi: PulumiStandIn, ops: Ops) -> None:
    ops("drift", "global", "--env", "dev")

    (refresh,) = pulumi.of("refresh")
    assert "--preview-only" in refresh.words
    assert "--yes" not in refresh.words


def test_a_preview_that_fails_is_no_difference(pulumi: PulumiStandIn, ops: Ops) -> None:
    pulumi.failing.add(("refresh", "global"))

    answer = ops("drift", "--env", "dev")

    assert answer.exit_code == 2
    assert "the refresh of global failed" in answer.output
