"""Every rule holds for every profile, and each is seen to refuse."""

import pytest

from policy.catalogue import RULES, Rule, Scope
from policy.rules.rows import Rows
from tests.policy.seeds import SEEDS
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered

STACKS = ("primary", "secondary", "global")
JUDGED_ALONE = [rule for rule in RULES if rule.scope is not Scope.DEPLOYMENT]


def parts(rule: Rule, rows: Rows) -> list[Rows]:
    """What a rule is shown at a time."""
    if rule.scope is Scope.RESOURCE:
        return [[row] for row in rows]
    if rule.scope is Scope.STACK:
        return [[row for row in rows if row["stack"] == stack] for stack in STACKS]
    return [rows]


def refused(rule: Rule, rows: Rows) -> list[str]:
    return [violation for part in parts(rule, rows) for violation in rule.check(part)]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_holds_in_a_profile_seeing_no_more_than_it_says_it_needs(rule: Rule, environment: str) -> None:
    assert refused(rule, registered(environment)) == []


@pytest.mark.parametrize("rule", JUDGED_ALONE, ids=lambda rule: rule.name)
def test_a_violation_is_refused_with_the_resource_and_the_remedy(rule: Rule) -> None:
    seed = SEEDS[rule.name]
    rows = registered(DEFAULTS)

    violations = refused(rule, seed.into(rows))

    assert any(f"{seed.culprit} " in each for each in violations), violations
    assert all(each.partition("; ")[2] for each in violations), "what to do comes after a semicolon"


def test_every_rule_has_a_name_of_its_own_and_says_what_it_is_for() -> None:
    names = [rule.name for rule in RULES]

    assert len(set(names)) == len(names)
    assert set(SEEDS) == {rule.name for rule in JUDGED_ALONE}
    assert all(rule.description[0].isupper() and rule.description.endswith(".") for rule in RULES)


def test_no_rule_is_left_out_of_the_catalogue() -> None:
    """What a rule's file offers under a name that takes rows and answers sentences is in the catalogue."""
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

    # `undeletable` is of an environment without protection; the pack has `kept_without_need` and `half_protected`.
    assert left == {"policy.rules.deletion.undeletable"}
