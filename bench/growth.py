"""Growth of cost with number, as ratios within one run, which do not depend on the machine's speed."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.environments import Deployed
from bench.resources import Many

MOST = 2.0
"""A ratio above this is not noise. A step of quadratic time would show as the ratio of the numbers: 8, or 10."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The CPU time of one among many, divided by that of one among few."""

    what: str
    ratio: float

    @property
    def is_linear(self) -> bool:
        """Whether the total time is proportional to the number."""
        return self.ratio <= MOST


def of_environments(made: Sequence[Deployed], crowded: Deployed, resources: int) -> list[Growth]:
    first, last = made[0], made[-1]
    return [
        Growth(what=f"environment {len(made)} by environment 1", ratio=last.cost.cpu / first.cost.cpu),
        Growth(
            what=f"environment beside {resources} further resources by environment 1",
            ratio=crowded.cost.cpu / first.cost.cpu,
        ),
    ]


def of_resources(few: Many, more: Many) -> list[Growth]:
    costs = {
        "creating": (few.create, more.create),
        "running again": (few.again, more.again),
        "destroying": (few.destroy, more.destroy),
    }
    return [
        Growth(
            what=f"{what} one of {more.count} by one of {few.count}",
            ratio=(many.cpu / more.count) / (one.cpu / few.count),
        )
        for what, (one, many) in costs.items()
    ]
