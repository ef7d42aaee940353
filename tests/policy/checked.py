"""A registered resource's inputs as the provider's `Check` returns them: what the engine passes to a policy.

The rules of pulumi-aws and its bridge (provider/autonaming.go, tags.go and region.go; pkg/tfbridge), applied to the
classes of the installed SDK, so that they hold for every type. A provider resource keeps its inputs.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from localaws.provider.resources import TABLE
from policy.rules.rows import Row, Rows
from policy.rules.tags import default_tags
from tests.programs import sdk

RANDOM = "1a2b3c4"  # seven hexadecimal digits, which the bridge takes at random
# Inputs that AWS sets itself when they are left out. The SDK documents the value like a default of the provider's.
_BY_AWS = {"aws:s3/bucket:Bucket": {"acl"}}
_DEFAULT = re.compile(r"\b[Dd]efaults?(?: value)?(?: is| to| of|:)?(?: to| is)? `\"?([^`\" ]*)\"?`")


def checked(rows: Rows) -> list[Row]:
    """The rows with what `Check` adds to the inputs of each."""
    providers = {row["urn"]: row for row in rows if row["type"] == "pulumi:providers:aws"}
    return [{**row, "inputs": _inputs(row, providers.get(row["provider"], {}))} for row in rows]


def _inputs(row: Row, provider: Row | Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = dict(row["inputs"])
    if not row["type"].startswith("aws:"):
        return given
    known = sdk.inputs(row["type"])
    added = {**_defaults(row["type"]), **_name(row, known)}
    if "region" in known and provider:
        added["region"] = provider["inputs"]["region"]
    found = {**added, **given}
    if "tags" in known:
        found["tagsAll"] = {**(default_tags(provider) if provider else {}), **(given.get("tags") or {})}
    return found


def _name(row: Row, known: Mapping[str, sdk.Input]) -> dict[str, str]:
    """An automatic name, if the program gave none."""
    rule = TABLE[row["type"]].autoname if row["type"] in TABLE else None
    key = rule.argument if rule else "name"
    if key not in known or row["inputs"].get(key) is not None:
        return {}
    return {key: f"{rule.prefix if rule else ''}{row['inputs'].get(f'{key}Prefix') or row['name'] + '-'}{RANDOM}"}


@cache
def _defaults(token: str) -> Mapping[str, Any]:
    """The defaults of the provider's schema, which the SDK documents, and those in the table of the embedded AWS."""
    in_table = TABLE[token].defaults if token in TABLE else {}
    return {**dict(_documented(token)), **in_table}


def _documented(token: str) -> Iterator[tuple[str, Any]]:
    for key, each in sdk.inputs(token).items():
        found = set(_DEFAULT.findall(each.text))
        if len(found) == 1 and key not in _BY_AWS.get(token, ()):
            (text,) = found
            if (value := _typed(text, each.kind)) is not None:
                yield key, value


def _typed(text: str, kind: str) -> Any:
    if "bool" in kind:
        return {"true": True, "false": False}.get(text)
    if "int" in kind:
        return int(text) if text.isdigit() else None
    return text if "str" in kind and "Sequence" not in kind else None
