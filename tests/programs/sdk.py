"""The arguments of resources in the installed AWS SDK, read from its classes."""

import importlib
import inspect
import re
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_MODULES = {"lambda": "lambda_"}  # a word of the language


def arguments(token: str, pattern: re.Pattern[str]) -> set[str]:
    """Paths of a type's arguments, as they go to the provider (camel case, lists left out), whose last word in the
    SDK's own spelling matches. Arguments that only hold others are left out."""
    return {".".join(path) for path in _paths(_arguments(token), pattern, frozenset())}


@dataclass(frozen=True)
class Input:
    kind: str  # its annotation
    text: str  # its documentation


@cache
def inputs(token: str) -> Mapping[str, Input]:
    """A type's top-level arguments by their name on the wire."""
    given = _arguments(token)
    return {
        _wire_name(given, name): Input(
            kind=str(inspect.get_annotations(member.fget)["return"]), text=inspect.getdoc(member.fget) or ""
        )
        for name, member in vars(given).items()
        if isinstance(member, property) and member.fget
    }


def resource_class(token: str) -> type:
    found: type = _module(token)[token.rpartition(":")[2]]
    return found


def _arguments(token: str) -> type:
    kind, found = token.rpartition(":")[2], _module(token)
    # Where an inline setting of another resource has the name already, the SDK adds a word [PROVIDER-3].
    given: type = found.get(f"{kind}InitArgs") or found[f"{kind}Args"]
    return given


def _module(token: str) -> dict[str, Any]:
    package, module, kind = token.split(":")
    service, _, file = module.partition("/")
    name = f"pulumi_{package}"
    if service != "index":
        inner = _MODULES.get(service, service)
        # The SDK loads a service at the first access to one of its classes; if a module of it were imported before
        # that, the service would stay empty.
        getattr(getattr(importlib.import_module(name), inner), kind)
        name = f"{name}.{inner}"
    return vars(importlib.import_module(f"{name}.{_snake(file)}"))


@cache
def _paths(kind: type, pattern: re.Pattern[str], outer: frozenset[type]) -> frozenset[tuple[str, ...]]:
    known = vars(sys.modules[kind.__module__])
    paths: set[tuple[str, ...]] = set()
    for name, annotation in inspect.get_annotations(vars(kind)["__init__"]).items():
        inner = {known[each] for each in _names(annotation) if each.endswith("Args") and each in known}
        wire = _wire_name(kind, name)
        if not inner and name != "return" and pattern.search(name):
            paths.add((wire,))
        for each in inner - outer - {kind}:  # some statements contain themselves
            paths |= {(wire, *path) for path in _paths(each, pattern, outer | {kind})}
    return frozenset(paths)


def _names(annotation: Any) -> set[str]:
    if isinstance(annotation, typing.ForwardRef | str):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        return set(re.findall(r"\w+", text))
    parts = typing.get_args(annotation)
    if parts:
        return {name for part in parts for name in _names(part)}
    return {annotation.__name__} if inspect.isclass(annotation) else set()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _wire_name(kind: type, name: str) -> str:
    """The SDK keeps the name on the wire with each getter."""
    member = vars(kind).get(name)
    return str(getattr(member.fget, "_pulumi_name", name)) if isinstance(member, property) else name
