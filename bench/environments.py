"""Environments side by side on one embedded AWS: the cost of each additional one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.meter import Cost, Meter
from localaws.engine import State, deploy, destroy
from shared.local_aws import PROGRAMS
from shared.places import PROJECTS

_IDLE = 2.0  # seconds without a request, for the server's own CPU use
Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One environment. `beside` counts those that were already deployed."""

    name: str
    state: State
    beside: int
    resources: int
    cost: Cost
    memory: int  # megabytes
    children: int
    idle: float  # percent of a CPU


def add(meter: Meter, endpoint: str, name: str, beside: int) -> Deployed:
    """Deploy the three stacks under a suffix of their own. Raises DeployError."""
    state = State()
    settings = {stack: {"api:manageAccount": str(beside == 0).lower()} for stack in PROJECTS}
    with meter.measure() as cost:
        deployment = deploy(name, endpoint, PROGRAMS, state=state, config_overrides=settings)
    return Deployed(
        name=name,
        state=state,
        beside=beside,
        resources=sum(deployment.resources.values()),
        cost=cost,
        memory=meter.memory(),
        children=meter.children(),
        idle=meter.idle(_IDLE),
    )


def side_by_side(meter: Meter, endpoint: str, most: int, report: Report) -> list[Deployed]:
    """Deploy `most` environments, one after the other, without removing them."""
    made: list[Deployed] = []
    for number in range(most):
        made.append(add(meter, endpoint, f"bench{number}", number))
        report(f"environment {number + 1} of {most}: {made[-1].cost.seconds:.1f} s")
    return made


def remove(endpoint: str, environments: Sequence[Deployed]) -> None:
    for each in environments:
        destroy(each.name, endpoint, PROGRAMS, state=each.state)
