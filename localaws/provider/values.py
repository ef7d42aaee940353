"""Property values on their way between a program, AWS and the state: secrets, assets, unknowns.

Pulumi's wire protocol carries a secret as a small envelope. It is opened only for the AWS call itself; everything that
is shown, compared or stored goes through `hide` or `freeze`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
from pulumi.output import Unknown

from localaws.core import archives

# The signatures of the Pulumi resource protocol (pulumi/pulumi sdk/go/common/resource/properties.go).
SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

HIDDEN = "[secret]"
UNKNOWN = "[unknown]"


def is_secret(value: object) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == _SECRET


def secret(value: Any) -> Any:
    """`value` in an envelope; a value that is in one already stays as it is."""
    return value if is_secret(value) else {SIGNATURE: _SECRET, "value": value}


def unwrap(value: Any) -> Any:
    """`value` with every envelope opened, at any depth; whole numbers are integers."""
    if is_secret(value):
        return unwrap(value["value"])
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unwrap(item) for item in value]
    return _number(value)


def hide(value: Any, folder: Path) -> Any:
    """`value` as JSON that may be shown: secrets become "[secret]", archives their number of files and digest."""
    if is_secret(value):
        return HIDDEN
    if isinstance(value, Unknown):
        return UNKNOWN
    if isinstance(value, dict):
        return {key: hide(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [hide(item, folder) for item in value]
    if isinstance(value, pulumi.Archive):
        count, digest = archives.summary(value, folder)
        return {"files": count, "sha256": digest}
    if isinstance(value, pulumi.Asset):
        return {"sha256": archives.digest(value, folder)}
    return _number(value)


def freeze(value: Any, folder: Path) -> Any:
    """`value` as JSON for the state: secrets as {"$secret": …} (sealed before they reach a file), assets by digest."""
    if is_secret(value):
        return {"$secret": freeze(value["value"], folder)}
    if isinstance(value, Unknown):
        return {"$unknown": True}
    if isinstance(value, dict):
        return {key: freeze(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [freeze(item, folder) for item in value]
    if isinstance(value, pulumi.Archive | pulumi.Asset):
        return {"$asset": archives.digest(value, folder)}
    return _number(value)


def thaw(value: Any) -> Any:
    """The inverse of `freeze`: secrets are in their envelopes again; an asset stays its digest."""
    if isinstance(value, dict):
        if value.keys() == {"$secret"}:
            return secret(thaw(value["$secret"]))
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) for item in value]
    return value


def is_unknown(value: Any) -> bool:
    """Whether any part of `value` is not known in a preview."""
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return isinstance(value, Unknown)


def holds_secret(value: Any) -> bool:
    """Whether any part of `value` is in an envelope."""
    if isinstance(value, dict):
        return is_secret(value) or any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


def canonical(value: Any) -> str:
    """One text for equal JSON values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def secret_texts(value: Any) -> Iterator[str]:
    """Every text inside an envelope, so that a message can be cleaned of them."""
    if is_secret(value):
        yield from _texts(value["value"])
    elif isinstance(value, dict):
        for item in value.values():
            yield from secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)


def redact(message: str, secrets: Iterator[str]) -> str:
    """`message` without any of `secrets`. Texts under four characters are left: they would tear words apart."""
    for text in sorted(set(secrets), key=len, reverse=True):
        if len(text) >= 4:
            message = message.replace(text, HIDDEN).replace(repr(text)[1:-1], HIDDEN)
    return message


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _number(value: Any) -> Any:
    """The protocol knows only floating-point numbers; a whole one is shown and compared as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
