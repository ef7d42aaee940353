"""Functions' own timeouts shrink as the outages do."""

import sys
from pathlib import Path

import pytest

from localaws.server.function_environment import CONTROL_SECONDS


def test_the_scaled_times_are_those_of_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2] / "functions"), *sys.path])
    from common.control.settings import ControlSettings

    fields = ControlSettings.model_fields
    known = {name.upper(): field.default for name, field in fields.items() if name.startswith("control_")}

    assert known == CONTROL_SECONDS
