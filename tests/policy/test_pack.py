"""The policy pack in its own virtual environment, called over gRPC as by the Pulumi engine."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from policy.catalogue import RULES, Scope
from policy.rules.rows import Row, Rows
from tests.policy import engine
from tests.policy.engine import ROOT, Pack, checked, of_stack
from tests.policy.seeds import SEEDS, Seed
from tests.programs import sdk
from tests.programs.changes import without
from tests.programs.previewed import previewed
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

STACKS = ("primary", "secondary", "global")
NAMES = {scope: [rule.name for rule in RULES if rule.scope is scope] for scope in Scope}


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of the pack's own environment."""
    folder = ROOT / "build" / "policy-venv"
    assert (folder / ".ready").exists(), "run `make policy`, as `make test` does"
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def pack(python: Path) -> Iterator[Pack]:
    with engine.serving(python) as running:
        yield running


def test_every_rule_of_one_stack_or_less_is_a_mandatory_policy(pack: Pack) -> None:
    policies = pack.info().policies

    assert {each.name for each in policies} == {*NAMES[Scope.RESOURCE], *NAMES[Scope.STACK]}
    assert {each.enforcementLevel for each in policies} == {1}, "1 is MANDATORY on the wire"


Passed = Callable[[str], Rows]
"""The rows that the engine passes for an environment."""


@cache
def deployed(environment: str) -> Rows:
    return checked(registered(environment))


@cache
def least_known(environment: str) -> Rows:
    """In a first preview, if every argument that a program leaves out is decided by AWS."""
    return checked(previewed(environment))


@cache
def preview(environment: str) -> Rows:
    """In a first preview, if none is: everything that is no argument is unknown."""
    return [{**row, "outputs": _without_arguments(row)} for row in least_known(environment)]


def _without_arguments(row: Row) -> dict[str, Any]:
    left_out = sdk.inputs(row["type"]).keys() - row["inputs"].keys() if row["type"].startswith("aws:") else set()
    return {key: value for key, value in row["outputs"].items() if key not in left_out}


@pytest.mark.parametrize("passed", [deployed, preview])
def test_every_resource_passes_before_its_creation(pack: Pack, passed: Passed) -> None:
    """One of each shape over the gRPC protocol; `test_catalogue` tests the rules with the values of every resource."""
    shapes: dict[str, tuple[Row, Rows]] = {}
    for rows in map(passed, ENVIRONMENTS):
        for row in rows:
            if row["type"].startswith("aws:"):
                shapes.setdefault(_shape(row), (row, rows))

    assert {row["urn"]: found for row, rows in shapes.values() if (found := pack.resource(row, rows))} == {}


def _shape(row: Row) -> str:
    """The properties on which the pack's conversion of a resource depends: all but its texts and numbers."""
    options = [row["options"][key] for key in ("protect", "ignore_changes")]
    return json.dumps([row["type"], _shape_of(row["inputs"]), options], sort_keys=True)


def _shape_of(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shape_of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shape_of(each) for each in value]
    return value if value is None or isinstance(value, bool) or value == UNKNOWN else type(value).__name__


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("passed", [deployed, preview, least_known])
def test_every_stack_passes_as_a_whole(pack: Pack, passed: Passed, stack: str, environment: str) -> None:
    assert pack.stack(of_stack(passed(environment), stack)) == {}


@pytest.mark.parametrize("passed", [deployed, preview])
@pytest.mark.parametrize("name", NAMES[Scope.RESOURCE])
def test_a_resource_with_a_violation_is_rejected_before_its_creation(pack: Pack, name: str, passed: Passed) -> None:
    seed = SEEDS[name]
    rows = _with(seed, passed)
    row = next(each for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    found = pack.resource(row, rows)

    assert name in found, found
    assert seed.culprit in found[name][0]
    assert found[name][0].partition("; ")[2], "the remedy follows a semicolon"


@pytest.mark.parametrize("passed", [deployed, preview])
@pytest.mark.parametrize("name", NAMES[Scope.STACK])
def test_a_stack_with_a_violation_is_rejected(pack: Pack, name: str, passed: Passed) -> None:
    seed = SEEDS[name]
    rows = _with(seed, passed)
    stack = next(each["stack"] for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    found = pack.stack(of_stack(rows, stack))

    assert name in found, found
    assert any(f"{seed.culprit} " in each and each.partition("; ")[2] for each in found[name])


def _with(seed: Seed, passed: Passed) -> Rows:
    """The violation is the program's: `Check` follows it."""
    if passed is deployed:
        return checked(seed.into(registered(DEFAULTS)))
    return checked(seed.into(preview(DEFAULTS)))


def test_an_automatic_name_is_rejected(pack: Pack) -> None:
    """It has neither suffix nor place, and a second creation after an interrupted one would not be refused."""
    seed = Seed("aws:ec2/securityGroup:SecurityGroup", "front-door-nlb", without("name"))
    rows = checked(seed.into(registered(DEFAULTS)))
    row = next(each for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    assert pack.resource(row, rows).keys() == {"name-place-required", "name-suffix-required"}


def test_the_required_suffix_is_the_stacks_setting(python: Path) -> None:
    rows = deployed(DEFAULTS)
    queue = next(row for row in rows if row["type"] == "aws:sqs/queue:Queue")

    with engine.serving(python, {"dr:suffix": "blue"}) as pack:
        found = pack.resource(queue, rows)

    assert set(found) == {"name-suffix-required"}
    assert "put the suffix blue into its name" in found["name-suffix-required"][0]
