"""Bad settings are refused before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drill.__main__ import app
from drill.scenarios.settings import RehearsalSettings, SettingsError
from drill.scenarios.simulated.hours import RATE, SPEED

GOOD: dict[str, Any] = {
    "scenario": "region-loss",
    "environment": "dev",
    "speed": 5.0,
    "rate": 50.0,
    "duration": 40.0,
    "seed": 1,
    "outage_mode": "reset",
    "output": Path("build/rehearsal"),
}


@pytest.mark.parametrize(
    ("change", "option", "value", "remedy"),
    [
        ({"outage_mode": "melt"}, "--outage-mode", "melt", "error, reset, hang"),
        ({"rate": 0.0}, "--rate", "0", "such as 50"),
        ({"rate": -3.0}, "--rate", "-3", "such as 50"),
        ({"rate": float("nan")}, "--rate", "nan", "such as 50"),
        ({"rate": float("inf")}, "--rate", "inf", "from 1 to 500"),
        ({"speed": 0.0}, "--speed", "0", "such as 5"),
        ({"speed": -1.0}, "--speed", "-1", "such as 5"),
        ({"duration": 0.0}, "--duration", "0", "such as 60"),
        ({"duration": 8.0}, "--duration", "8", "use --duration 9 or more"),
        ({"speed": 0.5}, "--duration", "40", "use --duration 80 or more"),
        ({"environment": " "}, "--env", "empty", "such as dev"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value_and_the_remedy(
    change: dict[str, Any], option: str, value: str, remedy: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        RehearsalSettings.checked(**(GOOD | change))

    message = str(refused.value)
    assert message.startswith(f"{option} is {value}")
    assert remedy in message


def test_the_shortest_duration_that_is_named_is_accepted() -> None:
    assert RehearsalSettings.checked(**(GOOD | {"duration": 9.0})).duration == 9


def test_phases_are_as_short_as_they_make_sense_unless_a_duration_is_asked_for() -> None:
    scenario = RehearsalSettings.checked(**(GOOD | {"duration": None})).scenario

    assert scenario.stretch(None, 5.0) == 1
    assert scenario.stretch(90.0, 5.0) == 10


def test_a_scenario_is_rehearsed_no_quicker_than_its_limits_allow() -> None:
    asked = GOOD | {"scenario": "slow-region", "duration": None}

    assert RehearsalSettings.checked(**asked).speed == 1.5
    assert RehearsalSettings.checked(**(asked | {"speed": 1.0})).speed == 1


def test_a_scenario_of_hours_has_a_speed_and_a_rate_of_its_own_unless_others_are_given() -> None:
    chosen = {**GOOD, "scenario": "late-failover", "duration": None, "speed": None, "rate": None}
    settings = RehearsalSettings.checked(**chosen)
    by_hand = RehearsalSettings.checked(**(chosen | {"speed": 20.0, "rate": 5.0}))

    assert (settings.given_speed, settings.given_rate) == (SPEED, RATE)
    assert (by_hand.given_speed, by_hand.given_rate) == (20, 5)
    assert settings.shortest_minutes > 3 * 60 / SPEED


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"^there is no scenario moon-loss; choose one of region-loss"):
        RehearsalSettings.checked(**(GOOD | {"scenario": "moon-loss"}))


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()

    with pytest.raises(SettingsError, match=r"--output is .*taken, which is a file"):
        RehearsalSettings.checked(**(GOOD | {"output": taken}))


@pytest.mark.parametrize(
    "words",
    [
        ["moon-loss"],
        ["--all", "moon-loss"],
        ["--hours", "moon-loss"],
        ["--rate", "0"],
        ["--speed", "-1"],
        ["--duration", "5"],
    ],
)
def test_the_command_line_ends_with_2_and_writes_nothing(words: list[str], tmp_path: Path) -> None:
    output = tmp_path / "reports"

    done = CliRunner().invoke(app, ["rehearse", "--output", str(output), *words])

    assert done.exit_code == 2
    assert words[0] in done.output
    assert not output.exists()
