"""A test that leaves a shared environment otherwise than it found it is named, and the next one gets a new one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drill.scenarios.settings import AUTOMATIC_SPEED
from tests.drill import shared_environment
from tests.drill.shared_environment import Facts, SharedEnvironment

SUSTAINED = 6.0
BEFORE: Facts = {"speed": 6.0, "regions away": []}


class Deployments:
    """Environments that are made of their number and their facts."""

    def __init__(self) -> None:
        self.started: list[float] = []
        self.speeds: list[float | None] = []
        self.ended = 0
        self.facts: Facts = dict(BEFORE)

    @contextmanager
    def deploy(self, speed: float) -> Iterator[Path]:
        self.started.append(speed)
        self.facts = {**BEFORE, "speed": speed}
        yield Path(str(len(self.started)))
        self.ended += 1

    def set_speed(self, _file: Path, speed: float | None) -> None:
        self.speeds.append(speed)
        self.facts["speed"] = speed or SUSTAINED

    def read(self, _file: Path) -> Facts:
        return dict(self.facts)


@pytest.fixture
def deployments(monkeypatch: pytest.MonkeyPatch) -> Deployments:
    monkeypatch.setattr(shared_environment, "_SETTLES_SECONDS", 0.05)
    return Deployments()


@pytest.fixture
def shared(deployments: Deployments) -> Iterator[SharedEnvironment]:
    with SharedEnvironment(deployments.deploy, deployments.set_speed, deployments.read) as made:
        yield made


def used(
    shared: SharedEnvironment, deployments: Deployments, name: str, changed: Facts, error: Exception | None = None
) -> None:
    """By a test that changes something and perhaps fails."""
    with shared.lent(name) as environment:
        assert environment.file
        deployments.facts |= changed
        if error:
            raise error


def test_tests_that_change_nothing_share_one_that_is_started_when_it_is_needed(
    shared: SharedEnvironment, deployments: Deployments
) -> None:
    with shared.lent("none"):
        pass
    assert deployments.started == []

    for name in ("first", "second"):
        with shared.lent(name) as environment:
            assert environment.file == Path("1")
    assert (deployments.started, deployments.ended) == ([AUTOMATIC_SPEED], 0)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"regions away": ["us-east-1"]}, "regions away: [] before, ['us-east-1'] now"),
        ({"speed": 3.0}, "speed: 6.0 before, 3.0 now"),
        ({"AWS": "cannot be asked"}, "AWS: None before, cannot be asked now"),
    ],
)
def test_who_leaves_it_otherwise_fails_with_what_differs_and_the_next_one_gets_a_new_one(
    shared: SharedEnvironment, deployments: Deployments, changed: Any, named: str
) -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        used(shared, deployments, "the careless test", changed)

    assert str(failed.value) == f"the careless test left the shared environment otherwise than it found it: {named}"
    assert deployments.ended == 1
    with shared.lent("the next one") as environment:
        assert environment.file == Path("2")


def test_what_settles_in_time_is_no_difference(
    shared: SharedEnvironment, deployments: Deployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_environment, "_SETTLES_SECONDS", 60.0)
    reads = iter([["us-east-1"], ["us-east-1"], []])

    with shared.lent("the patient test") as environment:
        assert environment.file == Path("1")
        monkeypatch.setattr(environment, "_read", lambda _file: {**BEFORE, "regions away": next(reads)})

    assert deployments.ended == 0


@pytest.mark.parametrize("left", [{}, {"regions away": ["us-east-1"]}], ids=["nothing that is seen", "a lost region"])
def test_who_may_leave_it_otherwise_does_not_fail_and_the_next_one_gets_a_new_one(
    shared: SharedEnvironment, deployments: Deployments, left: Facts
) -> None:
    with shared.lent("a sabotage") as environment:
        environment.expect_a_difference()
        assert environment.file == Path("1")
        deployments.facts |= left
    assert deployments.ended == 1

    with pytest.raises(pytest.fail.Exception):
        used(shared, deployments, "the next one", {"regions away": ["us-east-2"]})
    assert deployments.started == [AUTOMATIC_SPEED, SUSTAINED]


def test_what_a_failing_test_leaves_is_not_left_to_the_next_one(
    shared: SharedEnvironment, deployments: Deployments
) -> None:
    with pytest.raises(ValueError, match="its own"):
        used(shared, deployments, "a failing test", {"regions away": ["us-east-1"]}, ValueError("its own"))

    assert deployments.ended == 1


def test_a_repeated_run_gets_a_new_one_at_half_the_speed(shared: SharedEnvironment, deployments: Deployments) -> None:
    with shared.lent("a slow machine") as environment:
        assert environment.file == Path("1")
        environment.start_anew_at_half_speed()
        assert environment.file == Path("2")

    assert (deployments.started, deployments.ended) == ([AUTOMATIC_SPEED, 3.0], 1)


def test_each_test_has_its_own_speed_and_one_is_measured_only_once(
    shared: SharedEnvironment, deployments: Deployments
) -> None:
    for speed in (10.0, None, 10.0, None):
        with shared.lent("at a speed", speed=speed) as environment:
            assert environment.file == Path("1")
            assert deployments.facts["speed"] == (speed or SUSTAINED)

    assert deployments.started == [10.0]
    assert deployments.speeds == [None, 10.0, SUSTAINED]


def test_a_repeated_run_at_a_speed_of_its_own_slows_no_other_test_down(
    shared: SharedEnvironment, deployments: Deployments
) -> None:
    with shared.lent("a slow machine", speed=10.0) as environment:
        assert environment.file == Path("1")
        environment.start_anew_at_half_speed()
        assert environment.file == Path("2")
    with shared.lent("the next one", speed=10.0) as environment:
        assert environment.file == Path("2")

    assert (deployments.started, deployments.speeds) == ([10.0, 5.0], [10.0])
