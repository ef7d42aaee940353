"""Property values of Pulumi's provider protocol: protobuf structs as plain Python and back.

Read values keep the protocol's own form, so that what a resource echoes comes back unchanged: secrets in their
envelopes, assets and archives as maps with a signature, unknowns as fixed texts
(pulumi/pulumi sdk/go/common/resource/plugin/rpc.go).
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from google.protobuf.struct_pb2 import Struct
from pulumi.output import Unknown

from localaws.provider import values

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = {
    UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # of a boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # of a number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # of a list
    "030794c1-ac77-496b-92df-f27374a8bd58",  # of an asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # of an archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # of an object
}
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def read(struct: Struct) -> dict[str, Any]:
    """A struct as plain Python; whole numbers as integers."""
    return {key: _read(value) for key, value in struct.fields.items()}


def _read(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return read(value.struct_value)
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    if kind == "number_value":
        number: float = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind == "null_value" else getattr(value, kind)


def write(found: Mapping[str, Any]) -> Struct:
    """Plain Python in the protocol's form as a struct."""
    struct = Struct()
    struct.update(found)
    return struct


def is_unknown(value: Any) -> bool:
    """Whether `value` itself is the text that represents an unknown; one in a secret counts."""
    if values.is_secret(value):
        return is_unknown(value["value"])
    return isinstance(value, str) and value in _UNKNOWNS


def opened(value: Any) -> Any:
    """`value` for a provider's steps: secrets open, unknowns as Pulumi's own, assets and archives as objects, and no
    member of a map that is null: a provider takes it as absent, at any depth.

    An archive of which only the hash is known, as in a state, has no contents and becomes None.
    """
    if isinstance(value, str) and value in _UNKNOWNS:
        return Unknown()  # type: ignore[no-untyped-call]
    if isinstance(value, list):
        return [opened(item) for item in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(values.SIGNATURE)
    if values.is_secret(value):
        return opened(value["value"])
    if signature == _ASSET:
        return _asset(value)
    if signature == _ARCHIVE:
        return _archive(value)
    return {key: opened(item) for key, item in value.items() if item is not None}


def comparable(value: Any) -> Any:
    """`value` for a comparison: secrets open, assets and archives as their hash, without what has no value."""
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if values.is_secret(value):
        return comparable(value["value"])
    if value.get(values.SIGNATURE) in (_ASSET, _ARCHIVE) and value.get("hash"):
        return {"hash": value["hash"]}
    return {key: comparable(item) for key, item in value.items() if item is not None}


def _asset(value: Mapping[str, Any]) -> Any:
    if value.get("path"):
        return pulumi.FileAsset(value["path"])
    if value.get("uri"):
        return pulumi.RemoteAsset(value["uri"])
    return pulumi.StringAsset(value["text"]) if value.get("text") is not None else None


def _archive(value: Mapping[str, Any]) -> Any:
    if value.get("assets"):
        return pulumi.AssetArchive({name: opened(member) for name, member in value["assets"].items()})
    if value.get("path"):
        return pulumi.FileArchive(value["path"])
    return pulumi.RemoteArchive(value["uri"]) if value.get("uri") else None
