"""Runs of the model: events in two regions, one after the other, and the checks of what they leave."""

from hypothesis import strategies as st

from common.control.rules import Times
from tests.functions.common.control.model import REGIONS, Weather, World
from tests.functions.harness import EAST_1

TIMES = Times()
CALM_SECONDS = 400  # after which a world that is healed and failed back must have nothing left to do
WEATHERS = st.builds(
    Weather,
    table_lag=st.sampled_from([0, 1, 10, 30, 120]),
    database_lag=st.integers(0, 30),
    checks_down=st.integers(1, 30),
    checks_up=st.integers(1, 30),
    promotion=st.integers(0, 90),
    check_every=st.integers(1, 5),
    stale=st.booleans(),
    returned_after=st.sampled_from([5, 60, 600]),
    given_back=st.integers(0, 300),
    stream_keeps=st.sampled_from([400, 24 * 3600]),  # the former brings into reach what takes a day
)
# Partitions and losses more often than the rest: a region that comes back into a partition is the hard case.
KINDS = [
    *("lose", "lose", "unreachable", "partition", "partition", "isolate", "cut", "resolver", "stall", "fail back"),
    *("heal", "stuck", "hold", "fail over", "force", "wait"),
]
ACTIONS = st.sampled_from(KINDS)
STEPS = st.lists(st.tuples(ACTIONS, st.sampled_from(REGIONS), st.integers(0, 60)), min_size=1, max_size=20)
Steps = list[tuple[str, str, int]]


def act(world: World, action: str, region: str) -> None:
    cell = world.cells[region]
    match action:
        case "lose":
            cell.alive = not cell.alive
        case "unreachable":
            cell.reachable = not cell.reachable
        case "partition":
            world.cut = set() if world.cut else set(REGIONS)
        case "cut":
            world.cut ^= {region}
        case "isolate":
            cell.reachable = bool(world.cut)
            world.cut = set() if world.cut else set(REGIONS)
        case "resolver":
            cell.resolver = not cell.resolver
        case "stall":
            cell.stalled_until = world.now + 90
        case "fail back":
            world.fail_back()
        case "fail over":
            world.fail_over(region)
        case "force":
            world.force(region)
        case "fence both":
            world.fence_both()
        case "unfence":
            world.unfence(region)
        case "stuck":
            cell.stuck = not cell.stuck
        case "hold":
            world.held = not world.held
        case "wait":
            for _ in range(500):
                world.second()
        case "heal":
            heal(world)


def heal(world: World) -> None:
    world.cut, world.held = set(), False
    for cell in world.cells.values():
        cell.stuck = False
        cell.alive = cell.reachable = cell.resolver = True


def run(weather: Weather, steps: Steps, times: Times = TIMES) -> World:
    """A world after `steps`, each followed by some seconds in which both regions take payments."""
    world = World(weather, times)
    for _ in range(3):
        world.second()  # in which both regions meet
    for action, region, seconds in steps:
        act(world, action, region)
        for _ in range(seconds):
            if world.now % 3 == 0:
                world.pay(REGIONS[world.now % 2])
            world.second()
    return world


def settle(world: World) -> None:
    """Heal, let the regions come to rest, fail back, and let them come to rest again."""
    heal(world)
    for second in range(CALM_SECONDS):
        if second in (150, 250):
            world.fail_back()
        world.second()


def nothing_is_lost(weather: Weather, steps: Steps) -> None:
    world = run(weather, steps)  # asserts at every second that only one region may post
    settle(world)

    writer = world.cells[EAST_1]
    assert writer.decision
    assert writer.decision.may_post, f"the writer does not post after failback: {writer.decision.reason}"
    assert set(writer.rows) <= world.acknowledged
    assert world.acknowledged - set(writer.rows) <= world.left_to_an_audit(), "acknowledged, but not in the ledger"
    assert not any(cell.stream or cell.backlog for cell in world.cells.values())
    assert all(cell.decision and cell.decision.healthy for cell in world.cells.values())
