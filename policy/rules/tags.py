"""Default tags on every provider, and an explicit provider on every resource (R1)."""

import json
from collections.abc import Mapping
from typing import Any

from policy.rules.rows import Row, Rows, label, of_type

PROVIDER = "pulumi:providers:aws"
REQUIRED_TAGS = frozenset({"Environment", "CostCenter", "Criticality", "Place", "Project", "ManagedBy"})


def default_tags_required(rows: Rows) -> list[str]:
    """Providers without all default tags, or with empty ones."""
    return [
        f"{label(row)} lacks the default tags {', '.join(missing)}; add them"
        for row in of_type(rows, PROVIDER)
        for missing in [sorted(tag for tag in REQUIRED_TAGS if not default_tags(row).get(tag))]
        if missing
    ]


def default_tags(row: Row) -> Mapping[str, Any]:
    """A provider's default tags. Pulumi passes a provider's structured inputs as JSON strings."""
    given = row["inputs"].get("defaultTags") or {}
    tags = (json.loads(given) if isinstance(given, str) else given).get("tags") or {}
    return dict(tags)


def provider_required(rows: Rows) -> list[str]:
    """Resources of the default provider, which would be created in the shell's region and without tags."""
    return [
        f"{label(row)} uses the default provider; pass the provider of its region"
        for row in rows
        if row["type"].startswith("aws:") and not _is_ours(row.get("provider"))
    ]


def _is_ours(provider: object) -> bool:
    """Whether it is not a default provider, whose name is `default_7_51_1`, after its version."""
    return bool(provider) and not str(provider).rpartition("::")[2].startswith("default")
