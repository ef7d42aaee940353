"""What a drill changes, as typed values. Each knows what undoes it: the way back is known before the first step.

A change whose `undo` is None is a way back itself.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from drill.model.change import Change, Surroundings
from drill.model.faults import OutageKind
from shared.places import Place


@dataclass(frozen=True)
class Lose:
    """Take a region away, in the way the run was asked for or in one of its own."""

    place: Place
    kind: OutageKind | None = None

    @property
    def name(self) -> str:
        how = ": nothing answers any more" if self.kind is OutageKind.HANG else ""
        return f"take the {self.place} region away{how}"

    @property
    def undo(self) -> "Change":
        return Heal(self.place)

    async def do(self, around: Surroundings) -> str:
        kind = self.kind or around.kind
        await around.faults.lose(around.region(self.place), kind)
        return f"kind {kind}"


@dataclass(frozen=True)
class Heal:
    """Bring a region back."""

    place: Place

    @property
    def name(self) -> str:
        return f"bring the {self.place} region back"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await around.faults.heal(around.region(self.place))
        return ""


def slow_down(place: Place) -> Lose:
    """A region that takes everything and answers nothing: what waits for it learns of no failure."""
    return Lose(place, OutageKind.HANG)


@dataclass(frozen=True)
class Cut:
    """Cut the regions off from each other; clients reach both."""

    place: Place | None = None

    @property
    def name(self) -> str:
        return "cut the regions off from each other"

    @property
    def undo(self) -> "Change":
        return Join()

    async def do(self, around: Surroundings) -> str:
        await around.faults.cut(*(around.region(place) for place in Place))
        return "clients reach both"


@dataclass(frozen=True)
class Join:
    place: Place | None = None

    @property
    def name(self) -> str:
        return "let the regions reach each other again"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await around.faults.join(*(around.region(place) for place in Place))
        return ""


@dataclass(frozen=True)
class Blind:
    """Break the way from a region's functions to the other region's front doors, so that its sentinel sees nothing."""

    place: Place

    @property
    def name(self) -> str:
        return f"blind the sentinel of the {self.place} region"

    @property
    def undo(self) -> "Change":
        return Unblind(self.place)

    async def do(self, around: Surroundings) -> str:
        await around.faults.blind(around.region(self.place))
        return "the other region's front doors are out of its reach"


@dataclass(frozen=True)
class Unblind:
    place: Place

    @property
    def name(self) -> str:
        return f"let the sentinel of the {self.place} region see again"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await around.faults.unblind(around.region(self.place))
        return ""


@dataclass(frozen=True)
class LoseDatabase:
    """Take a region's database away, and nothing else of it."""

    place: Place

    @property
    def name(self) -> str:
        return f"take the database of the {self.place} region away"

    @property
    def undo(self) -> "Change":
        return RestoreDatabase(self.place)

    async def do(self, around: Surroundings) -> str:
        await around.faults.lose_database(around.region(self.place))
        return ""


@dataclass(frozen=True)
class RestoreDatabase:
    place: Place

    @property
    def name(self) -> str:
        return f"bring the database of the {self.place} region back"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await around.faults.restore_database(around.region(self.place))
        return ""


@dataclass(frozen=True)
class Lag:
    """Let the database's reader fall behind its writer."""

    aws_seconds: float
    place: Place | None = None

    @property
    def name(self) -> str:
        return f"let the database's reader fall {self.aws_seconds:g} s behind"

    @property
    def undo(self) -> "Change":
        return EndLag()

    async def do(self, around: Surroundings) -> str:
        await around.faults.delay_replication(self.aws_seconds)
        return f"{self.aws_seconds:g} AWS seconds"


@dataclass(frozen=True)
class EndLag:
    place: Place | None = None

    @property
    def name(self) -> str:
        return "let the database's replication keep up again"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        await around.faults.end_delay()
        return ""


@dataclass(frozen=True)
class Flap:
    """Repeated short outages of a region, each shorter than the time after which it counts as lost."""

    restores_itself: ClassVar[bool] = True

    place: Place
    times: int
    away_aws_seconds: float
    back_aws_seconds: float

    @property
    def name(self) -> str:
        return f"let the {self.place} region come and go {self.times} times"

    @property
    def undo(self) -> "Change":
        return Heal(self.place)

    @property
    def aws_seconds(self) -> float:
        return self.times * (self.away_aws_seconds + self.back_aws_seconds)

    async def do(self, around: Surroundings) -> str:
        region = around.region(self.place)
        for _ in range(self.times):
            await around.faults.lose(region, around.kind)
            await around.site.pause(self.away_aws_seconds)
            await around.faults.heal(region)
            await around.site.pause(self.back_aws_seconds)
        return f"away {self.away_aws_seconds:g} AWS s, back {self.back_aws_seconds:g} AWS s"


WAYS_BACK: dict[str, type[Any]] = {kind.__name__: kind for kind in (Heal, Join, Unblind, RestoreDatabase, EndLag)}
"""What undoes a fault, by the name a journal has for it."""
