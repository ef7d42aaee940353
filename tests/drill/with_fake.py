"""The drill's command line on the fake, not the embedded AWS: `python -m tests.drill.with_fake SABOTAGE rehearse …`.

The scenario keeps its steps and loses the length that only a real deployment needs.
"""

import functools
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from drill.__main__ import app
from drill.scenario import Scenario, Send, Step
from drill.scenarios import SCENARIOS


def fake_command(sabotage: str, *, environment: str, speed: float, directory: Path) -> list[str]:
    words = ["--env", environment, "--speed", f"{speed:g}", "--directory", str(directory), "--sabotage", sabotage]
    return [sys.executable, "-m", "tests.drill.fake_aws", *words]


def short(scenario: Scenario) -> Scenario:
    """The same scenario for a few seconds, most of which the region is away."""
    shares = iter((0.1, 0.7, 0.2))

    def step(each: Step) -> Step:
        if isinstance(each, Send):
            return replace(each, share=next(shares), least_aws_seconds=0, least_seconds=0.2)
        return each

    return replace(
        scenario,
        method=tuple(step(each) for each in scenario.method),
        way_back=tuple(step(each) for each in scenario.way_back),
    )


if __name__ == "__main__":
    chosen = sys.argv.pop(1)
    SCENARIOS["region-loss"] = short(SCENARIOS["region-loss"])
    with patch("drill.rehearse.up_command", functools.partial(fake_command, chosen)):
        app()
