"""The environment a drill works on: its regions, its pace, AWS clients, and where our own things are."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from shared.deployment import Deployment
from shared.places import Place

MACHINES = ("failover", "failback")


@dataclass(frozen=True, kw_only=True)
class Site:
    """`client` makes an AWS client of a service in the region of a place."""

    regions: Mapping[Place, str]
    speed: float  # AWS seconds that pass in one of ours
    journal_table: str
    client: Callable[[str, Place], Any] = field(repr=False)
    machines: Mapping[tuple[str, Place], str] = field(default_factory=dict)  # ARN of each state machine
    sentinels: Mapping[Place, str] = field(default_factory=dict)  # name of each region's function
    dead_letters: Mapping[Place, str] = field(default_factory=dict)  # URL of each region's queue
    deployment: Deployment | None = field(default=None, repr=False)  # all that the stacks export

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        cells = {place: deployment.cell(place) for place in Place}
        return cls(
            regions=deployment.regions,
            speed=deployment.speed,
            journal_table=deployment.global_outputs.journal_table,
            client=deployment.client,
            machines={("failover", place): cell.compute.failover_arn for place, cell in cells.items()}
            | {("failback", place): cell.compute.failback_arn for place, cell in cells.items()},
            sentinels={place: cell.compute.functions["sentinel"].name for place, cell in cells.items()},
            dead_letters={place: cell.messaging.dead_letter_url for place, cell in cells.items()},
            deployment=deployment,
        )

    @property
    def whole(self) -> Deployment:
        """The deployment. Raises LookupError where there are only a few of its names."""
        if self.deployment is None:
            raise LookupError("this needs a deployed environment, and there are only a few of its names")
        return self.deployment

    def region(self, place: Place) -> str:
        return self.regions[place]

    async def pause(self, aws_seconds: float) -> None:
        await asyncio.sleep(aws_seconds / self.speed)
