"""What Pulumi must not change back, because AWS or an operator changes it: exactly this, and nothing more.

An input that is ignored without need can never be changed again by the program, and no preview shows it.
"""

from collections.abc import Mapping

from policy.rules.rows import Row, Rows, label

CLUSTER = "aws:rds/cluster:Cluster"

# Where all members belong to one program [AURORA-2].
IGNORED: Mapping[str, Mapping[str, str]] = {
    CLUSTER: {
        "replicationSourceIdentifier": "AWS fills it in on whichever member reads; clearing it promotes that member",
        "engineVersion": "the global cluster upgrades its members",
    }
}

PARAMETER = "aws:ssm/parameter:Parameter"
_WRITTEN_BY_OTHERS = "people and failovers change it in either region, and the change reaches the other one"
# Of parameters that both regions have; a region's own are the program's alone.
_SHARED_PARAMETER: Mapping[str, str] = {
    "insecureValue": _WRITTEN_BY_OTHERS,
    "value": _WRITTEN_BY_OTHERS,
    "tags": "the function that copies marks there what both regions have",
    "tagsAll": "the function that copies marks there what both regions have",
}


def _ignored(row: Row) -> Mapping[str, str]:
    if row["type"] == PARAMETER:
        return {} if "/local/" in str(row["inputs"].get("name")) else _SHARED_PARAMETER
    return IGNORED.get(row["type"], {})


def changed_back(rows: Rows) -> list[str]:
    """Inputs that an `up` after a failover or an upgrade would change back."""
    return [
        f"{label(row)} would change {key} back: {why}; ignore its changes"
        for row in rows
        for key, why in _ignored(row).items()
        if key not in row["options"]["ignore_changes"]
    ]


def ignored_without_need(rows: Rows) -> list[str]:
    return [
        f"{label(row)} ignores changes of {key}, which nothing but the program makes; do not"
        for row in rows
        for key in row["options"]["ignore_changes"]
        if key not in _ignored(row)
    ]
