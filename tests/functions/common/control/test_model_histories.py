"""Single histories of events in two regions: what the rules allow, and what goes wrong without one of them."""

from collections import Counter

import pytest

from common.control.rules import Times, may_claim_writer
from tests.functions.common.control import model
from tests.functions.common.control.model import REGIONS, Weather, World
from tests.functions.common.control.model_runs import TIMES, Steps, heal, nothing_is_lost, run
from tests.functions.harness import EAST_1, EAST_2


def test_the_model_loses_rows_and_the_replay_brings_them_back() -> None:
    weather = Weather(database_lag=30)
    world = run(weather, [("heal", EAST_1, 60), ("lose", EAST_1, 45)])
    before = set(world.cells[EAST_2].rows)
    for _ in range(60):
        world.second()

    assert world.takeovers == 1
    assert len(world.acknowledged - before) > 5, "the promotion lost nothing, so the replay shows nothing"
    assert set(world.cells[EAST_2].rows) == world.acknowledged


HOUR = 3600
LATE: Steps = [("hold", EAST_1, 0), ("lose", EAST_1, 3 * HOUR), ("fail over", EAST_1, 300)]
STUCK: Steps = [("stuck", EAST_1, 3 * HOUR), ("lose", EAST_1, 600)]
# With a stream that keeps its records for 400 seconds instead of a day.
BOTH_FENCED: Steps = [("fence both", EAST_1, 1200), ("unfence", EAST_1, 300)]
LONG = {"late failover": (LATE, EAST_2), "stuck, then lost": (STUCK, EAST_2), "both fenced": (BOTH_FENCED, EAST_1)}


@pytest.mark.parametrize("name", LONG)
def test_hours_without_a_ledger_lose_nothing(name: str) -> None:
    steps, writer = LONG[name]

    world = run(Weather(stream_keeps=400, database_lag=5), steps)

    assert set(world.cells[writer].rows) >= world.acknowledged - recent(world), "acknowledged, but not in the ledger"


