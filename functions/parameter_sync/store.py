"""Parameter Store of one region: the reads and writes that synchronization needs.

Reads are batched as far as the API allows: 50 descriptions, 10 values (API SSM.DescribeParameters, SSM.GetParameters).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import ConcurrentModification, NotCopyable, called
from .parameter import (
    ADVANCED,
    MARKER_TAG,
    SECURE,
    Change,
    Content,
    Overwritten,
    ParameterState,
    SyncMarker,
    canonical,
    read_marker,
    write_marker,
)
from .settings import Scope

PLACE = "Place"  # tag key; its value differs between the regions (R1)
_DESCRIPTIONS, _VALUES, _VERSIONS = 50, 10, 50
_TYPE = "Parameter"
_PROBE = "-"  # a name that is read and need not exist
# Values that remove a field [SSM-2].
_EMPTY = {"AllowedPattern": "", "Policies": "[{}]"}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A parameter without its value, which is read only to be compared."""

    content: Content  # with an empty value
    version: int


class Store:
    """Methods raise the errors of `errors.called`. `is_sync_role`: whether an ARN is this function's own, of either
    region."""

    def __init__(
        self,
        client: Any,
        *,
        region: str,
        place: str,
        scope: Scope,
        key_alias: str,
        is_sync_role: Callable[[str], bool],
    ) -> None:
        self.region = region
        self._client = client
        self._place = place
        self._scope = scope
        self._key_alias = key_alias
        self._is_sync_role = is_sync_role

    def reach(self) -> None:
        """Check by a read whether the region answers, because listing uses the control plane, and that of a lost region
        is never called (R8). Raises RegionUnavailable if it does not."""
        self._call("get_parameters", Names=[f"{self._scope.prefix}/{_PROBE}"], WithDecryption=False)

    def listed(self) -> dict[str, Listed]:
        """All parameters in scope, by name."""
        filters = [{"Key": "Path", "Option": "Recursive", "Values": [self._scope.prefix]}]
        pages = self._pages("describe_parameters", _DESCRIPTIONS, ParameterFilters=filters)
        return {
            each["Name"]: Listed(content=_content(each, ""), version=each["Version"])
            for each in pages
            if self._scope.objection(each["Name"]) is None
        }

    def values(self, names: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Version and value by name, without deleted names. Raises NotCopyable if any value cannot be read."""
        found: dict[str, tuple[int, str]] = {}
        for start in range(0, len(names), _VALUES):
            batch = list(names[start : start + _VALUES])
            response = self._call("get_parameters", Names=batch, WithDecryption=True)
            found |= {each["Name"]: (each["Version"], each["Value"]) for each in response["Parameters"]}
        return found

    def state(self, name: str) -> ParameterState | None:
        """The state of one parameter, None if it does not exist. Raises ConcurrentModification if it changes
        meanwhile."""
        try:
            past = self._pages("get_parameter_history", _VERSIONS, Name=name)
            history = sorted(past, key=lambda each: int(each["Version"]))
        except ConcurrentModification:
            return None
        current = history[-1]
        tags = self._tags(name)
        marker = read_marker(tags.pop(MARKER_TAG, None))
        by_sync = self._by_sync(current)
        overwritten = None
        if by_sync and not (marker and marker.version == current["Version"]):
            overwritten = self._overwritten(name, history, after=marker.version if marker else 0)
        return ParameterState(
            region=self.region,
            content=self._with_value(name, current, newest=True),
            version=current["Version"],
            at=_milliseconds(current),
            by_sync=by_sync,
            tags={key: value for key, value in tags.items() if key != PLACE and not key.startswith("aws:")},
            labels=frozenset(current.get("Labels") or ()),
            marker=marker,
            overwritten=overwritten,
        )

    def version(self, name: str) -> int | None:
        """The current version, None if it does not exist; read again before acting on a state that was read."""
        found = self._call("get_parameters", Names=[name], WithDecryption=False)["Parameters"]
        return int(found[0]["Version"]) if found else None

    def create(self, name: str, content: Content, tags: Mapping[str, str], marker: SyncMarker) -> None:
        """Create the parameter with its tags and marker. Raises ConcurrentModification if it exists."""
        all_tags = {**tags, PLACE: self._place, MARKER_TAG: write_marker(marker)}
        self._call("put_parameter", **self._put(name, content), Type=content.type, Tags=_tag_list(all_tags))

    def overwrite(self, name: str, content: Content, *, without: Sequence[str] = ()) -> int:
        """Write a new version and return its number. `without`: fields to remove if `content` lacks them."""
        request = {**{part: _EMPTY[part] for part in without if part in _EMPTY}, **self._put(name, content)}
        request |= {"Type": content.type, "Overwrite": True}
        return int(self._call("put_parameter", **request)["Version"])

    def write_text(self, name: str, text: str) -> int:
        """Write a version of a parameter that is never synchronized, and return its number."""
        return int(self._call("put_parameter", Name=name, Value=text, Type="String", Overwrite=True)["Version"])

    def delete(self, name: str) -> None:
        """Delete the parameter."""
        self._call("delete_parameter", Name=name)

    def tag(self, name: str, tags: Mapping[str, str], *, remove: Sequence[str] = ()) -> None:
        """Add or change `tags`, and remove the tag keys `remove`."""
        if tags:
            self._call("add_tags_to_resource", ResourceType=_TYPE, ResourceId=name, Tags=_tag_list(tags))
        if remove:
            self._call("remove_tags_from_resource", ResourceType=_TYPE, ResourceId=name, TagKeys=sorted(remove))

    def label(self, name: str, version: int, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Add labels to a version and remove labels from it."""
        if add:
            self._call("label_parameter_version", Name=name, ParameterVersion=version, Labels=sorted(add))
        if remove:
            self._call("unlabel_parameter_version", Name=name, ParameterVersion=version, Labels=sorted(remove))

    def _put(self, name: str, content: Content) -> dict[str, Any]:
        request: dict[str, Any] = {
            "Name": name,
            "Value": content.value,
            "Description": content.description,
            "DataType": content.data_type,
            "Tier": content.tier,
        }
        if content.allowed_pattern:
            request["AllowedPattern"] = content.allowed_pattern
        if content.type == SECURE:
            request["KeyId"] = self._key_alias
        if content.policies:
            request["Policies"] = f"[{', '.join(content.policies)}]"
        return request

    def _overwritten(self, name: str, history: Sequence[Mapping[str, Any]], *, after: int) -> Overwritten | None:
        """The newest version after `after` that this function did not write: a copy was written over it."""
        for past in reversed(history):
            if past["Version"] > after and not self._by_sync(past):
                change = Change(at=_milliseconds(past), version=past["Version"], region=self.region)
                return Overwritten(change=change, content=self._with_value(name, past, newest=False))
        return None

    def _with_value(self, name: str, past: Mapping[str, Any], *, newest: bool) -> Content:
        """The history is read without decryption, because keys of old versions may be deleted; only this value is
        decrypted."""
        if past["Type"] != SECURE:
            return _content(past, past["Value"])
        selector = name if newest else f"{name}:{past['Version']}"
        found = self._call("get_parameter", Name=selector, WithDecryption=True)["Parameter"]
        if found["Version"] != past["Version"]:
            raise ConcurrentModification(f"{name} has changed in {self.region}")
        return _content(past, found["Value"])

    def _tags(self, name: str) -> dict[str, str]:
        response = self._call("list_tags_for_resource", ResourceType=_TYPE, ResourceId=name)
        return {each["Key"]: each["Value"] for each in response["TagList"]}

    def _by_sync(self, past: Mapping[str, Any]) -> bool:
        return self._is_sync_role(past.get("LastModifiedUser") or "")

    def _pages(self, operation: str, size: int, **arguments: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._call(operation, **arguments, **token, MaxResults=size)
            yield from page["Parameters"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _call(self, operation: str, **arguments: Any) -> Any:
        return called(self.region, operation, lambda: getattr(self._client, operation)(**arguments))


def _content(described: Mapping[str, Any], value: str) -> Content:
    try:
        policies = tuple(sorted(canonical(each["PolicyText"]) for each in described.get("Policies") or ()))
    except ValueError:
        raise NotCopyable(f"a policy of {described['Name']} is not JSON") from None
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
