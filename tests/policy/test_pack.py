"""The policy pack as the Pulumi engine sees it: loaded in its own environment, asked over the wire."""

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


def test_every_rule_that_one_stack_can_show_is_a_mandatory_policy(pack: Pack) -> None:
    policies = pack.info().policies

    assert {each.name for each in policies} == {*NAMES[Scope.RESOURCE], *NAMES[Scope.STACK]}
    assert {each.enforcementLevel for each in policies} == {1}, "1 is MANDATORY on the wire"


def test_what_the_programs_register_passes_before_anything_is_made(pack: Pack) -> None:
    rows = registered(DEFAULTS)

    assert {row["urn"]: said for row in rows[::3] if (said := pack.resource(row, rows))} == {}


@pytest.mark.parametrize("name", NAMES[Scope.RESOURCE])
def test_a_bad_resource_is_refused_before_it_is_made(pack: Pack, name: str) -> None:
    seed = SEEDS[name]
    rows = seed.into(registered(DEFAULTS))
    row = next(each for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    said = pack.resource(row, rows)

    assert name in said, said
    assert seed.culprit in said[name][0]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("stack", STACKS)
def test_what_the_programs_register_passes_as_a_whole(pack: Pack, stack: str, environment: str) -> None:
    assert pack.stack(of_stack(registered(environment), stack)) == {}


@pytest.mark.parametrize("stack", STACKS)
def test_a_first_preview_refuses_nothing_for_what_it_cannot_know(pack: Pack, stack: str) -> None:
    assert pack.stack(of_stack(registered(DEFAULTS), stack), first_preview=True) == {}


@pytest.mark.parametrize("name", NAMES[Scope.STACK])
def test_a_stack_in_which_something_does_not_fit_is_refused(pack: Pack, name: str) -> None:
    seed = SEEDS[name]
    rows = seed.into(registered(DEFAULTS))
    stack = next(each["stack"] for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    said = pack.stack(of_stack(rows, stack))

    assert name in said, said
    assert any(f"{seed.culprit} " in each for each in said[name])


def test_the_suffix_that_names_must_carry_is_the_stacks_setting(python: Path) -> None:
    rows = registered(DEFAULTS)
    queue = next(row for row in rows if row["type"] == "aws:sqs/queue:Queue")

    with engine.serving(python, {"dr:suffix": "blue"}) as pack:
        said = pack.resource(queue, rows)

    assert set(said) == {"name-suffix-required"}
    assert "put the suffix blue into its name" in said["name-suffix-required"][0]


@pytest.mark.parametrize(
    "name", ["accelerator-listener-two-regions", "deletion-protection-consistent", "default-tags-required"]
)
def test_a_first_preview_refuses_what_it_can_know(pack: Pack, name: str) -> None:
    seed = SEEDS[name]
    rows = seed.into(registered(DEFAULTS))
    stack = next(each["stack"] for each in rows if (each["type"], each["name"]) == (seed.token, seed.name))

    assert name in pack.stack(of_stack(rows, stack), first_preview=True)
