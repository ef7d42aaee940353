"""What a run is doing: its stages, for the view and for the report. Times are seconds since the run started."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from drill.load import Load
from drill.probes import Status
from shared.places import Place

StageOutcome = Literal["running", "done", "failed"]


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
class Outage:
    """The loss that is measured."""

    region: str
    kind: str
    at: float
    healed_at: float | None = None


@dataclass(kw_only=True)
class Progress:
    """Everything a view shows. The runner writes it; `on_stage` hears of each stage that starts or ends."""

    title: str
    started: float = field(default_factory=time.monotonic)
    stages: list[Stage] = field(default_factory=list)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    status: Status = field(default_factory=Status)
    regions: dict[Place, str] = field(default_factory=dict)
    load: Load | None = None
    outage: Outage | None = None
    rto_limit: float | None = None
    window: float = 2.0  # seconds over which current rates are taken
    on_stage: Callable[[Stage], None] = lambda _: None
    on_line: Callable[[str], None] = lambda _: None

    def now(self) -> float:
        return time.monotonic() - self.started

    def line(self, text: str) -> None:
        """Something that the environment said."""
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
