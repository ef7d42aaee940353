"""Parameter Store of one region, as far as keeping it equal to another one needs it.

Reads take as many at a time as the API allows: 50 descriptions, 10 values (API SSM.DescribeParameters,
SSM.GetParameters).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import parameter as stamps
from .errors import Moved, NotCopyable, called
from .parameter import ADVANCED, SECURE, Change, Content, Held, Overwritten, Stamp, canonical
from .settings import Scope

PLACE = "Place"  # a tag that names where something is, and so differs between the regions (R1)
_DESCRIPTIONS, _VALUES, _VERSIONS = 50, 10, 50
_TYPE = "Parameter"
_NOBODYS = "-"  # a name that is asked for and need not be there
# How to say that a parameter has it no longer [SSM-2].
_EMPTY = {"AllowedPattern": "", "Policies": "[{}]"}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A parameter without its value: that stays with AWS until it is compared."""

    content: Content  # its value is empty
    version: int


class Store:
    """Raises what `aws_calls` does. `is_copier` tells our own writes by the ARN of who made them."""

    def __init__(
        self,
        client: Any,
        *,
        region: str,
        place: str,
        scope: Scope,
        key_alias: str,
        is_copier: Callable[[str], bool],
    ) -> None:
        self.region = region
        self._client = client
        self._place = place
        self._scope = scope
        self._key_alias = key_alias
        self._is_copier = is_copier

    def reach(self) -> None:
        """Find out by reading whether the region answers: what lists and describes is Parameter Store's control plane,
        and no one asks a lost region's (R8). Raises RegionUnavailable if it does not."""
        self._call("get_parameters", Names=[f"{self._scope.prefix}/{_NOBODYS}"], WithDecryption=False)

    def listed(self) -> dict[str, Listed]:
        """Every parameter in scope, by name."""
        filters = [{"Key": "Path", "Option": "Recursive", "Values": [self._scope.prefix]}]
        pages = self._pages("describe_parameters", _DESCRIPTIONS, ParameterFilters=filters)
        return {
            each["Name"]: Listed(content=_content(each, ""), version=each["Version"])
            for each in pages
            if self._scope.objection(each["Name"]) is None
        }

    def values(self, names: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Version and value by name; names that are gone are left out. Raises NotCopyable if any cannot be read."""
        found: dict[str, tuple[int, str]] = {}
        for start in range(0, len(names), _VALUES):
            asked = list(names[start : start + _VALUES])
            answer = self._call("get_parameters", Names=asked, WithDecryption=True)
            found |= {each["Name"]: (each["Version"], each["Value"]) for each in answer["Parameters"]}
        return found

    def held(self, name: str) -> Held | None:
        """All there is to know of one parameter; None if there is none. Raises Moved if it changes meanwhile."""
        try:
            past = self._pages("get_parameter_history", _VERSIONS, Name=name)
            history = sorted(past, key=lambda each: int(each["Version"]))
        except Moved:
            return None
        current = history[-1]
        tags = self._tags(name)
        stamp = stamps.read(tags.pop(stamps.TAG, None))
        by_copier = self._by_copier(current)
        overwritten = None
        if by_copier and not (stamp and stamp.version == current["Version"]):
            overwritten = self._overwritten(name, history, after=stamp.version if stamp else 0)
        return Held(
            region=self.region,
            content=self._with_value(name, current, newest=True),
            version=current["Version"],
            at=_milliseconds(current),
            by_copier=by_copier,
            tags={key: value for key, value in tags.items() if key != PLACE and not key.startswith("aws:")},
            labels=frozenset(current.get("Labels") or ()),
            stamp=stamp,
            overwritten=overwritten,
        )

    def version(self, name: str) -> int | None:
        """The current version, None if there is none: asked again before something is done about what was read."""
        found = self._call("get_parameters", Names=[name], WithDecryption=False)["Parameters"]
        return int(found[0]["Version"]) if found else None

    def create(self, name: str, content: Content, tags: Mapping[str, str], stamp: Stamp) -> None:
        """With its tags and its stamp at once. Raises Moved if there is one already."""
        given = {**tags, PLACE: self._place, stamps.TAG: stamps.write(stamp)}
        self._call("put_parameter", **self._put(name, content), Type=content.type, Tags=_tag_list(given))

    def overwrite(self, name: str, content: Content, *, without: Sequence[str] = ()) -> int:
        """The new version. `without` names what of it has to go if `content` does not give it."""
        asked = {**{part: _EMPTY[part] for part in without if part in _EMPTY}, **self._put(name, content)}
        asked |= {"Type": content.type, "Overwrite": True}
        return int(self._call("put_parameter", **asked)["Version"])

    def delete(self, name: str) -> None:
        self._call("delete_parameter", Name=name)

    def tag(self, name: str, tags: Mapping[str, str], *, remove: Sequence[str] = ()) -> None:
        if tags:
            self._call("add_tags_to_resource", ResourceType=_TYPE, ResourceId=name, Tags=_tag_list(tags))
        if remove:
            self._call("remove_tags_from_resource", ResourceType=_TYPE, ResourceId=name, TagKeys=sorted(remove))

    def label(self, name: str, version: int, *, add: frozenset[str], remove: frozenset[str]) -> None:
        if add:
            self._call("label_parameter_version", Name=name, ParameterVersion=version, Labels=sorted(add))
        if remove:
            self._call("unlabel_parameter_version", Name=name, ParameterVersion=version, Labels=sorted(remove))

    def _put(self, name: str, content: Content) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "Name": name,
            "Value": content.value,
            "Description": content.description,
            "DataType": content.data_type,
            "Tier": content.tier,
        }
        if content.allowed_pattern:
            asked["AllowedPattern"] = content.allowed_pattern
        if content.type == SECURE:
            asked["KeyId"] = self._key_alias
        if content.policies:
            asked["Policies"] = f"[{', '.join(content.policies)}]"
        return asked

    def _overwritten(self, name: str, history: Sequence[Mapping[str, Any]], *, after: int) -> Overwritten | None:
        """The newest change by a person since version `after`, which a copy lies over."""
        for past in reversed(history):
            if past["Version"] > after and not self._by_copier(past):
                change = Change(at=_milliseconds(past), version=past["Version"], region=self.region)
                return Overwritten(change=change, content=self._with_value(name, past, newest=False))
        return None

    def _with_value(self, name: str, past: Mapping[str, Any], *, newest: bool) -> Content:
        """History is asked without decryption: keys of old versions may be gone. So the one value is asked for."""
        if past["Type"] != SECURE:
            return _content(past, past["Value"])
        asked = name if newest else f"{name}:{past['Version']}"
        found = self._call("get_parameter", Name=asked, WithDecryption=True)["Parameter"]
        if found["Version"] != past["Version"]:
            raise Moved(f"{name} has changed in {self.region}")
        return _content(past, found["Value"])

    def _tags(self, name: str) -> dict[str, str]:
        answer = self._call("list_tags_for_resource", ResourceType=_TYPE, ResourceId=name)
        return {each["Key"]: each["Value"] for each in answer["TagList"]}

    def _by_copier(self, past: Mapping[str, Any]) -> bool:
        return self._is_copier(past.get("LastModifiedUser") or "")

    def _pages(self, operation: str, size: int, **asked: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            answer = self._call(operation, **asked, **token, MaxResults=size)
            yield from answer["Parameters"]
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def _call(self, operation: str, **asked: Any) -> Any:
        return called(self.region, operation, lambda: getattr(self._client, operation)(**asked))


def _content(described: Mapping[str, Any], value: str) -> Content:
    try:
        policies = tuple(sorted(canonical(each["PolicyText"]) for each in described.get("Policies") or ()))
    except ValueError:
        raise NotCopyable(f"a policy of {described['Name']} is no JSON") from None
    return Content(
        value=value,
        type=described["Type"],
        description=described.get("Description") or "",
        allowed_pattern=described.get("AllowedPattern") or "",
        data_type=described.get("DataType") or "text",
        policies=policies,
        tier=ADVANCED if described.get("Tier") == ADVANCED else "Standard",
    )


def _milliseconds(past: Mapping[str, Any]) -> int:
    modified: datetime = past["LastModifiedDate"]
    return round(modified.timestamp() * 1000)


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
