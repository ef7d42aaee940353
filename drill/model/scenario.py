"""A scenario as a typed value: what must hold before and after, the steps, the rollback, and what the run must show.

It is data: `drill.engine.runner` carries it out; `drill.probes` and `drill.actions` hold what it is made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from drill.model.context import Change
from drill.model.expectation import Expectation
from drill.model.objectives import Objectives
from shared.places import Place

_ROLLBACK_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """Keep the load going for a while, never shorter than the scenario needs."""

    name: str
    least_aws_seconds: float
    least_seconds: float = 3.0  # on this machine, where rates are measured

    def shortest(self, speed: float) -> float:
        """Seconds on this machine."""
        return max(self.least_seconds, self.least_aws_seconds / speed)


@dataclass(frozen=True, kw_only=True)
class WaitFor:
    """Wait, under load, until all of `until` holds.

    On a timeout the run goes on, and its verdict records it: with `fail`, an action of the system itself took too long;
    with `rollback`, the steady state is not restored, so the rollback is incomplete.
    """

    name: str
    until: tuple[Expectation, ...]
    within_aws_seconds: float
    within_seconds: float | None = None  # on this machine, at least; None: 15 s for a rollback, else no minimum
    on_timeout: Literal["fail", "rollback"] = "fail"

    def longest(self, speed: float) -> float:
        """Seconds on this machine."""
        least = self.within_seconds
        if least is None:
            least = _ROLLBACK_SECONDS if self.on_timeout == "rollback" else 0.0
        return max(least, self.within_aws_seconds / speed)


@dataclass(frozen=True, kw_only=True)
class SnapshotLedger:
    """Read the rows of a region's ledger now, to be compared with the rows at the end."""

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


@dataclass(frozen=True, kw_only=True)
class Flood:
    """Beside the load, send `times` its rate directly to one region, in bursts and without retries: for half of the
    time without a client key, then with one."""

    name: str
    place: Place
    times: float
    aws_seconds: float


Step = Storm | Flood | Load | WaitFor | SnapshotLedger | SecondRun | Change


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Steps run in order: steady state, method, rollback, steady state again. The rollback of every change that was
    made runs in any case."""

    name: str
    title: str
    lost: Place  # the region that something is done to
    hypothesis: WaitFor
    method: tuple[Step, ...]
    rollback: tuple[Step, ...]
    objectives: Objectives
    served_aside: Place | None = None  # a region to which some clients go directly, past the accelerator
    fastest: float = 20.0  # the highest speed at which its limits mean anything
    speed: float | None = None  # unless another one is given; None: what this machine sustains
    rate: float | None = None  # payments a second, the same way
    not_exercised: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for position, step in enumerate(self.steps):
            rollback = getattr(step, "rollback", None)
            if rollback is None or getattr(step, "restores_itself", False):
                continue
            if rollback not in self.steps[position + 1 :]:
                raise ValueError(f"{self.name} does not roll back what it changes: {step.name}")

    @property
    def takes_hours(self) -> bool:
        """Whether it takes AWS hours, so that it is rehearsed at a speed and a rate of its own, and on request only."""
        return self.speed is not None

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.method, *self.rollback)

    @property
    def second_runs(self) -> int:
        """The number of second runs of the stack programs, which must change nothing."""
        return sum(isinstance(step, SecondRun) for step in self.steps)

    def _loads(self) -> Iterator[Load]:
        return (step for step in self.steps if isinstance(step, Load))

    def shortest(self, speed: float) -> float:
        """The shortest time of load that every phase makes sense in, in seconds on this machine."""
        return sum(step.shortest(speed) for step in self._loads())

    def stretch(self, duration: float | None, speed: float) -> float:
        """By how much every phase is to be longer than the shortest, so that together they take `duration`."""
        return 1.0 if duration is None else max(1.0, duration / self.shortest(speed))
