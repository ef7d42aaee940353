"""A parameter's state in one region, and the sync marker: the tag that records the last common state of both regions.

Values are never part of a text representation. The marker holds neither a value nor anything derived from one. A tag's
value has at most 256 characters, of letters, digits, spaces and `+ - = . _ : / @` (API SSM.Tag).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ADVANCED = "Advanced"
SECURE = "SecureString"


@dataclass(frozen=True, kw_only=True)
class Content:
    """The attributes that a new version of a parameter sets; tags and labels create no version."""

    value: str = field(repr=False)
    type: str
    description: str = ""
    allowed_pattern: str = ""
    data_type: str = "text"
    policies: tuple[str, ...] = ()  # JSON, in the form of `canonical`
    tier: str = "Standard"

    def agrees_with(self, other: "Content") -> bool:
        """Whether both are equal, regardless of their tiers."""
        return not self.differences(other)

    def differences(self, other: "Content") -> list[str]:
        """The names of the differing fields, as in the API."""
        parts = {
            "Value": self.value != other.value,
            "Type": self.type != other.type,
            "Description": self.description != other.description,
            "AllowedPattern": self.allowed_pattern != other.allowed_pattern,
            "DataType": self.data_type != other.data_type,
            "Policies": self.policies != other.policies,
        }
        return [part for part, differs in parts.items() if differs]

    def is_held_by(self, other: "Content") -> bool:
        """Whether `other` needs no change to equal this. A higher tier is accepted, because an advanced parameter
        cannot become a standard one again (API SSM.PutParameter, Tier)."""
        return self.agrees_with(other) and (self.tier != ADVANCED or other.tier == ADVANCED)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The identity of a change: where and when a parameter was written by anyone but this function."""

    at: int  # Unix milliseconds, by the region's clock
    version: int  # in that region
    region: str

    @property
    def order(self) -> tuple[int, int, str]:
        """The sort key of concurrent changes: the greater one wins, in both regions."""
        return (self.at, self.version, self.region)


@dataclass(frozen=True, kw_only=True)
class SyncMarker:
    """The last common state of both regions, stored as a tag of each side's parameter."""

    version: int  # this side's version with that state
    change: Change
    tags: str  # digest
    labels: str  # digest
    set_at: int  # Unix seconds


@dataclass(frozen=True, kw_only=True)
class Overwritten:
    """A change that a copy was written over without having seen it."""

    change: Change
    content: Content


@dataclass(frozen=True, kw_only=True)
class ParameterState:
    """A parameter in one region. `by_sync`: the current version was written by this function, of either region."""

    region: str
    content: Content
    version: int
    at: int  # Unix milliseconds
    by_sync: bool
    tags: Mapping[str, str]
    labels: frozenset[str]  # of the current version
    marker: SyncMarker | None = None
    overwritten: Overwritten | None = None

    @property
    def is_settled(self) -> bool:
        """Whether this side is unchanged since the last common state."""
        return self.marker is not None and self.marker.version == self.version


def canonical(policy: str) -> str:
    """A policy's JSON in canonical form, for comparison. Raises ValueError if it is not JSON."""
    return json.dumps(json.loads(policy), sort_keys=True)


def digest(texts: Mapping[str, str] | frozenset[str]) -> str:
    """A short hash of tags or labels, the same in both regions."""
    items = sorted(texts.items()) if isinstance(texts, Mapping) else sorted(texts)
    return hashlib.sha256(json.dumps(items).encode()).hexdigest()[:12]


MARKER_TAG = "dr:common"
"""The marker's tag key. A parameter with this tag exists, or existed, in both regions."""

_FORM = re.compile(
    r"v1 here=(?P<here>\d+) from=(?P<region>[a-z0-9-]+)/(?P<version>\d+)/(?P<at>\d+)"
    r" tags=(?P<tags>[0-9a-f]+) labels=(?P<labels>[0-9a-f]+) set=(?P<set_at>\d+)"
)


def write_marker(marker: SyncMarker) -> str:
    """The tag's value."""
    change = marker.change
    return (
        f"v1 here={marker.version} from={change.region}/{change.version}/{change.at}"
        f" tags={marker.tags} labels={marker.labels} set={marker.set_at}"
    )


def read_marker(text: str | None) -> SyncMarker | None:
    """The marker in a tag's value. None if it is missing or malformed: the parameter then counts as never copied."""
    found = _FORM.fullmatch(text or "")
    if not found:
        return None
    return SyncMarker(
        version=int(found["here"]),
        change=Change(region=found["region"], version=int(found["version"]), at=int(found["at"])),
        tags=found["tags"],
        labels=found["labels"],
        set_at=int(found["set_at"]),
    )
