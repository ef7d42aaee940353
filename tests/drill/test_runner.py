"""What the runner does when a step does not go as planned."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from drill.actions import ActionError, OutageKind
from drill.client import ClientPolicy
from drill.load import Load
from drill.payments import payments
from drill.probes import ProbeError, Status, TargetsHealthy
from drill.progress import Progress
from drill.runner import CouldNotStart, Runner, WayBackIncomplete
from drill.scenario import Scenario, Send, Settle
from drill.scenarios.region_loss import REGION_LOSS
from shared.places import Place
from tests.drill.payment_server import Answer, accept, payment_server

REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}
_STEADY = Settle(name="steady state", until=(TargetsHealthy(),), within_aws_seconds=0, within_seconds=0.4)
SCENARIO = replace(
    REGION_LOSS,
    hypothesis=_STEADY,
    method=(REGION_LOSS.method[1], Send(name="outage", share=1.0, least_aws_seconds=0)),
    way_back=(REGION_LOSS.way_back[0], replace(_STEADY, name="return")),
)


class System:
    """A system whose status and switch are scripted; it remembers what was done to it."""

    def __init__(self, *, returns: bool = True, heals: int = 0, blind: bool = False, healthy: bool = True) -> None:
        self.done: list[str] = []
        self.lost = False
        self._returns, self._heals, self._blind, self._healthy = returns, heals, blind, healthy

    async def look(self) -> Status:
        if self._blind and self.lost:
            raise ProbeError("no answer")
        ok = self._healthy and not self.lost and (self._returns or not self.done)
        states = {"us-east-1": "healthy" if ok else "unhealthy", "us-east-2": "healthy"}
        return Status.model_validate(
            {"targets": [{"region": region, "target_group": "t", "state": state} for region, state in states.items()]}
        )

    async def lose(self, region: str, kind: OutageKind) -> None:
        self.done.append(f"lose {region} {kind}")
        self.lost = True

    async def heal(self, region: str) -> None:
        if self._heals:
            self._heals -= 1
            raise ActionError("no answer")
        self.done.append(f"heal {region}")
        self.lost = False


def ran(
    system: System,
    directory: Path,
    *,
    scenario: Scenario = SCENARIO,
    answer: Answer = accept,
    cancel_after: float | None = None,
) -> tuple[Runner, Progress]:
    progress = Progress(title="test", window=0.2)

    async def run() -> Runner:
        async with payment_server(directory, answer) as server:
            policy = ClientPolicy(
                timeout=1, reopen=1, first_pause=0.05, longest_pause=0.1, give_up=1, most_under_way=50
            )
            load = Load(server.target, policy, payments(1), rate=50, now=progress.now)
            runner = Runner(
                scenario, regions=REGIONS, kind=OutageKind.RESET, duration=0.5, speed=1,
                load=load, faults=system, look=system.look, progress=progress,
            )  # fmt: skip
            try:
                async with asyncio.timeout(cancel_after):
                    await runner.run()
            finally:
                await load.close()
            return runner

    return asyncio.run(run()), progress


def test_steps_are_done_in_order_and_each_leaves_its_time_and_outcome(tmp_path: Path) -> None:
    system = System()

    runner, progress = ran(system, tmp_path)

    assert system.done == ["lose us-east-1 reset", "heal us-east-1"]
    assert [stage.name for stage in progress.stages] == [
        *(
            "steady state",
            "take the primary region away",
            "outage",
            "bring the primary region back",
            "return",
            "steady state",
        )
    ]
    assert {stage.outcome for stage in progress.stages} == {"done"}
    outage = progress.outage
    assert outage is not None
    assert outage.healed_at is not None
    assert 0.5 <= outage.healed_at - outage.at < 1
    assert runner.not_restored is None


def test_without_a_steady_state_nothing_is_touched(tmp_path: Path) -> None:
    system = System(healthy=False)

    with pytest.raises(CouldNotStart, match=r"no steady state .* us-east-1 0 of 1"):
        ran(system, tmp_path)

    assert system.done == []


def test_a_region_that_does_not_come_back_is_remembered_with_the_evidence(tmp_path: Path) -> None:
    runner, progress = ran(System(returns=False), tmp_path)

    assert runner.not_restored == "return: targets are healthy in both regions: us-east-1 0 of 1, us-east-2 1 of 1"
    assert [stage.outcome for stage in progress.stages][-2:] == ["failed", "failed"]


def test_a_run_that_is_cancelled_during_the_outage_heals_first(tmp_path: Path) -> None:
    system = System()

    with pytest.raises(TimeoutError):
        ran(system, tmp_path, cancel_after=0.3)

    assert system.done == ["lose us-east-1 reset", "heal us-east-1"]


def test_a_region_that_can_only_be_healed_at_a_later_attempt_is_healed(tmp_path: Path) -> None:
    system = System(heals=3)

    with pytest.raises(ActionError):
        ran(system, tmp_path)

    assert system.done == ["lose us-east-1 reset", "heal us-east-1"]


def test_a_region_that_cannot_be_healed_is_named_with_what_is_left_to_do(tmp_path: Path) -> None:
    with pytest.raises(WayBackIncomplete, match="us-east-1 is still lost; heal it: no answer"):
        ran(System(heals=9), tmp_path)


def test_looks_that_failed_are_kept_as_evidence(tmp_path: Path) -> None:
    runner, _ = ran(System(blind=True), tmp_path)

    assert runner.blind
    assert all("no answer" in evidence for evidence in runner.blind)


def test_a_scenario_that_takes_away_what_it_does_not_bring_back_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="takes away primary and has no way back"):
        replace(SCENARIO, way_back=())


def test_a_scenario_whose_phases_are_not_the_whole_run_cannot_be_written() -> None:
    with pytest.raises(ValueError, match=r"add up to 0\.5"):
        replace(SCENARIO, method=(Send(name="half", share=0.5, least_aws_seconds=0),))
