"""Provider resources of a program: the region and the default tags they give to what they manage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.core.errors import TableError

PREFIX = "pulumi:providers:"


@dataclass(frozen=True, kw_only=True)
class Provider:
    region: str = ""
    default_tags: Mapping[str, str] = field(default_factory=dict)


def read(type_: str, inputs: Mapping[str, Any], account: str) -> Provider:
    """A provider's settings from its plain inputs. Raises TableError without a region or for another account."""
    if type_ != f"{PREFIX}aws":
        return Provider()
    region = inputs.get("region")
    if not region:
        raise TableError(f"{type_} has no region; give it one in the program")
    allowed = _json(inputs.get("allowedAccountIds")) or [account]
    if account not in allowed or account in (_json(inputs.get("forbiddenAccountIds")) or []):
        raise TableError(f"{type_}: AWS account ID not allowed: {account}")
    tags = (_json(inputs.get("defaultTags")) or {}).get("tags") or {}
    return Provider(region=region, default_tags=tags)


def _json(value: Any) -> Any:
    """The SDK hands a provider's structured settings over as JSON texts."""
    return json.loads(value) if isinstance(value, str) else value
