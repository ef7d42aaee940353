"""One program per service, and how AWS itself describes what the program made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Client = Callable[..., Any]
Reader = Callable[[Client, dict[str, Any]], Any]


@dataclass(frozen=True)
class Look:
    """How to ask AWS for one resource (`read`, given clients and the program's exports), and what it must say."""

    read: Reader
    expect: Mapping[str, Any]
    stays: str = ""  # why the resource is still there after its deletion


@dataclass(frozen=True)
class Case:
    program: str
    looks: Mapping[str, Look]  # by resource type
    edits: tuple[tuple[str, str], ...] = ()  # texts of the program to replace for a second version of it
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # what AWS says after that, by type


def all_cases() -> dict[str, Case]:
    """Every case by its name."""
    from tests.runner.cases import (
        api,
        api_access,
        backups,
        buckets,
        compute,
        database,
        edge,
        event_work,
        front_door,
        keys,
        messages,
        network,
        notifications,
        private_network,
        protection,
        store,
        workflows,
    )

    modules = (
        api,
        api_access,
        backups,
        buckets,
        compute,
        database,
        edge,
        event_work,
        front_door,
        keys,
        messages,
        network,
        notifications,
        private_network,
        protection,
        store,
        workflows,
    )
    return {module.__name__.rpartition(".")[2]: module.CASE for module in modules}
