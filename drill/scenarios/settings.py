"""Settings of a rehearsal or a drill, checked in one place before anything starts."""

import math
import random
from dataclasses import dataclass, replace
from pathlib import Path

from drill.model.faults import OutageMode
from drill.model.scenario import Scenario
from drill.scenarios.deployed import DEPLOYED_SCENARIOS, GAME_DAY
from drill.scenarios.simulated import SCENARIOS
from shared.deployment import Deployment
from shared.local_aws import Engine

AUTOMATIC_SPEED = 5.0
"""AWS seconds in one of this machine, at which an environment is deployed until this machine has been measured."""

AUTOMATIC_RATE = 50.0
_SLOWEST_AUTOMATIC = 1.0

_SPEED = (0.1, 20.0)
"""Above it, health check intervals fall below what a busy machine keeps apart."""

_RATE = (1.0, 500.0)
"""Payments a second. Below, a phase holds too few to measure; above, the generator itself would need most of a core."""

_DURATION = (1.0, 86_400.0)


class SettingsError(ValueError):
    """An invalid setting. The message names the option, its value, and the remedy."""


@dataclass(frozen=True, kw_only=True)
class RehearsalSettings:
    """One rehearsal. Durations are seconds on this machine; `speed` is how many AWS seconds pass in one of them."""

    scenario: Scenario
    environment: str
    speed: float
    rate: float  # payments a second
    duration: float | None  # of the phases of load together; None: as short as each makes sense
    seed: int
    outage_mode: OutageMode
    output: Path
    nlb_tail: float = 0.0  # AWS seconds for which load balancers still use an unhealthy target
    engine: Engine = Engine.LOCALAWS  # that deploys the stacks
    is_repeated: bool = False  # one of several runs with different seeds, each in a folder of its own
    given_speed: float | None = None  # by hand; None: chosen from what this machine sustains
    given_rate: float | None = None
    fastest: float = AUTOMATIC_SPEED  # that may be chosen
    why: str = ""  # rate and speed are what they are, in one sentence
    first_try: str = ""  # what an earlier run of this rehearsal missed, if there was one

    @classmethod
    def checked(
        cls,
        *,
        scenario: str,
        environment: str,
        speed: float | None,
        rate: float | None,
        duration: float | None,
        seed: int,
        outage_mode: str,
        output: Path,
        nlb_tail: float = 0.0,
        engine: str = Engine.LOCALAWS,
        is_repeated: bool = False,
    ) -> "RehearsalSettings":
        """From the words of a command line; no quicker than the scenario allows. `speed` and `rate` that are None are
        chosen once the environment is deployed (`drill.engine.calibration`). Raises SettingsError.
        """
        if scenario not in SCENARIOS:
            raise SettingsError(f"there is no scenario {scenario}; choose one of {', '.join(SCENARIOS)}")
        found = SCENARIOS[scenario]
        speed = found.speed if speed is None else speed
        rate = found.rate if rate is None else rate
        if outage_mode not in list(OutageMode):
            raise SettingsError(f"--outage-mode is {outage_mode}; choose one of {', '.join(OutageMode)}")
        if engine not in list(Engine):
            raise SettingsError(f"--engine is {engine}; choose one of {', '.join(Engine)}")
        if not environment.strip():
            raise SettingsError("--env is empty; name an environment, such as dev")
        if speed is not None:
            _check("--speed", speed, _SPEED, example="5")
        if rate is not None:
            _check("--rate", rate, _RATE, example="50")
        first_speed = min(AUTOMATIC_SPEED if speed is None else speed, found.fastest)
        needed = found.shortest(first_speed)
        if duration is not None:
            _check("--duration", duration, _DURATION, example="60")
        if duration is not None and duration < needed:
            raise SettingsError(
                f"--duration is {duration:g}, too short for the phases of {scenario} at --speed {first_speed:g}; "
                f"use --duration {math.ceil(needed)} or more, leave it out, or use a higher --speed"
            )
        if output.exists() and not output.is_dir():
            raise SettingsError(f"--output is {output}, which is a file; name a folder")
        return cls(
            scenario=found,
            environment=environment,
            speed=first_speed,
            rate=AUTOMATIC_RATE if rate is None else rate,
            duration=duration,
            seed=seed,
            outage_mode=OutageMode(outage_mode),
            output=output,
            nlb_tail=nlb_tail,
            engine=Engine(engine),
            is_repeated=is_repeated,
            given_speed=None if speed is None else first_speed,
            given_rate=rate,
        )

    def at_half_speed(self, speed: float, why: str) -> "RehearsalSettings":
        """Once more, since the run at `speed` was inconclusive or late; `why` is what it missed."""
        slower = max(_SLOWEST_AUTOMATIC, speed / 2)
        return replace(self, fastest=slower, speed=slower, first_try=why)

    @property
    def may_slow_down(self) -> bool:
        """Whether a run may be repeated at a lower speed: once, and not against a speed given by hand."""
        return self.given_speed is None and not self.first_try

    @property
    def shortest_minutes(self) -> float:
        """Of load on this machine, without the waits."""
        return self.scenario.shortest(self.speed) / 60

    @property
    def folder(self) -> Path:
        """The folder for the reports of this rehearsal."""
        folder = self.output / self.scenario.name
        return folder / f"seed-{self.seed}" if self.is_repeated else folder


