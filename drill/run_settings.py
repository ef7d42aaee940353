"""A run on a deployed environment, checked in one place before anything is asked of it."""

import random
from dataclasses import dataclass
from pathlib import Path

from drill.environment_scenarios import ENVIRONMENT_SCENARIOS, GAME_DAY
from drill.faults import OutageKind
from drill.scenario import Scenario
from drill.scenarios import SCENARIOS
from drill.settings import RehearsalSettings, SettingsError
from shared.deployment import Deployment

_RATE = (1.0, 50.0)
"""Payments a second: a light load, since they are real payments to the environment."""

_SEEDS = 2**48
"""A seed makes the payments' ids, and an environment keeps what it was ever paid."""


@dataclass(frozen=True, kw_only=True)
class RunSettings(RehearsalSettings):
    """One run. Its folder is new, and its name tells when it began."""

    run_folder: Path

    @property
    def folder(self) -> Path:
        return self.run_folder


def chosen(name: str, *, local: bool) -> list[Scenario]:
    """The scenarios that a name means, in order. Raises SettingsError, also for one that needs faults to be made."""
    if name == GAME_DAY:
        return list(ENVIRONMENT_SCENARIOS.values())
    if name in ENVIRONMENT_SCENARIOS:
        return [ENVIRONMENT_SCENARIOS[name]]
    if name not in SCENARIOS:
        known = (*ENVIRONMENT_SCENARIOS, GAME_DAY, *SCENARIOS)
        raise SettingsError(f"there is no scenario {name}; choose one of {', '.join(known)}")
    if not local:
        raise SettingsError(
            f"{name} takes things away, and only the embedded AWS has a fault injector for that: run it with --env "
            f"local, or choose one of {', '.join((*ENVIRONMENT_SCENARIOS, GAME_DAY))}"
        )
    return [SCENARIOS[name]]


def settings(
    scenario: Scenario, deployment: Deployment, folder: Path, *, rate: float, kind: str, seed: int | None
) -> RunSettings:
    """Raises SettingsError."""
    least, most = _RATE
    if not least <= rate <= most:
        raise SettingsError(f"--rate is {rate:g}; a number from {least:g} to {most:g} is needed, such as 5")
    if kind not in list(OutageKind):
        raise SettingsError(f"--kind is {kind}; choose one of {', '.join(OutageKind)}")
    return RunSettings(
        scenario=scenario,
        environment=deployment.environment,
        speed=deployment.speed,
        rate=rate,
        duration=None,
        seed=random.SystemRandom().randrange(_SEEDS) if seed is None else seed,
        kind=OutageKind(kind),
        output=folder.parent,
        run_folder=folder,
    )
