"""Faults of the embedded AWS as changes of a scenario."""

from dataclasses import dataclass
from typing import ClassVar

from drill.model.context import DrillContext
from drill.model.faults import Effect, OutageMode
from shared.places import Place

_NAMES = {
    Effect.REGION_OUTAGE: ("take the {place} region down", "bring the {place} region back"),
    Effect.PARTITION: ("cut the network between the regions", "restore the network between the regions"),
    Effect.SENTINEL_ISOLATION: (
        "isolate the sentinel of the {place} region from the other region",
        "reconnect the sentinel of the {place} region",
    ),
    Effect.DATABASE_OUTAGE: (
        "take the database of the {place} region down",
        "bring the database of the {place} region back",
    ),
    Effect.SERVICE_OUTAGE: ("take {service} of {where} down", "bring {service} of {where} back"),
    Effect.NARROW_CONCURRENCY: (
        "leave each function of the {place} region {amount:g} executions",
        "give the functions of the {place} region their executions back",
    ),
    Effect.GRAY_FAILURE: (
        "lose {amount:.0%} of the responses of the {place} region",
        "end the loss of responses of the {place} region",
    ),
    Effect.REPLICA_LAG: ("delay the database's replication by {seconds:g} s", "end the delay of the replication"),
}
"""By effect: the step that injects it and the step that ends it."""


def _regions(place: Place | None, ctx: DrillContext) -> list[str]:
    return [ctx.region(each) for each in Place] if place is None else [ctx.region(place)]


def _where(place: Place | None) -> str:
    return "both regions" if place is None else f"the {place} region"


@dataclass(frozen=True)
class Fault:
    """A fault at one place, between both regions, or in both. Without a `mode`, an outage has the run's own."""

    effect: Effect
    place: Place | None = None
    mode: OutageMode | None = None
    aws_seconds: float = 0.0  # of a replica's lag
    service: str = ""  # that is out: the name its calls are signed for, such as `events`
    amount: float = 0.0  # executions, or share of responses

    @property
    def name(self) -> str:
        where = _where(self.place)
        name = _NAMES[self.effect][0].format(
            place=self.place, seconds=self.aws_seconds, service=self.service, where=where, amount=self.amount
        )
        return f"{name}: it accepts requests and never answers" if self.mode is OutageMode.HANG else name

    @property
    def rollback(self) -> "Recover":
        return Recover(self.effect, self.place, self.service)

    @property
    def is_loss(self) -> bool:
        """Whether a whole region is down."""
        return self.effect is Effect.REGION_OUTAGE

    def kind(self, ctx: DrillContext) -> str:
        """The outage mode of a lost region; else the effect."""
        return str((self.mode or ctx.outage_mode) if self.is_loss else self.effect)

    async def do(self, ctx: DrillContext) -> str:
        mode = self.mode or ctx.outage_mode
        await ctx.faults.inject(
            self.effect,
            _regions(self.place, ctx),
            mode=mode,
            aws_seconds=self.aws_seconds,
            service=self.service,
            amount=self.amount,
        )
        return f"outage mode {mode}" if self.is_loss or self.service else ""


@dataclass(frozen=True)
class Recover:
    """The end of a fault."""

    effect: Effect
    place: Place | None = None
    service: str = ""

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return _NAMES[self.effect][1].format(place=self.place, service=self.service, where=_where(self.place))

    async def do(self, ctx: DrillContext) -> str:
        await ctx.faults.recover(self.effect, _regions(self.place, ctx), service=self.service)
        return ""


@dataclass(frozen=True)
class FlapRegion:
    """Repeated short outages of a region, each shorter than the time after which it counts as lost."""

    restores_itself: ClassVar[bool] = True

    place: Place
    times: int
    away_aws_seconds: float
    back_aws_seconds: float

    @property
    def name(self) -> str:
        return f"take the {self.place} region down and bring it back {self.times} times"

    @property
    def rollback(self) -> Recover:
        return Recover(Effect.REGION_OUTAGE, self.place)

    async def do(self, ctx: DrillContext) -> str:
        regions = [ctx.region(self.place)]
        for _ in range(self.times):
            await ctx.faults.inject(Effect.REGION_OUTAGE, regions, mode=ctx.outage_mode)
            await ctx.pause(self.away_aws_seconds)
            await ctx.faults.recover(Effect.REGION_OUTAGE, regions)
            await ctx.pause(self.back_aws_seconds)
        return f"down for {self.away_aws_seconds:g} AWS s, up for {self.back_aws_seconds:g} AWS s"


def lose_region(place: Place, mode: OutageMode | None = None) -> Fault:
    return Fault(Effect.REGION_OUTAGE, place, mode)


def lose_service(service: str, place: Place | None = None, mode: OutageMode | None = None) -> Fault:
    """An outage of one AWS service at one place or, without it, in both regions."""
    return Fault(Effect.SERVICE_OUTAGE, place, mode, service=service)


def restore_service(service: str, place: Place | None = None) -> Recover:
    return Recover(Effect.SERVICE_OUTAGE, place, service)


def recover_region(place: Place) -> Recover:
    return Recover(Effect.REGION_OUTAGE, place)
