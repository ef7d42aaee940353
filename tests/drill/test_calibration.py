"""Rate and speed from what a machine sustains, and the measurement against a server of known capacity."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from drill.engine import calibration
from drill.engine.calibration import FASTEST, LEAST, MOST, Capacity, choose
from drill.model.errors import CouldNotStart, Inconclusive
from drill.observe.progress import Progress
from drill.observe.starvation import Starvation
from tests.drill.payment_server import accept, payment_server

FAST = Capacity(speed=6.0, cores=1.9, base=0.17, seconds_per_payment=0.005, latency=0.020)
SLOW = Capacity(speed=6.0, cores=1.8, base=0.35, seconds_per_payment=0.030, latency=0.045)
ONE_CORE = Capacity(speed=6.0, cores=0.98, base=0.17, seconds_per_payment=0.014, latency=0.025)
HALF_A_SLOW_CORE = Capacity(speed=6.0, cores=0.5, base=0.35, seconds_per_payment=0.030, latency=0.110)


def test_a_fast_machine_gets_the_most_of_both() -> None:
    choice = choose(FAST, rate=None, speed=None)

    assert (choice.rate, choice.speed) == (MOST, FASTEST)
    assert "gives 1.90 cores" in choice.why


@pytest.mark.parametrize("capacity", [FAST, SLOW, ONE_CORE, HALF_A_SLOW_CORE], ids=["fast", "slow", "one", "half"])
def test_the_steady_state_leaves_room_for_a_failover(capacity: Capacity) -> None:
    choice = choose(capacity, rate=None, speed=None)

    busy = capacity.base_at(choice.speed) + choice.rate * capacity.seconds_per_payment
    assert choice.rate >= LEAST
    assert 1.0 <= choice.speed <= FASTEST
    assert busy <= 0.61 * capacity.cores


def test_a_slower_machine_runs_slower_and_never_the_other_way_round() -> None:
    speeds = [choose(each, rate=None, speed=None).speed for each in (FAST, SLOW, HALF_A_SLOW_CORE)]

    assert speeds == sorted(speeds, reverse=True)
    assert speeds[0] > speeds[1] > speeds[2]


def test_beside_other_programs_a_rehearsal_runs_slower() -> None:
    speeds = [choose(replace(FAST, contention=share), rate=None, speed=None).speed for share in (0.0, 0.2, 0.4, 0.9)]

    assert speeds == [5.0, 3.5, 2.0, 1.0]


def test_a_scenarios_own_limit_holds() -> None:
    assert choose(FAST, rate=None, speed=None, fastest=3.0).speed == 3.0


def test_what_is_given_by_hand_is_kept() -> None:
    choice = choose(SLOW, rate=20.0, speed=5.0)

    assert (choice.rate, choice.speed) == (20.0, 5.0)
    assert choice.why.endswith("RATE and SPEED given by hand")


def test_a_rate_beyond_this_machine_is_refused_with_one_that_it_sustains() -> None:
    with pytest.raises(
        Inconclusive, match=r"sustains about (\d+) payments/s at SPEED=6; run again with RATE=\1 "
    ) as reported:
        choose(FAST, rate=500.0, speed=6.0)
    assert not reported.value.may_pass_slower, "half the speed would not help"

    sustained = float(str(reported.value).split("RATE=")[1].split()[0])
    assert choose(FAST, rate=sustained, speed=6.0).rate == sustained


def test_a_machine_that_sustains_almost_nothing_is_reported() -> None:
    hopeless = replace(HALF_A_SLOW_CORE, base=5.0)

    with pytest.raises(Inconclusive, match="4 are needed to see an outage"):
        choose(hopeless, rate=None, speed=None)


@pytest.mark.stack  # it measures this machine
def test_the_measurement_finds_what_a_server_can_do(tmp_path: Path) -> None:
    """A server that answers after 20 ms, however many ask: a client alone gets 50/s at the most."""

    async def run() -> Capacity:
        async with payment_server(tmp_path, accept, pause=0.02) as server:
            return await calibration.measure(
                [server.target],
                seed=1,
                speed=6.0,
                cpu_seconds=time.process_time,
                starvation=Starvation(),
                progress=Progress(title="test"),
            )

    capacity = asyncio.run(run())

    assert capacity.latency >= 0.02
    assert 0 < capacity.seconds_per_payment < capacity.cores / 50, "more clients brought more than one's 50/s"
    assert capacity.speed == 6.0


def test_an_environment_that_answers_nothing_could_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_WARM_SECONDS", 0.3)

    async def run() -> None:
        async with payment_server(tmp_path, lambda *_: (503, {})) as server:
            await calibration.measure(
                [server.target],
                seed=1,
                speed=6.0,
                cpu_seconds=time.process_time,
                starvation=Starvation(),
                progress=Progress(title="test"),
            )

    with pytest.raises(CouldNotStart, match="no payment was answered"):
        asyncio.run(run())
