"""The difference between two sets of arguments, as the engine shows it: path by path."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

_Kind: Any = provider_pb2.PropertyDiff.Kind
_ADDED, _CHANGED, _DELETED = _Kind.Value("ADD"), _Kind.Value("UPDATE"), _Kind.Value("DELETE")
_REPLACING = {
    _ADDED: _Kind.Value("ADD_REPLACE"),
    _CHANGED: _Kind.Value("UPDATE_REPLACE"),
    _DELETED: _Kind.Value("DELETE_REPLACE"),
}


def detailed(
    old: Mapping[str, Any], new: Mapping[str, Any], replacing: set[str]
) -> dict[str, provider_pb2.PropertyDiff]:
    """The differences by path (`tags.Owner`, `replicas[0].kmsKeyArn`) of arguments in comparable form."""
    found = {}
    for key in sorted({*old, *new}):
        for path, kind in _differences(old, new, key, _segment(key, "")):
            shown = _REPLACING[kind] if key in replacing else kind
            found[path] = provider_pb2.PropertyDiff(kind=shown, inputDiff=True)
    return found


def _differences(old: Any, new: Any, key: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not _has(old, key):
        yield path, _ADDED
    elif not _has(new, key):
        yield path, _DELETED
    elif isinstance(old[key], dict) and isinstance(new[key], dict):
        for inner in sorted({*old[key], *new[key]}):
            yield from _differences(old[key], new[key], inner, _segment(inner, path))
    elif isinstance(old[key], list) and isinstance(new[key], list):
        for index in range(max(len(old[key]), len(new[key]))):
            yield from _differences(old[key], new[key], index, f"{path}[{index}]")
    elif old[key] != new[key]:
        yield path, _CHANGED


def _has(value: Any, key: Any) -> bool:
    return 0 <= key < len(value) if isinstance(value, list) else key in value


def _segment(key: str, path: str) -> str:
    if key.replace("_", "a").isalnum():
        return f"{path}.{key}" if path else key
    quoted = key.replace('"', '\\"')
    return f'{path}["{quoted}"]'
