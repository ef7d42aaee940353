"""A registration as a Context (defaults, name and tags filled in), and a Context's answers as outputs."""

import hashlib
import json
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.core.errors import TableError
from localaws.engine import values
from localaws.engine.registration import Registration
from localaws.engine.state import Record
from localaws.provider import tagging
from localaws.provider.context import Caller, Context
from localaws.provider.execute import default_name
from localaws.provider.resources import TABLE
from localaws.provider.table import Do, Entry

PREFIX = "pulumi:providers:"


@dataclass(frozen=True, kw_only=True)
class Provider:
    region: str = ""
    default_tags: Mapping[str, str] = field(default_factory=dict)


def read_provider(type_: str, inputs: Mapping[str, Any], account: str) -> Provider:
    """A provider's settings from its plain inputs. Raises TableError without a region or for another account."""
    if type_ != f"{PREFIX}aws":
        return Provider()
    region = inputs.get("region")
    if not region:
        raise TableError(f"{type_} has no region; give it one in the program")
    allowed = _json(inputs.get("allowedAccountIds")) or [account]
    if account not in allowed or account in (_json(inputs.get("forbiddenAccountIds")) or []):
        raise TableError(f"{type_}: AWS account ID not allowed: {account}")
    tags = (_json(inputs.get("defaultTags")) or {}).get("tags") or {}
    return Provider(region=region, default_tags=tags)


def _json(value: Any) -> Any:
    """The SDK hands a provider's structured settings over as JSON texts."""
    return json.loads(value) if isinstance(value, str) else value


_NO_ENTRY = Entry(service="", create=Do(lambda _: {}), id="", delete=())


@dataclass(frozen=True, kw_only=True)
class StackRun:
    """What all resources of one run of a stack share."""

    caller: Caller
    account: str
    folder: Path
    seed: str  # goes into generated names, so that other settings give other names


def entry_of(type_: str) -> Entry:
    """The table entry. Raises TableError for a type the table does not know."""
    if type_ not in TABLE:
        raise TableError(f"{type_} is not in the table of localaws/provider/resources")
    return TABLE[type_]


def resource(
    run: StackRun, found: Registration, inputs: Mapping[str, Any], provider: Provider, record: Record | None
) -> Context:
    """The context in which `found` is created or updated; `inputs` are its arguments, secrets in their envelopes."""
    entry = entry_of(found.type)
    plain = {**entry.defaults, **values.unwrap(dict(inputs))}
    unknown = sorted(key for key, value in plain.items() if values.is_unknown(value))
    if unknown:
        raise TableError(f"{found.type}: {', '.join(unknown)} is unknown: nothing answers what it is taken from")
    region = entry.region or (str(plain.get("region") or provider.region) if entry.service else "")
    suffix = hashlib.sha256(f"{run.seed}{found.urn}".encode()).hexdigest()[:7]
    generated = default_name(entry, plain, found.name, suffix)
    if entry.autoname and generated:
        kept = record.outputs.get(entry.autoname.argument) if record else None
        plain[entry.autoname.argument] = kept or generated
    context = blank(run, found.type, region)
    context.entry, context.urn, context.name, context.inputs = entry, found.urn, found.name, plain
    if entry.tags:
        context.tags = tagging.merge(plain.get("tags"), dict(provider.default_tags))
    context.call_aws = run.caller.bound(found.urn)
    if run.caller.synthetic:
        context.entropy = random.Random(found.urn)
    return context


def deployed(run: StackRun, record: Record) -> Context:
    """The context in which a deployed resource is deleted."""
    entry = entry_of(record.type)
    context = blank(run, record.type, record.region)
    context.entry, context.urn, context.name, context.id = entry, record.urn, record.name, record.id
    context.inputs = {**entry.defaults, **values.unwrap(values.thaw(record.inputs))}
    context.out = {**context.inputs, **values.unwrap(values.thaw(record.outputs))}
    context.tags = record.tags
    return context


def blank(run: StackRun, type_: str, region: str) -> Context:
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


def computed(context: Context, found: Registration) -> dict[str, Any]:
    """What the resource answers beyond its arguments: defaults, generated name, outputs, all tags, region.

    What went in as a secret, or is named as one, comes out as one.
    """
    entry = context.entry
    added = {*entry.defaults, *([entry.autoname.argument] if entry.autoname else [])} - found.inputs.keys()
    answer: dict[str, Any] = {key: context.inputs[key] for key in added if key in context.inputs}
    answer |= {key: context.out[key] for key in entry.outputs if key in context.out}
    if entry.tags:
        answer["tagsAll"] = context.tags
    if entry.service and entry.regional:
        answer["region"] = context.region
    hidden = {*entry.secret_outputs, *found.secret_outputs}
    hidden |= {key for key, value in found.inputs.items() if values.holds_secret(value)}
    return {key: values.secret(value) if key in hidden else value for key, value in answer.items()}


def shown(found: Registration, inputs: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments and answers together, as the program sees them."""
    outputs = {**inputs, **answer}
    return {key: values.secret(value) if key in found.secret_outputs else value for key, value in outputs.items()}
