"""A scenario as a typed value: what must hold before and after, what is done, the way back, and what it must show.

It is data: `drill.engine.runner` does it, `drill.probes.traffic`, `drill.probes.recovery` and `drill.actions.faults`
hold what it is made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drill.model.change import Change
from drill.model.expectation import Expectation
from drill.model.objectives import Objectives
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class Send:
    """Load goes on for a while, never shorter than the scenario can make sense of."""

    name: str
    least_aws_seconds: float
    least_seconds: float = 3.0  # on this machine, where rates are measured

    def shortest(self, speed: float) -> float:
        """Seconds on this machine."""
        return max(self.least_seconds, self.least_aws_seconds / speed)


@dataclass(frozen=True, kw_only=True)
class Settle:
    """Wait, under load, until all of this holds. What does not come true belongs to the way back."""

    name: str
    until: tuple[Expectation, ...]
    within_aws_seconds: float
    within_seconds: float = 15.0  # on this machine, at least

    def longest(self, speed: float) -> float:
        """Seconds on this machine."""
        return max(self.within_seconds, self.within_aws_seconds / speed)


@dataclass(frozen=True, kw_only=True)
class Await:
    """Wait, under load, for what the system must do by itself. What does not come true fails the run."""

    name: str
    until: tuple[Expectation, ...]
    within_aws_seconds: float
    within_seconds: float = 0.0  # on this machine, at least

    def longest(self, speed: float) -> float:
        """Seconds on this machine."""
        return max(self.within_seconds, self.within_aws_seconds / speed)


@dataclass(frozen=True, kw_only=True)
class TakeStock:
    """Read the rows of a region's ledger as they are at this moment, to be compared with what is there in the end."""

    name: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class SecondRun:
    """Run the three stack programs again: they must find nothing to change."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Storm:
    """End every function's warm workers and, beside the load, let impatient clients offer `times` its rate.

    Seconds are this machine's: neither clients nor cold starts get faster because the clock does.
    """

    name: str
    times: float
    seconds: float


Step = Storm | Send | Settle | Await | TakeStock | SecondRun | Change


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Steps run in order: steady state, method, way back, steady state again. The way back runs whatever happened."""

    name: str
    title: str
    lost: Place  # the region that something is done to
    hypothesis: Settle
    method: tuple[Step, ...]
    way_back: tuple[Step, ...]
    objectives: Objectives
    served_aside: Place | None = None  # a region to which some clients go directly, whatever the accelerator says
    fastest: float = 20.0  # the highest speed at which its limits mean anything
    not_exercised: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        done = [*self.method, *self.way_back]
        for position, step in enumerate(done):
            back = getattr(step, "undo", None)
            if (
                back is not None
                and not getattr(step, "restores_itself", False)
                and not self._comes(back, done[position + 1 :])
            ):
                raise ValueError(f"{self.name} does not undo what it does: {step.name}")

    def _comes(self, back: Change, later: list[Step]) -> bool:
        return any(type(step) is type(back) and getattr(step, "place", None) is back.place for step in later)

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.method, *self.way_back)

    def _sends(self) -> Iterator[Send]:
        return (step for step in self.steps if isinstance(step, Send))

    def shortest(self, speed: float) -> float:
        """The shortest time of load that every phase makes sense in, in seconds on this machine."""
        return sum(step.shortest(speed) for step in self._sends())

    def stretch(self, duration: float | None, speed: float) -> float:
        """By how much every phase is to be longer than the shortest, so that together they take `duration`."""
        return 1.0 if duration is None else max(1.0, duration / self.shortest(speed))
