"""A registration as a Context (defaults, name and tags filled in), and a Context's answers as outputs."""

import hashlib
import random
from collections.abc import Mapping
from typing import Any

from localaws.core.errors import TableError
from localaws.engine.registration import Registration
from localaws.engine.state import Record
from localaws.provider import preparation, tagging, values
from localaws.provider.context import Context
from localaws.provider.preparation import Provider, StackRun, entry_of

PREFIX = "pulumi:providers:"


def resource(
    run: StackRun, found: Registration, inputs: Mapping[str, Any], provider: Provider, record: Record | None
) -> Context:
    """The context in which `found` is created or updated; `inputs` are its arguments, secrets in their envelopes."""
    entry = entry_of(found.type)
    suffix = hashlib.sha256(f"{run.seed}{found.urn}".encode()).hexdigest()[:7]
    former = record.outputs.get(entry.autoname.argument) if record and entry.autoname else None
    plain = preparation.complete(entry, values.unwrap(dict(inputs)), found.name, suffix=suffix, former=former)
    unknown = sorted(key for key, value in plain.items() if values.is_unknown(value))
    if unknown:
        raise TableError(f"{found.type}: {', '.join(unknown)} is unknown: nothing answers what it is taken from")
    context = preparation.blank(run, found.type, preparation.region_of(entry, plain, provider))
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
    context = preparation.blank(run, record.type, record.region)
    context.entry, context.urn, context.name, context.id = entry, record.urn, record.name, record.id
    context.inputs = {**entry.defaults, **values.unwrap(values.thaw(record.inputs))}
    context.out = {**context.inputs, **values.unwrap(values.thaw(record.outputs))}
    context.tags = record.tags
    return context


def shown(found: Registration, inputs: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments and answers together, as the program reads them."""
    outputs = {**inputs, **answer}
    return {key: values.secret(value) if key in found.secret_outputs else value for key, value in outputs.items()}
