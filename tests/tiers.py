"""Test tiers, assigned to each test while pytest collects: the heaviest thing that its fixtures start decides.

    unit      no server; in parallel
    emulator  a running embedded AWS, or a real database
    stack     whole environments, rehearsed or under load, and what a busy machine would make fail, such as measured
              rates and limits of real time; one test after the other
    engine    the Pulumi CLI, deploying to an embedded AWS; one test after the other
    nightly   what a pull request does not wait for

A fixture that starts something is decorated with `starts`. A test without such a fixture that is heavier than `unit`,
and one that is for the night only, carries the tier's marker itself.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

TIERS = ("unit", "emulator", "stack", "engine", "nightly")
DEFAULT = TIERS[:3]
"""The tiers of `make test`. `make check` adds the tier `engine`, which takes as long as these and needs the CLI."""

OUTCOMES = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")
"""Of a test, in the order of pytest's closing line."""

_ATTRIBUTE = "__starts_tier__"
Fixture = TypeVar("Fixture", bound=Callable[..., Any])


def starts(tier: str) -> Callable[[Fixture], Fixture]:
    """Decorate a fixture function, below `pytest.fixture`: each test that uses it is at least of this tier."""
    assert tier in TIERS

    def mark(function: Fixture) -> Fixture:
        setattr(function, _ATTRIBUTE, tier)
        return function

    return mark


def tier(named: Iterable[str], started: Iterable[str]) -> str:
    """The tier of a test by its markers and by what its fixtures start. Raises ValueError for a contradiction."""
    explicit, least = sorted(set(named)), max(started, key=TIERS.index, default=TIERS[0])
    if len(explicit) > 1:
        raise ValueError(f"is marked {' and '.join(explicit)}; one tier is enough")
    if not explicit:
        return least
    if TIERS.index(explicit[0]) < TIERS.index(least):
        raise ValueError(f"is marked {explicit[0]}, but uses a fixture of the tier {least}")
    return explicit[0]


def tier_of(item: pytest.Item) -> str:
    """The tier of a collected test."""
    fixtures = getattr(item, "_fixtureinfo", None)
    definitions = fixtures.name2fixturedefs.values() if fixtures else ()
    # The last definition of a name overrides the others.
    started = [found for each in definitions if (found := getattr(each[-1].func, _ATTRIBUTE, None))]
    try:
        return tier((each.name for each in item.iter_markers() if each.name in TIERS), started)
    except ValueError as error:
        raise pytest.UsageError(f"{item.nodeid} {error}") from error


class Tiers:
    """Pytest plugin: marks every test with its tier and refuses a server process that a unit test starts."""

    def __init__(self) -> None:
        self._running: str | None = None
        sys.addaudithook(self._audit)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Before pytest itself selects by `-m`."""
        for item in items:
            found = tier_of(item)
            if item.get_closest_marker(found) is None:
                item.add_marker(found)
        if file := items and items[0].config.getoption("tier_files"):
            write_files(items, Path(str(file)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._running = tier_of(item)
        try:
            return (yield)
        finally:
            self._running = None

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Write the number of tests by outcome to the file that `--results` names."""
        if file := config.getoption("results"):
            counts = {each: len(terminalreporter.stats.get(each, ())) for each in OUTCOMES}
            Path(str(file)).write_text(json.dumps(counts))

    def _audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen" and self._running == TIERS[0] and is_server(given[1]):
            raise RuntimeError("a unit test starts an embedded AWS: decorate its fixture with tests.tiers.starts")


def write_files(items: Iterable[pytest.Item], file: Path) -> None:
    """Write the test files of each tier as JSON. Several processes of a run may do so at once."""
    found: dict[str, dict[str, None]] = {tier: {} for tier in TIERS}
    for item in items:
        found[tier_of(item)][str(item.path)] = None
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps({tier: list(files) for tier, files in found.items()}))
    partial.replace(file)


def is_server(command: Any) -> bool:
    """Whether a command line starts an embedded AWS."""
    words = [str(each) for each in command] if isinstance(command, (list, tuple)) else str(command).split()
    return any(
        words[at : at + 1] == ["localaws.server.main"] or words[at : at + 2] == ["shared.local_aws", "up"]
        for at in range(len(words))
    )
