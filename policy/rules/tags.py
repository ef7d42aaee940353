"""Every resource tells whose it is and what it belongs to, by its provider's default tags (R1)."""

import json
from collections.abc import Mapping
from typing import Any

from policy.rules.rows import Row, Rows, label, of_type

PROVIDER = "pulumi:providers:aws"
WANTED = frozenset({"Environment", "CostCenter", "Criticality", "Place", "Project", "ManagedBy"})


def untagged(rows: Rows) -> list[str]:
    """Providers that give their resources too few tags, or empty ones."""
    return [
        f"{label(row)} tags nothing with {', '.join(missing)}; give all default tags"
        for row in of_type(rows, PROVIDER)
        for missing in [sorted(tag for tag in WANTED if not default_tags(row).get(tag))]
        if missing
    ]


def default_tags(row: Row) -> Mapping[str, Any]:
    """What a provider row tags its resources with. A provider's structures travel as JSON texts."""
    given = row["inputs"].get("defaultTags") or {}
    tags = (json.loads(given) if isinstance(given, str) else given).get("tags") or {}
    return dict(tags)


def without_provider(rows: Rows) -> list[str]:
    """Resources that would land in whatever region the caller's shell names, without tags."""
    return [
        f"{label(row)} has no provider of its own; pass the provider of its region"
        for row in rows
        if row["type"].startswith("aws:") and not _is_ours(row.get("provider"))
    ]


def _is_ours(provider: object) -> bool:
    """A default provider is called `default_7_51_1`, after its version."""
    return bool(provider) and not str(provider).rpartition("::")[2].startswith("default")
