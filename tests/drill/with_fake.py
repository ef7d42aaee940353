"""The drill's command line on the fake, not the embedded AWS: `python -m tests.drill.with_fake SABOTAGE rehearse …`.

The scenario is the loss of a region as far as the fake knows it: traffic and the journal, but no database.
"""

import functools
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import AsyncMock, patch

from drill.__main__ import app
from drill.actions.faults import lose_region, recover_region
from drill.engine.calibration import Capacity
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.traffic import AcceptedAsOffered, ReplicationKeepsUp, ServedBy, TargetsHealthy
from drill.scenarios.simulated import SCENARIOS
from shared.places import Place


def fake_command(sabotage: str, *, speed: float, directory: Path) -> list[str]:
    words = ["--speed", f"{speed:g}", "--directory", str(directory), "--sabotage", sabotage]
    return [sys.executable, "-m", "tests.drill.fake_aws", *words]


AMPLE = Capacity(speed=20.0, cores=2.0, base=0.1, seconds_per_payment=0.001, latency=0.001)
"""More than any run on the fake needs. A measurement beside other runs would find what they leave of the machine."""


def with_ample_capacity() -> AbstractContextManager[object]:
    """Runs on the fake take `AMPLE` as measured; `tests/drill/test_calibration.py` measures."""
    return patch("drill.engine.calibration.measure", AsyncMock(return_value=AMPLE))


STEADY = WaitFor(
    on_timeout="rollback",
    name="steady state",
    until=(AcceptedAsOffered(), TargetsHealthy(), ServedBy(Place.PRIMARY), ReplicationKeepsUp()),
    within_aws_seconds=120,
    within_seconds=30,
)
SHORT = Scenario(
    name="region-loss",
    title="Lose the primary region of the fake",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        Load(name="load on both regions", least_aws_seconds=0, least_seconds=0.5),
        lose_region(Place.PRIMARY),
        # Longer than the time limit of 42 AWS seconds, also where a run is repeated more slowly.
        Load(name="load without the primary region", least_aws_seconds=66),
    ),
    rollback=(
        recover_region(Place.PRIMARY),
        Load(name="load after its return", least_aws_seconds=0, least_seconds=0.9),
    ),
    objectives=Objectives(service=Service(moves_to=Place.SECONDARY), take_over=NoTakeOver()),
    not_exercised=("Database failover: the fake has none",),
)
"""A few seconds, most of which the region is away."""


if __name__ == "__main__":
    chosen = sys.argv.pop(1)
    SCENARIOS.clear()
    SCENARIOS["region-loss"] = SHORT
    with (
        with_ample_capacity(),
        patch("drill.engine.local_environment.up_command", functools.partial(fake_command, chosen)),
    ):
        app()
