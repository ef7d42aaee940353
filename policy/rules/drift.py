"""`ignore_changes` for exactly the inputs that AWS or an operator changes.

An input that is ignored without need can no longer be changed by the program, and no preview shows that.
"""

from collections.abc import Mapping

from policy.rules.rows import Row, Rows, label

CLUSTER = "aws:rds/cluster:Cluster"

# For global databases whose members are all in one program [AURORA-2].
IGNORED: Mapping[str, Mapping[str, str]] = {
    CLUSTER: {
        "replicationSourceIdentifier": "AWS sets it on the reader; clearing it promotes that member",
        "engineVersion": "the global cluster upgrades its members",
    },
    "aws:rds/globalCluster:GlobalCluster": {
        "engineVersion": "AWS and operators upgrade it, and it cannot be downgraded again"
    },
}

PARAMETER = "aws:ssm/parameter:Parameter"
_WRITTEN_BY_OTHERS = "operators and failovers change it in either region, and it is copied to the other one"
# For parameters that both regions share; those of one region are written by the program alone.
_SHARED_PARAMETER: Mapping[str, str] = {
    "insecureValue": _WRITTEN_BY_OTHERS,
    "value": _WRITTEN_BY_OTHERS,
    "tags": "parameter_sync keeps its sync marker there",
    "tagsAll": "parameter_sync keeps its sync marker there",
}


def _ignored(row: Row) -> Mapping[str, str]:
    if row["type"] == PARAMETER:
        return {} if "/local/" in str(row["inputs"].get("name")) else _SHARED_PARAMETER
    return IGNORED.get(row["type"], {})


def ignore_changes_required(rows: Rows) -> list[str]:
    """Inputs that an `up` after a failover or an upgrade would revert."""
    return [
        f"{label(row)} would revert {key}: {why}; add it to ignore_changes"
        for row in rows
        for key, why in _ignored(row).items()
        if key not in row["options"]["ignore_changes"]
    ]


def ignore_changes_unneeded(rows: Rows) -> list[str]:
    """Ignored inputs that only the program changes."""
    return [
        f"{label(row)} ignores changes of {key}, which only the program changes; remove it from ignore_changes"
        for row in rows
        for key in row["options"]["ignore_changes"]
        if key not in _ignored(row)
    ]