def _check(option: str, value: float, limits: tuple[float, float], *, example: str) -> None:
    least, most = limits
    if not least <= value <= most:  # also false for a value that is not a number
        raise SettingsError(f"{option} is {value:g}; a number from {least:g} to {most:g} is needed, such as {example}")


# Settings of a run on a deployed environment.


_RUN_RATE = (1.0, 50.0)
"""Payments a second: a light load, since they are real payments to the environment."""

_SEEDS = 2**48
"""A seed makes the payments' ids, and an environment keeps what it was ever paid."""


@dataclass(frozen=True, kw_only=True)
class RunSettings(RehearsalSettings):
    """One run on a deployed environment. Its folder is new, and named for its time."""

    run_folder: Path

    @property
    def folder(self) -> Path:
        return self.run_folder


def chosen(name: str, *, local: bool) -> list[Scenario]:
    """The scenarios that a name means, in order. Raises SettingsError, also for one that needs faults to be made."""
    if name == GAME_DAY:
        return list(DEPLOYED_SCENARIOS.values())
    if name in DEPLOYED_SCENARIOS:
        return [DEPLOYED_SCENARIOS[name]]
    if name not in SCENARIOS:
        known = (*DEPLOYED_SCENARIOS, GAME_DAY, *SCENARIOS)
        raise SettingsError(f"there is no scenario {name}; choose one of {', '.join(known)}")
    if not local:
        raise SettingsError(
            f"{name} takes things away, and only the embedded AWS has a fault injector for that: run it with --env "
            f"local, or choose one of {', '.join((*DEPLOYED_SCENARIOS, GAME_DAY))}"
        )
    return [SCENARIOS[name]]


def settings(
    scenario: Scenario, deployment: Deployment, folder: Path, *, rate: float, outage_mode: str, seed: int | None
) -> RunSettings:
    """Raises SettingsError."""
    least, most = _RUN_RATE
    if not least <= rate <= most:
        raise SettingsError(f"--rate is {rate:g}; a number from {least:g} to {most:g} is needed, such as 5")
    if outage_mode not in list(OutageMode):
        raise SettingsError(f"--outage-mode is {outage_mode}; choose one of {', '.join(OutageMode)}")
    return RunSettings(
        scenario=scenario,
        environment=deployment.environment,
        speed=deployment.speed,
        rate=rate,
        duration=None,
        seed=random.SystemRandom().randrange(_SEEDS) if seed is None else seed,
        outage_mode=OutageMode(outage_mode),
        output=folder.parent,
        run_folder=folder,
    )
