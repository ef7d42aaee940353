"""The random provider: made here, once, and kept in the state. In the graph they follow from the URN."""

import base64
import string
import uuid
from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import Do, Entry

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"  # the random provider's own set
_KEEPERS = {"keepers": "only decides when the provider makes a new value"}
_TEXT = (
    "length",
    "lower",
    "minLower",
    "minNumeric",
    "minSpecial",
    "minUpper",
    "number",
    "numeric",
    "overrideSpecial",
    "special",
    "upper",
)


def _text(context: Context) -> dict[str, Any]:
    """A text of `length` characters with at least the asked number of each class."""
    given = context.inputs
    classes = {
        "Lower": (string.ascii_lowercase, given.get("lower", True)),
        "Upper": (string.ascii_uppercase, given.get("upper", True)),
        "Numeric": (string.digits, given.get("numeric", given.get("number", True))),
        "Special": (given.get("overrideSpecial") or _SPECIAL, given.get("special", True)),
    }
    alphabet = "".join(letters for letters, wanted in classes.values() if wanted)
    chosen = [
        context.entropy.choice(letters)
        for name, (letters, _) in classes.items()
        for _ in range(int(given.get(f"min{name}", 0)))
    ]
    chosen += [context.entropy.choice(alphabet) for _ in range(int(given["length"]) - len(chosen))]
    context.entropy.shuffle(chosen)
    return {"result": "".join(chosen)}


def _bytes(context: Context) -> dict[str, Any]:
    data = context.entropy.randbytes(int(context.inputs["byteLength"]))
    prefix = context.inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return {
        "id": url,
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(data).decode(),
        "hex": prefix + data.hex(),
        "dec": prefix + str(int.from_bytes(data, "big")),
    }


def _uuid(context: Context) -> dict[str, Any]:
    return {"result": str(uuid.UUID(bytes=context.entropy.randbytes(16), version=4))}


TYPES = {
    "random:index/randomPassword:RandomPassword": Entry(
        service="",
        create=Do(_text, takes=_TEXT),
        id="none",
        delete=(),
        provider_only=_KEEPERS,
        secret_outputs=("result", "bcryptHash"),
        outputs={"result": "{made.result}"},
        unanswered={"bcryptHash": "the hash would need one more library, and no stack uses it"},
    ),
    "random:index/randomString:RandomString": Entry(
        service="",
        create=Do(_text, takes=_TEXT),
        id="{made.result}",
        delete=(),
        provider_only=_KEEPERS,
        outputs={"result": "{made.result}"},
    ),
    "random:index/randomId:RandomId": Entry(
        service="",
        create=Do(_bytes, takes=("byteLength", "prefix")),
        id="{made.id}",
        delete=(),
        provider_only=_KEEPERS,
        outputs={key: f"{{made.{key}}}" for key in ("b64Url", "b64Std", "hex", "dec")},
    ),
    "random:index/randomUuid:RandomUuid": Entry(
        service="",
        create=Do(_uuid),
        id="{made.result}",
        delete=(),
        provider_only=_KEEPERS,
        outputs={"result": "{made.result}"},
    ),
}
