"""Preparation of a resource for both engines, before and after its steps: provider, defaults, names, outputs."""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.core.errors import TableError
from localaws.provider import values
from localaws.provider.context import Caller, Context
from localaws.provider.execute import default_name
from localaws.provider.resources import TABLE
from localaws.provider.table import Do, Entry


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The settings of a provider resource."""

    region: str = ""
    default_tags: Mapping[str, str] = field(default_factory=dict)


def read_provider(package: str, inputs: Mapping[str, Any], account: str) -> Provider:
    """A provider's settings from its plain inputs. Raises TableError without a region or for another account."""
    if package != "aws":
        return Provider()
    region = inputs.get("region")
    if not region:
        raise TableError(f"a provider of {package} has no region; give it one in the program")
    allowed = _json(inputs.get("allowedAccountIds")) or [account]
    if account not in allowed or account in (_json(inputs.get("forbiddenAccountIds")) or []):
        raise TableError(f"provider of {package}: AWS account ID not allowed: {account}")
    tags = (_json(inputs.get("defaultTags")) or {}).get("tags") or {}
    return Provider(region=region, default_tags=tags)


def _json(value: Any) -> Any:
    """The SDK hands a provider's structured settings over as JSON texts."""
    return json.loads(value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class StackRun:
    """Settings that all resources of one run of a stack share."""

    caller: Caller
    account: str
    folder: Path
    seed: str = ""  # goes into generated names, so that other settings give other names


def entry_of(type_: str) -> Entry:
    """The table entry. Raises TableError for a type the table does not know."""
    if type_ not in TABLE:
        raise TableError(f"{type_} is not in the table of localaws/provider/resources")
    return TABLE[type_]


_NO_ENTRY = Entry(service="", create=Do(lambda _: {}), id="", delete=())


def blank(run: StackRun, type_: str, region: str) -> Context:
    """A context of no resource, for a provider function."""
    return Context(
        type=type_,
        urn="",
        name="",
        entry=_NO_ENTRY,
        region=region,
        account=run.account,
        folder=run.folder,
        inputs={},
        tags={},
        call_aws=run.caller,
        entropy=secrets.SystemRandom(),
    )


def complete(
    entry: Entry, inputs: Mapping[str, Any], name: str, *, suffix: str, former: str | None = None
) -> dict[str, Any]:
    """`inputs` with the provider's defaults and, for a resource without a name, the `former` or a generated one."""
    filled = {**entry.defaults, **inputs}
    generated = default_name(entry, filled, name, suffix)
    if entry.autoname and generated:
        filled[entry.autoname.argument] = former or generated
    return filled


def region_of(entry: Entry, inputs: Mapping[str, Any], provider: Provider) -> str:
    """The region that a resource is in; empty for one that is in none."""
    return entry.region or (str(inputs.get("region") or provider.region) if entry.service else "")


def computed(context: Context, given: Mapping[str, Any], secret_outputs: Collection[str] = ()) -> dict[str, Any]:
    """The properties of the resource beyond the `given` arguments: defaults, generated name, outputs, all tags, region.

    What went in as a secret, or is named as one, comes out as one.
    """
    entry = context.entry
    added = {*entry.defaults, *([entry.autoname.argument] if entry.autoname else [])} - given.keys()
    answer: dict[str, Any] = {key: context.inputs[key] for key in added if key in context.inputs}
    answer |= {key: context.out[key] for key in entry.outputs if key in context.out}
    if entry.tags:
        answer["tagsAll"] = context.tags
    if entry.service and entry.regional:
        answer["region"] = context.region
    hidden = {*entry.secret_outputs, *secret_outputs}
    hidden |= {key for key, value in given.items() if values.holds_secret(value)}
    return {key: values.secret(value) if key in hidden else value for key, value in answer.items()}
