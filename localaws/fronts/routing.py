"""Which endpoint an accelerator gives a new connection: a pure decision over groups, dials, weights and health.

- The dial limits the share of connections that stay with a group; the rest goes to the next nearest one [GA-8].
- Without a healthy endpoint of a weight above zero, the three closest groups are tried whatever their dials; without
  one there, a random endpoint of the closest group [GA-1].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

GROUPS_TRIED = 3


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    id: str
    weight: int
    healthy: bool

    @property
    def usable(self) -> bool:
        return self.healthy and self.weight > 0


@dataclass(frozen=True, kw_only=True)
class Group:
    region: str
    dial: float  # percent
    endpoints: tuple[Endpoint, ...]

    @property
    def usable(self) -> bool:
        return any(endpoint.usable for endpoint in self.endpoints)


def choose(nearest_first: Sequence[Group], draw: Callable[[], float]) -> tuple[Group, Endpoint] | None:
    """The endpoint for one connection, `draw` giving numbers in [0, 1). None when no group has an endpoint at all."""
    original = _by_dial(nearest_first, draw)
    if original and original.usable:
        return original, _by_weight(original, draw)
    for group in nearest_first[:GROUPS_TRIED]:
        if group.usable:
            return group, _by_weight(group, draw)
    for group in nearest_first:  # fails open, to whatever is closest
        if group.endpoints:
            return group, group.endpoints[int(draw() * len(group.endpoints))]
    return None


def _by_dial(nearest_first: Sequence[Group], draw: Callable[[], float]) -> Group | None:
    """Where the connection would go were all healthy. What every dial turns away falls to the farthest open group.

    That is AWS's own example: with two dials at 50, a coast sends the second half of its traffic to the other one.
    """
    dialled = [group for group in nearest_first if group.dial > 0 and group.endpoints]
    for group in dialled:
        if draw() * 100 < group.dial:
            return group
    return dialled[-1] if dialled else None


def _by_weight(group: Group, draw: Callable[[], float]) -> Endpoint:
    usable = [endpoint for endpoint in group.endpoints if endpoint.usable]
    mark = draw() * sum(endpoint.weight for endpoint in usable)
    for endpoint in usable:
        mark -= endpoint.weight
        if mark < 0:
            return endpoint
    return usable[-1]
