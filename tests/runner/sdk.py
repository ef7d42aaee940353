"""A resource type in Pulumi's own SDK: its arguments and its outputs, in the wire's camelCase."""

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

_MODULES = {"lambda": "lambda_"}  # a word that Python keeps for itself
_HIDDEN = {"__self__", "resource_name", "opts", "__props__"}


@dataclass(frozen=True)
class Described:
    arguments: frozenset[str]
    outputs: frozenset[str]  # those that are no arguments
    secret: frozenset[str]


def describe(type_: str) -> Described:
    """The SDK class of a type token such as aws:ec2/vpc:Vpc."""
    found = _class(type_)
    words = {name: _wire_name(name, member) for name, member in vars(found).items() if isinstance(member, property)}
    arguments = {
        words.get(name, name) for name in inspect.signature(found._internal_init).parameters if name not in _HIDDEN
    }
    secret = inspect.getsource(found._internal_init).partition("additional_secret_outputs=[")[2].partition("]")[0]
    return Described(
        frozenset(arguments),
        frozenset(set(words.values()) - arguments),
        frozenset(word.strip('" ') for word in secret.split(",") if word.strip()),
    )


def _class(type_: str) -> Any:
    package, module, name = type_.split(":")
    folder = module.partition("/")[0]
    path = f"pulumi_{package}" if folder == "index" else f"pulumi_{package}.{_MODULES.get(folder, folder)}"
    return getattr(importlib.import_module(path), name)


def _wire_name(name: str, member: property) -> str:
    """The SDK keeps the name on the wire with each getter."""
    return str(getattr(member.fget, "_pulumi_name", name))
