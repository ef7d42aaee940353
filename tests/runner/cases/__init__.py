"""One program per service, and how AWS itself describes what the program made."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Client = Callable[..., Any]
Reader = Callable[[Client, dict[str, Any]], Any]


@dataclass(frozen=True)
class Reading:
    """A reading of one resource from AWS (`read`, given clients and the program's exports), and the expected result."""

    read: Reader
    expect: Mapping[str, Any]
    stays: str = ""  # why the resource is still there after its deletion


@dataclass(frozen=True)
class Case:
    program: str
    readings: Mapping[str, Reading]  # by resource type
    edits: tuple[tuple[str, str], ...] = ()  # texts of the program to replace for a second version of it
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # what AWS returns after that, by type


def all_cases() -> dict[str, Case]:
    """Every module of this folder has one; by its name."""
    names = [found.name for found in pkgutil.iter_modules(__path__)]
    return {name: importlib.import_module(f"{__name__}.{name}").CASE for name in names}
