"""Carries out table entries: create, update and delete one resource through the steps its entry names."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from localaws.core.errors import TableError
from localaws.provider import calls, mapping, tagging
from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Maybe, Step

_GONE = re.compile(r"NotFound|NoSuch|Non[Ee]xistent|DoesNotExist|NotExist|^404$")

_TIMEOUT = 60.0  # seconds on this machine; the embedded AWS needs a few at most
_PAUSE = 0.1


def check(context: Context) -> None:
    """Refuse a resource with an argument that no step would pass on. Raises TableError naming type and argument."""
    entry = context.entry
    steps = (entry.create, *entry.puts)
    taken = {path for step in steps for path in consumes(step)} | set(entry.provider_only) | {"region"}
    if entry.tags:
        taken.add("tags")
    if entry.autoname:
        taken.add(f"{entry.autoname.argument}Prefix")
    automatic = isinstance(entry.create, Call) and entry.create.auto == ALL
    for leaf in _leaves(context.inputs):
        covered = any(leaf == path or leaf.startswith(f"{path}.") for path in taken)
        top = leaf.partition(".")[0]
        left_to_create = automatic and not any(path.partition(".")[0] == top for path in taken)
        if not covered and not left_to_create:
            raise TableError(f"{context.type}: no call takes {leaf}")


def create(context: Context, on_made: Callable[[str], None]) -> None:
    """Make the resource; `on_made(id)` is called as soon as it exists. Fills the context's id and outputs."""
    entry = context.entry
    check(context)
    if entry.not_emulated and not context.synthetic:
        raise TableError(f"{context.type}: {entry.not_emulated}")
    context.out = dict(context.inputs)
    context.made = _run(context, entry.create, making=True) or {}
    identity = context.text(entry.id)
    if identity is None:
        raise TableError(f"{context.type}: the answer holds no {entry.id}")
    context.id = mapping.as_text(identity)
    on_made(context.id)
    for step in entry.puts:
        _run(context, step)
    _read(context, made=True)
    if entry.tags and not entry.tags.inline and context.tags:
        tagging.apply(context, {})


def update(context: Context, changed: set[str], former_tags: dict[str, str]) -> None:
    """Bring the resource to its new arguments. Raises TableError if AWS could only replace it."""
    entry = context.entry
    check(context)
    stuck = sorted(changed - covered(entry))
    if stuck:
        raise TableError(f"{context.type} would be replaced: {', '.join(stuck)}")
    for step in (*entry.update, *entry.puts):
        if _tops(step) & changed:
            _run(context, step, updating=True)
    _read(context, made=False)
    if entry.tags and context.tags != former_tags:
        tagging.apply(context, former_tags)


def delete(context: Context) -> None:
    """Remove the resource; one that is gone already counts as removed, as with the provider."""
    for step in context.entry.delete:
        try:
            _run(context, step)
        except ClientError as error:
            if not is_gone(error):
                raise


def is_gone(error: ClientError) -> bool:
    """Whether AWS refused a call because the resource does not exist."""
    return bool(_GONE.search(error.response["Error"]["Code"]))


def find(context: Context, *, wait: bool = False) -> dict[str, Any]:
    """The answer of the entry's reading call, with `wait` once the resource is ready. Raises ClientError."""
    assert context.entry.read
    return _wait(context, context.entry.read) if wait else _call(context, context.entry.read, None, making=False)


def _run(context: Context, step: Step, *, making: bool = False, updating: bool = False) -> Any:
    if isinstance(step, Do):
        context.operation = step.run.__name__
        return step.run(context)
    if not all(context.get(condition) for condition in step.when):
        return None
    if step.each:
        elements = context.get(step.each) or []
        return [_call(context, step, each, making=making) for each in elements]
    consumed = list(consumes(step))
    if consumed and not (making or updating) and all(context.get(f"in.{path}") is None for path in consumed):
        return None
    return _call(context, step, None, making=making)


def _call(context: Context, step: Call, each: Any, *, making: bool) -> dict[str, Any]:
    entry = context.entry
    service = step.service or entry.service
    parameters = {name: context.inputs[name] for name in _automatic(context, step) if name in context.inputs}
    parameters |= mapping.evaluate(dict(step.params), context.names(each)) or {}
    if making and entry.tags and entry.tags.inline:
        shape = calls.operation(service, step.operation).input_shape
        parameters |= tagging.inline(context, shape)
    region = context.text(step.region) if step.region else ""
    return context.call(step.operation, parameters, service=service, region=region)


def _automatic(context: Context, step: Call) -> tuple[str, ...]:
    if step.auto != ALL:
        return step.auto
    entry = context.entry
    taken = {path.partition(".")[0] for other in (step, *entry.puts) for path in consumes(other)}
    taken |= {"tags", "region", *entry.provider_only}
    if entry.autoname:
        taken.add(f"{entry.autoname.argument}Prefix")
    return tuple(name for name in context.inputs if name not in taken)


def _read(context: Context, *, made: bool) -> None:
    if context.entry.read:
        context.found = _wait(context, context.entry.read)
    answer_outputs(context, made=made)


def answer_outputs(context: Context, *, made: bool = False) -> None:
    """Fill the outputs from the context; those that only the creating call answers are left unless `made`."""
    entry = context.entry
    for key, value in entry.outputs.items():
        text = value.value if isinstance(value, Maybe) else value
        if not made and mapping.mentions(text, "made"):
            continue
        answer = context.text(text) if isinstance(text, str) or callable(text) else text
        if answer is None:
            if not isinstance(value, Maybe):
                raise TableError(f"{context.type}: AWS's answer holds no {key}")
            answer = value.otherwise
        context.out[key] = answer


def _wait(context: Context, read: Call) -> dict[str, Any]:
    """The answer of `read` once the resource is ready. Raises TableError if it is not after a minute."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        context.found = _call(context, read, None, making=False)
        if not context.entry.ready or context.synthetic or context.get(context.entry.ready):
            return context.found
        if time.monotonic() > deadline:
            raise TableError(f"{context.type} {context.id} was not ready after {_TIMEOUT:.0f} s")
        time.sleep(_PAUSE)


def consumes(step: Step) -> Iterator[str]:
    """The argument paths that `step` passes on."""
    yield from step.takes
    if isinstance(step, Do):
        return
    if step.auto != ALL:
        yield from step.auto
    yield from mapping.arguments(dict(step.params))
    for condition in step.when:
        yield from mapping.paths(condition)
    if step.each:
        yield from mapping.paths(step.each)


def covered(entry: Entry) -> set[str]:
    """The arguments that an update of a deployed resource passes on, or that no call takes."""
    return {"tags", *entry.provider_only}.union(*(_tops(step) for step in (*entry.update, *entry.puts)))


def _tops(step: Step) -> set[str]:
    return {path.partition(".")[0] for path in consumes(step)}


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield from _leaves(item, path)
    elif path:
        yield path


def default_name(entry: Entry, inputs: dict[str, Any], name: str, suffix: str) -> str | None:
    """The name Pulumi would generate, or None if the program gave one: `<logical name>-<suffix>`, cut to the limit."""
    rule = entry.autoname
    if rule is None or inputs.get(rule.argument) is not None:
        return None
    prefix = inputs.get(f"{rule.argument}Prefix")
    stem = prefix if prefix else f"{rule.prefix}{name}-"
    text = f"{stem[: rule.limit - len(suffix)]}{suffix}"
    return text.lower() if rule.lower else text