@pytest.mark.parametrize("name", LONG)
def test_the_model_loses_payments_without_a_backlog(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, writer = LONG[name]
    monkeypatch.setattr(World, "_record", lambda *_: None)

    world = run(Weather(stream_keeps=400, database_lag=5), steps)

    assert len(world.acknowledged - set(world.cells[writer].rows)) > 100


def test_the_model_loses_payments_when_batches_leave_a_backlog_before_they_are_durable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost() -> set[str]:
        world = run(Weather(database_lag=30), [("heal", EAST_1, 62), ("lose", EAST_1, 200)])
        return world.acknowledged - set(world.cells[EAST_2].rows) - recent(world)

    assert not lost()
    monkeypatch.setattr(World, "_is_durable", lambda *_: True)
    assert lost()


def recent(world: World) -> set[str]:
    """Payments of the last seconds, which a ledger need not have posted yet."""
    return {f"p{number}" for number in range(len(world.acknowledged) - 25, len(world.acknowledged))}


def test_the_model_can_make_two_writers_when_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that cannot fail proves nothing: without the wait, a flapping region and its peer both post."""
    monkeypatch.setattr(model, "may_claim_writer", lambda **_: True)
    # The writer's region is unreachable just when the peer's resolver queries, and reachable when its own does.
    flapping = [
        ("partition", EAST_1, 1),
        ("resolver", EAST_2, 8),
        ("unreachable", EAST_1, 2),
        ("resolver", EAST_2, 1),
        ("unreachable", EAST_1, 30),
    ]

    with pytest.raises(AssertionError, match="two writers"):
        run(Weather(checks_down=1, checks_up=1, promotion=0), flapping)


# Partitioned, the writer's functions are frozen and unreachable; its peer takes over; then all is reachable again.
ASLEEP = [("partition", EAST_1, 1), ("stall", EAST_1, 0), ("unreachable", EAST_1, 60), ("unreachable", EAST_1, 120)]


def test_a_writer_that_slept_through_a_takeover_does_not_post_when_it_wakes() -> None:
    world = run(Weather(promotion=5), ASLEEP)

    assert world.takeovers == 1
    assert [world.cells[region].decision.reason.name for region in REGIONS] == ["CUT_OFF", "PEER_BOUND"]  # type: ignore[union-attr]


def test_the_model_can_make_two_writers_when_the_lease_is_long() -> None:
    short = TIMES.settle
    long = Times(lease=600, witness_ttl=TIMES.witness_ttl - 600 / 2 + TIMES.lease / 2)
    assert long.settle == short

    with pytest.raises(AssertionError, match="two writers"):
        run(Weather(promotion=5), ASLEEP, long)


def test_a_writer_that_had_to_wait_posts_everything_once_it_may() -> None:
    """Without a replay: what it could not post was kept, not skipped."""
    world = run(Weather(), [("partition", EAST_1, 0), ("resolver", EAST_1, 60)])
    assert len(world.cells[EAST_1].stream) > 5
    heal(world)
    for _ in range(30):
        world.second()

    assert world.takeovers == 0
    assert set(world.cells[EAST_1].rows) == world.acknowledged


def test_a_region_that_its_peer_fenced_unnoticed_may_take_over_and_the_peer_returns() -> None:
    """Found by the model: the writer's region fenced the other by hand across a partition, and is lost for a while."""
    unnoticed = [("partition", EAST_1, 0), ("fail over", EAST_2, 0), ("lose", EAST_1, 48), ("lose", EAST_1, 60)]

    world = run(Weather(checks_down=1, checks_up=1, promotion=0), unnoticed)  # asserts that never two may post

    assert world.takeovers == 1


def test_a_region_that_was_cut_off_during_the_loss_takes_over_after_the_long_lease() -> None:
    world = run(Weather(), [("lose", EAST_1, 0), ("unreachable", EAST_2, 40)])
    survivor = world.cells[EAST_2]
    assert survivor.view
    assert survivor.view.may_be_fenced
    survivor.reachable = True

    began = world.now
    while not (survivor.decision and survivor.decision.may_post):
        world.second()
        assert world.now - began < 500, "no survivor"

    assert TIMES.fenced_settle <= world.now - began
    assert world.takeovers == 1


def live_on(world: World, seconds: int) -> None:
    """Asserts in every second that only one region may post."""
    for _ in range(seconds):
        world.second()


def returned_into_a_partition() -> World:
    """A lost writer that returns without its fence, while the survivor is out of reach from outside."""
    world = run(Weather(promotion=5), [("lose", EAST_1, 100)])
    assert world.takeovers == 1
    world.cut = set(REGIONS)
    world.cells[EAST_1].alive, world.cells[EAST_2].reachable = True, False
    return world


def test_a_region_that_was_fenced_unnoticed_takes_over_once_the_long_lease_of_its_peer_is_over() -> None:
    world = returned_into_a_partition()

    live_on(world, 600)

    assert world.takeovers == 2
    decision = world.cells[EAST_1].decision
    assert decision
    assert decision.may_post


def test_without_the_long_wait_it_would_be_a_second_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = may_claim_writer
    monkeypatch.setattr(model, "may_claim_writer", lambda **given: claim(**{**given, "may_be_fenced": False}))
    world = returned_into_a_partition()

    with pytest.raises(AssertionError, match="two writers"):
        live_on(world, 600)


def test_what_the_old_writer_alone_had_survives_two_promotions_within_the_lag() -> None:
    """Found by the model: posted by the old writer, replicated late, posted by the new one, and lost by the second."""
    late: Steps = [
        *[("partition", EAST_2, 33), ("fail over", EAST_1, 13), ("hold", EAST_1, 95), ("lose", EAST_1, 46)],
        *[("resolver", EAST_2, 14), ("lose", EAST_2, 3), ("heal", EAST_2, 29), ("unreachable", EAST_2, 38)],
    ]
    weather = Weather(
        table_lag=120, database_lag=27, checks_down=15, checks_up=23, promotion=7, check_every=3, returned_after=5
    )

    nothing_is_lost(weather, late)


def test_a_partition_alone_moves_nothing() -> None:
    world = run(Weather(), [("partition", EAST_1, 300)])

    assert world.takeovers == 0
    assert Counter(cell.decision.may_post for cell in world.cells.values() if cell.decision) == {True: 1, False: 1}
    assert all(cell.decision and cell.decision.healthy for cell in world.cells.values())


def test_a_lost_region_that_comes_back_into_a_partition_neither_posts_nor_takes_over() -> None:
    world = run(Weather(), [("lose", EAST_1, 120), ("partition", EAST_1, 0), ("lose", EAST_1, 300)])

    assert world.takeovers == 1
    returned = world.cells[EAST_1].decision
    assert returned
    assert not returned.may_post
    survivor = world.cells[EAST_2].decision
    assert survivor
    assert survivor.may_post
