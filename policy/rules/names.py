"""Resource names with suffix and place, so that several environments can share an account (R1)."""

import re

from policy.rules.rows import Row, Rows, environment_of, label

# The inputs that name a resource.
NAME_KEYS = (
    "alarmName",
    "bucket",
    "clusterIdentifier",
    "dashboardName",
    "globalClusterIdentifier",
    "identifier",
    "layerName",
    "name",
)
# Types whose name is unique within a parent that carries the suffix.
NESTED_TYPES = {"aws:backup/restoreTestingSelection:RestoreTestingSelection"}
# Host names are the clients' or AWS's; an existing domain need not contain the suffix.
_HOSTS = ("Zone", "Record")
# The event bus and the key alias have the same name in both regions on purpose.
_SHARED_NAMES = (*_HOSTS, "EventBus", ":Alias")
CELLS = ("primary", "secondary")


def names_of(row: Row) -> list[str]:
    given = [row["inputs"][key] for key in NAME_KEYS if key in row["inputs"]]
    return [str(name) for name in [*given, *filter(None, [(row["inputs"].get("tags") or {}).get("Name")])]]


def suffix_of(row: Row) -> str:
    """The environment's suffix: the setting in the row, else the Pulumi stack's name, which is the default."""
    return str(row.get("suffix") or environment_of(row))


def suffix_required(rows: Rows) -> list[str]:
    """Names without the suffix, which would clash with another environment's in the account."""
    return [
        f"{label(row)} is named {name}; put the suffix {suffix_of(row)} into its name"
        for row in rows
        if row["type"].startswith("aws:") and row["type"] not in NESTED_TYPES and not row["type"].endswith(_HOSTS)
        for name in names_of(row)
        if not re.search(rf"(^|[-_./]){_spelled(suffix_of(row))}([-_./]|$)", name)
    ]


def _spelled(suffix: str) -> str:
    """The suffix as a pattern: where a service accepts no hyphens, underscores stand for them."""
    return "[-_]".join(re.escape(part) for part in suffix.split("-"))


def place_required(rows: Rows) -> list[str]:
    """Names of a regional stack without the place, which would clash with the other region's."""
    return [
        f"{label(row)} is named {name}; put its place, {row['stack']}, into its name"
        for row in rows
        if row["type"].startswith("aws:") and row["stack"] in CELLS and not row["type"].endswith(_SHARED_NAMES)
        for name in names_of(row)
        if row["stack"] not in name
    ]
