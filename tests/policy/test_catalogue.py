"""Every rule passes for every profile, and rejects its violation."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from policy.catalogue import RULES, Rule, Scope
from policy.rules.rows import Row, Rows
from policy.rules.unknown import NotKnownYet, Unknown
from tests.policy.engine import checked
from tests.policy.seeds import SEEDS
from tests.programs.previewed import previewed
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

STACKS = ("primary", "secondary", "global")
IN_THE_PACK = [rule for rule in RULES if rule.scope is not Scope.DEPLOYMENT]


@cache
def deployed(environment: str) -> Rows:
    return checked(registered(environment))


def parts(rule: Rule, rows: Rows) -> list[Rows]:
    """The rows that a rule checks at a time."""
    if rule.scope is Scope.RESOURCE:
        return [[row] for row in rows]
    if rule.scope is Scope.STACK:
        return [[row for row in rows if row["stack"] == stack] for stack in STACKS]
    return [rows]


def violations_of(rule: Rule, rows: Rows) -> list[str]:
    return [violation for part in parts(rule, rows) for violation in rule.check(part)]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_passes_with_the_rows_of_its_scope(rule: Rule, environment: str) -> None:
    assert violations_of(rule, deployed(environment)) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_rules_of_a_resource_pass_in_a_first_preview(environment: str) -> None:
    rows = [unknown_as_passed(row) for row in checked(previewed(environment)) if row["type"].startswith("aws:")]
    rules = [rule for rule in RULES if rule.scope is Scope.RESOURCE]

    assert any(isinstance(value, Unknown) for row in rows for value in row["inputs"].values())
    assert [violation for rule in rules for row in rows for violation in violations_now(rule, row)] == []


def unknown_as_passed(row: Row) -> Row:
    """The row as the pack passes it to a rule before the creation: without outputs, `Unknown` for what is unknown."""
    inputs = _with_unknowns(row["inputs"])
    return {**row, "inputs": inputs, "outputs": defaultdict(Unknown, inputs)}


def _with_unknowns(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_unknowns(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_unknowns(each) for each in value]
    return Unknown() if value == UNKNOWN else value


def violations_now(rule: Rule, row: Row) -> list[str]:
    try:
        return rule.check([row])
    except NotKnownYet:
        return []


@pytest.mark.parametrize("rule", IN_THE_PACK, ids=lambda rule: rule.name)
def test_a_violation_names_the_resource_and_the_remedy(rule: Rule) -> None:
    seed = SEEDS[rule.name]
    violations = violations_of(rule, checked(seed.into(registered(DEFAULTS))))

    assert any(f"{seed.culprit} " in each for each in violations), violations
    assert all(each.partition("; ")[2] for each in violations), "the remedy follows a semicolon"


def test_every_rule_has_a_unique_name_a_description_and_a_seed() -> None:
    names = [rule.name for rule in RULES]

    assert len(set(names)) == len(names)
    assert set(SEEDS) == {rule.name for rule in IN_THE_PACK}
    assert all(rule.description[0].isupper() and rule.description.endswith(".") for rule in RULES)


def test_every_public_check_is_in_the_catalogue() -> None:
    known = {rule.check for rule in RULES}
    modules = {rule.check.__module__: rule.check.__globals__ for rule in RULES}
    left = {
        f"{module}.{name}"
        for module, found in modules.items()
        for name, value in found.items()
        if callable(value)
        and getattr(value, "__module__", "") == module
        and getattr(value, "__annotations__", {}) == {"rows": Rows, "return": list[str]}
        and not name.startswith("_")
        and value not in known
    }

    # `undeletable` holds without dr:protection only; for both cases the pack has `protection_only_when_enabled`.
    assert left == {"policy.rules.deletion.undeletable"}
