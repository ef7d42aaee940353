"""The policy pack in its own virtual environment, called over gRPC as by the Pulumi engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.catalogue import RULES, Scope
from tests.policy import engine
from tests.policy.engine import ROOT, Pack, of_stack
from tests.policy.seeds import SEEDS
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


def test_every_registered_resource_passes_before_its_creation(pack: Pack) -> None:
    rows = registered(DEFAULTS)

    assert {row["urn"]: found for row in rows[::3] if (found := pack.resource(row, rows))} == {}


@pytest.mark.parametrize("name", NAMES[Scope.RESOURCE])
def test_a_resource_with_a_violation_is_rejected_before_its_creation(pack: Pack, name: str) -> None:
    seed = SEEDS[name]
    rows = seed.into(registered(DEFAULTS))
    row = next(each for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    found = pack.resource(row, rows)

    assert name in found, found
    assert seed.culprit in found[name][0]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_passes_as_a_whole(pack: Pack, stack: str, environment: str) -> None:
    assert pack.stack(of_stack(registered(environment), stack)) == {}


@pytest.mark.parametrize("stack", STACKS)
def test_a_first_preview_passes_with_unknown_values(pack: Pack, stack: str) -> None:
    assert pack.stack(of_stack(registered(DEFAULTS), stack), first_preview=True) == {}


@pytest.mark.parametrize("name", NAMES[Scope.STACK])
def test_a_stack_with_a_violation_is_rejected(pack: Pack, name: str) -> None:
    seed = SEEDS[name]
    rows = seed.into(registered(DEFAULTS))
    stack = next(each["stack"] for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    found = pack.stack(of_stack(rows, stack))

    assert name in found, found
    assert any(f"{seed.culprit} " in each for each in found[name])


def test_the_required_suffix_is_the_stacks_setting(python: Path) -> None:
    rows = registered(DEFAULTS)
    queue = next(row for row in rows if row["type"] == "aws:sqs/queue:Queue")

    with engine.serving(python, {"dr:suffix": "blue"}) as pack:
        found = pack.resource(queue, rows)

    assert set(found) == {"name-suffix-required"}
    assert "put the suffix blue into its name" in found["name-suffix-required"][0]


@pytest.mark.parametrize(
    "name", ["accelerator-listener-two-regions", "deletion-protection-consistent", "default-tags-required"]
)
def test_a_first_preview_rejects_a_violation_in_known_values(pack: Pack, name: str) -> None:
    seed = SEEDS[name]
    rows = seed.into(registered(DEFAULTS))
    stack = next(each["stack"] for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    assert name in pack.stack(of_stack(rows, stack), first_preview=True)
