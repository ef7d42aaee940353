"""Ignored changes: those of a failover or an upgrade stay, and nothing else is ignored [AURORA-2]."""

from typing import Any

import pytest

from policy.rules import drift
from tests.programs.changes import changed
from tests.programs.profiles import DEFAULTS, ENVIRONMENTS, registered


def ignoring(*keys: str) -> Any:
    def change(row: dict[str, Any]) -> None:
        row["options"]["ignore_changes"] = list(keys)

    return change


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_both_members_are_alike_so_that_they_can_change_places(environment: str) -> None:
    members = [row["options"]["ignore_changes"] for row in registered(environment) if row["type"] == drift.CLUSTER]

    assert len(members) == 2
    assert set(members[0]) == set(members[1]) == set(drift.IGNORED[drift.CLUSTER])


@pytest.mark.parametrize("key", drift.IGNORED[drift.CLUSTER])
@pytest.mark.parametrize("member", ["database-primary", "database-secondary"])
def test_a_member_that_would_be_changed_back_is_refused(member: str, key: str) -> None:
    others = set(drift.IGNORED[drift.CLUSTER]) - {key}

    (violation,) = drift.ignore_changes_required(
        changed(registered(DEFAULTS), drift.CLUSTER, member, ignoring(*others))
    )
    assert f"{drift.CLUSTER} {member} would revert {key}:" in violation


@pytest.mark.parametrize(
    ("token", "name", "key"),
    [
        (drift.CLUSTER, "database-primary", "globalClusterIdentifier"),
        ("aws:rds/clusterInstance:ClusterInstance", "database-primary-1", "engineVersion"),
        ("aws:dynamodb/table:Table", "journal-table", "replicas"),
    ],
)
def test_what_is_ignored_without_need_is_refused(token: str, name: str, key: str) -> None:
    kept = drift.IGNORED.get(token, {})

    (violation,) = drift.ignore_changes_unneeded(changed(registered(DEFAULTS), token, name, ignoring(*kept, key)))
    assert f"{token} {name} ignores changes of {key}" in violation
