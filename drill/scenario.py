"""A scenario as a typed value: what must hold before and after, what is done, the way back, and what is not exercised.

It is data: `drill.runner` does it, `drill.probes` and `drill.actions` hold what it is made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drill.actions import Heal, Lose
from drill.probes import Expectation
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class Send:
    """Load goes on for a share of the run, never shorter than the scenario can make sense of."""

    name: str
    share: float  # of the run's duration
    least_aws_seconds: float
    least_seconds: float = 3.0  # on this machine, where rates are measured

    def shortest(self, speed: float) -> float:
        """Seconds on this machine."""
        return max(self.least_seconds, self.least_aws_seconds / speed)


@dataclass(frozen=True, kw_only=True)
class Settle:
    """Wait, under load, until all of this holds."""

    name: str
    until: tuple[Expectation, ...]
    within_aws_seconds: float
    within_seconds: float = 15.0  # on this machine, at least

    def longest(self, speed: float) -> float:
        """Seconds on this machine."""
        return max(self.within_seconds, self.within_aws_seconds / speed)


Step = Send | Settle | Lose | Heal


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Steps run in order: steady state, method, way back, steady state again. The way back runs whatever happened."""

    name: str
    title: str
    lost: Place  # the region whose loss is measured
    hypothesis: Settle
    method: tuple[Step, ...]
    way_back: tuple[Step, ...]
    not_exercised: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shares = sum(step.share for step in self._sends())
        if abs(shares - 1) > 1e-9:
            raise ValueError(f"the shares of {self.name} add up to {shares:g}, not 1")
        losses = [step.place for step in self.method if isinstance(step, Lose)]
        heals = [step.place for step in self.way_back if isinstance(step, Heal)]
        if missing := set(losses) - set(heals):
            raise ValueError(f"{self.name} takes away {', '.join(missing)} and has no way back for it")

    def _sends(self) -> Iterator[Send]:
        return (step for step in (*self.method, *self.way_back) if isinstance(step, Send))

    def shortest(self, speed: float) -> float:
        """The shortest run, in seconds on this machine, in which every phase is long enough."""
        return max(step.shortest(speed) / step.share for step in self._sends())

    def seconds_lost(self, duration: float) -> float:
        """How long the region is away in a run of `duration`."""
        away = False
        seconds = 0.0
        for step in (*self.method, *self.way_back):
            if isinstance(step, Lose):
                away = True
            elif isinstance(step, Heal):
                away = False
            elif isinstance(step, Send) and away:
                seconds += step.share * duration
        return seconds
