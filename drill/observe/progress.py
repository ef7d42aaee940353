"""Progress of a run: its stages, for the view and for the report. Times are seconds since the run started."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from drill.load.generator import LoadGenerator
from drill.model.faults import Effect
from drill.model.status import Status
from shared.places import Place

StageOutcome = Literal["running", "done", "failed"]


_UNNOTICED = frozenset({Effect.REPLICA_LAG, Effect.NARROW_CONCURRENCY})
"""Faults without an effect on clients."""


@dataclass(kw_only=True)
class Stage:
    """One step of the run, under way or ended."""

    name: str
    at: float
    region: str | None = None
    seconds: float | None = None
    outcome: StageOutcome = "running"
    detail: str = ""


@dataclass(kw_only=True)
class FaultPeriod:
    """Something that was done to the system, and when."""

    name: str
    region: str | None
    kind: str
    at: float
    is_loss: bool = False  # of a whole region
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A change between two observations: of a region's targets, or of the member that writes."""

    at: float
    what: Literal["targets", "writer"]
    region: str
    state: str


@dataclass(kw_only=True)
class Progress:
    """Everything a view shows. The runner writes it; `on_stage` is called when a stage starts or ends."""

    title: str
    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)  # Unix time of the same moment
    stages: list[Stage] = field(default_factory=list)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    status: Status = field(default_factory=Status)
    regions: dict[Place, str] = field(default_factory=dict)
    load: LoadGenerator | None = None
    faults: list[FaultPeriod] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)  # when, and the reader's lag in AWS seconds
    rto_limit: float | None = None
    speed: float | None = None  # AWS seconds in one of this machine, once chosen
    chosen: str = ""  # rate and speed, and why
    window: float = 2.0  # seconds over which current rates are taken
    on_stage: Callable[[Stage], None] = lambda _: None
    on_line: Callable[[str], None] = lambda _: None

    def now(self) -> float:
        return time.monotonic() - self.started

    def at(self, unix_time: float) -> float:
        """A moment of the machine's clock as seconds since the run started."""
        return unix_time - self.started_at

    @property
    def disturbed(self) -> FaultPeriod | None:
        """The first fault that clients can notice."""
        return next(iter(self.disturbances), None)

    @property
    def disturbances(self) -> list[FaultPeriod]:
        """The faults that clients can notice."""
        return [fault for fault in self.faults if fault.kind not in _UNNOTICED]

    @property
    def loss(self) -> FaultPeriod | None:
        """The first loss of a region."""
        return next((fault for fault in self.faults if fault.is_loss), None)

    def saw(self, status: Status) -> None:
        """Keep an observation, and what has changed since the last one."""
        self.status = status
        for region in self.regions.values():
            states = {target.state for target in status.targets_in(region)}
            if states:
                self._note("targets", region, "healthy" if states == {"healthy"} else "unhealthy")
        if status.writer:
            self._note("writer", status.writer.region, "writes" if status.writer.running else "does not answer")
        lags = [each.lag_seconds for each in status.databases if each.lag_seconds is not None]
        if lags:
            self.lags.append((self.now(), max(lags)))

    def seen_unhealthy(self, since: float) -> list[Seen]:
        """The times at which targets became unhealthy, by region."""
        return [seen for seen in self.seen if seen.what == "targets" and seen.state == "unhealthy" and seen.at >= since]

    def _note(self, what: Literal["targets", "writer"], region: str, state: str) -> None:
        last = next((each for each in reversed(self.seen) if each.what == what and self._same(each, region)), None)
        if last is None or (last.region, last.state) != (region, state):
            self.seen.append(Seen(at=self.now(), what=what, region=region, state=state))

    @staticmethod
    def _same(seen: Seen, region: str) -> bool:
        """Targets are followed by region; there is one writer."""
        return seen.what == "writer" or seen.region == region

    def line(self, text: str) -> None:
        """A line of the environment's output."""
        self.lines.append(text)
        self.on_line(text)

    @contextmanager
    def stage(self, name: str, *, region: str | None = None) -> Iterator[Stage]:
        """A step that lasts while the block runs; it has failed when the block raises."""
        stage = Stage(name=name, at=self.now(), region=region)
        self.stages.append(stage)
        self.on_stage(stage)
        try:
            yield stage
            if stage.outcome == "running":
                stage.outcome = "done"
        except asyncio.CancelledError:
            stage.outcome, stage.detail = "failed", "interrupted"
            raise
        except BaseException as error:
            stage.outcome = "failed"
            stage.detail = stage.detail or str(error) or type(error).__name__
            raise
        finally:
            stage.seconds = self.now() - stage.at
            self.on_stage(stage)
