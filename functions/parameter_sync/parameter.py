"""A parameter as one region holds it. Values are never part of a text representation."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ADVANCED = "Advanced"
SECURE = "SecureString"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a change of a parameter sets; tags and labels are beside it, since changing them makes no new version."""

    value: str = field(repr=False)
    type: str
    description: str = ""
    allowed_pattern: str = ""
    data_type: str = "text"
    policies: tuple[str, ...] = ()  # JSON, in the form of `canonical`
    tier: str = "Standard"

    def agrees_with(self, other: "Content") -> bool:
        """Whether both say the same, whatever their tiers."""
        return not self.differences(other)

    def differences(self, other: "Content") -> list[str]:
        """Which of its parts are different, by AWS's names."""
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
        """Whether `other` needs no change to say this. An advanced parameter never becomes a standard one again
        (API SSM.PutParameter, Tier), so that a higher tier is well."""
        return self.agrees_with(other) and (self.tier != ADVANCED or other.tier == ADVANCED)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change that someone made in a region, recognised wherever its copies are."""

    at: int  # Unix milliseconds, by the region's clock
    version: int  # there
    region: str

    @property
    def order(self) -> tuple[int, int, str]:
        """Of two changes that did not know of each other, the greater one wins, in both regions alike."""
        return (self.at, self.version, self.region)


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What both regions had in common last, written on each side's parameter as a tag."""

    version: int  # this side's own version that held it
    change: Change
    tags: str  # digests
    labels: str
    set_at: int  # Unix seconds


@dataclass(frozen=True, kw_only=True)
class Overwritten:
    """A person's change that a copy was written over without knowing of it."""

    change: Change
    content: Content


@dataclass(frozen=True, kw_only=True)
class Held:
    """One region's side. `by_copier` is whether the current version was written by us, in whichever region."""

    region: str
    content: Content
    version: int
    at: int  # Unix milliseconds
    by_copier: bool
    tags: Mapping[str, str]
    labels: frozenset[str]  # of the current version
    stamp: Stamp | None = None
    overwritten: Overwritten | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing changed here since both regions had this in common."""
        return self.stamp is not None and self.stamp.version == self.version


def canonical(policy: str) -> str:
    """A policy's JSON in one form, so that equal ones are equal texts. Raises ValueError for what is none."""
    return json.dumps(json.loads(policy), sort_keys=True)


def digest(texts: Mapping[str, str] | frozenset[str]) -> str:
    """A short hash of tags or labels, the same in both regions."""
    items = sorted(texts.items()) if isinstance(texts, Mapping) else sorted(texts)
    return hashlib.sha256(json.dumps(items).encode()).hexdigest()[:12]


# The stamp as a tag's value. It holds no value of a parameter, nor anything derived from one.
#
# A tag's value has at most 256 characters, of letters, digits, spaces and `+ - = . _ : / @` (API SSM.Tag).


TAG = "dr:common"
"""The tag's key. A parameter that carries it is, or has been, in both regions."""

_FORM = re.compile(
    r"v1 here=(?P<here>\d+) from=(?P<region>[a-z0-9-]+)/(?P<version>\d+)/(?P<at>\d+)"
    r" tags=(?P<tags>[0-9a-f]+) labels=(?P<labels>[0-9a-f]+) set=(?P<set_at>\d+)"
)


def write(stamp: Stamp) -> str:
    change = stamp.change
    return (
        f"v1 here={stamp.version} from={change.region}/{change.version}/{change.at}"
        f" tags={stamp.tags} labels={stamp.labels} set={stamp.set_at}"
    )


def read(text: str | None) -> Stamp | None:
    """None for no stamp, and for one that someone has spoilt: the parameter then counts as never copied."""
    found = _FORM.fullmatch(text or "")
    if not found:
        return None
    return Stamp(
        version=int(found["here"]),
        change=Change(region=found["region"], version=int(found["version"]), at=int(found["at"])),
        tags=found["tags"],
        labels=found["labels"],
        set_at=int(found["set_at"]),
    )
