"""Names tell environments and places apart, so that several can share an account (R1)."""

import re

from policy.rules.rows import Row, Rows, environment_of, label

# The inputs by which AWS or people know a resource.
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
# Names that live inside something whose own name carries the suffix.
INSIDE_ANOTHER = {"aws:backup/restoreTestingSelection:RestoreTestingSelection"}
# Host names are what clients know, or AWS's own; a domain that is given need not name the environment.
_HOSTS = ("Zone", "Record")
# The bus and the key's alias have one name in both regions on purpose.
_ONCE = (*_HOSTS, "EventBus", ":Alias")
CELLS = ("primary", "secondary")


def names_of(row: Row) -> list[str]:
    given = [row["inputs"][key] for key in NAME_KEYS if key in row["inputs"]]
    return [str(name) for name in [*given, *filter(None, [(row["inputs"].get("tags") or {}).get("Name")])]]


def suffix_of(row: Row) -> str:
    """Of the environment the row is in: as told with it, else the Pulumi stack's name, which is the default."""
    return str(row.get("suffix") or environment_of(row))


def without_suffix(rows: Rows) -> list[str]:
    """Names that another environment of the account would use as well."""
    return [
        f"{label(row)} is called {name}; put the suffix {suffix_of(row)} into its name"
        for row in rows
        if row["type"].startswith("aws:") and row["type"] not in INSIDE_ANOTHER and not row["type"].endswith(_HOSTS)
        for name in names_of(row)
        if not re.search(rf"(^|[-_./]){re.escape(suffix_of(row))}([-_./]|$)", name)
    ]


def without_place(rows: Rows) -> list[str]:
    """Names of a cell's own things that the other cell would use as well."""
    return [
        f"{label(row)} is called {name}; put its place, {row['stack']}, into its name"
        for row in rows
        if row["type"].startswith("aws:") and row["stack"] in CELLS and not row["type"].endswith(_ONCE)
        for name in names_of(row)
        if row["stack"] not in name
    ]
