"""A flood of one region: requests without a key, then with one, beside the load; and what the verdict makes of it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill.engine.runner import Runner
from drill.load.client import ClientPolicy
from drill.load.generator import LoadGenerator
from drill.load.payments import payments
from drill.model.context import DrillContext
from drill.model.faults import OutageMode
from drill.model.objectives import NoTakeOver, Objectives, Overload, Service
from drill.model.scenario import Flood
from drill.observe.progress import Progress
from drill.scenarios.simulated.overload import OVERLOAD
from drill.verdict import verdict
from drill.verdict.interruptions import Recovery
from tests.drill.payment_server import KEY, Reply, accept, payment_server
from tests.drill.systems import REGIONS, Pages, System, deployed, result
from tests.drill.verdicts import measured

OBJECTIVES = Objectives(service=Service(), overload=Overload(rejects=True), take_over=NoTakeOver(), is_lost=False)


@pytest.mark.parametrize(("rejected", "word"), [(100, "passed"), (0, "failed")])
def test_a_flood_that_the_region_takes_in_shows_nothing(rejected: int, word: str) -> None:
    made = measured(
        recovery=Recovery(seconds=2.0, share=1.0), unhealthy=(), runs=(), interruptions=(), rejected_flood=rejected
    )

    assert verdict.verdict(verdict.checks(OBJECTIVES, made))[0] == word


@pytest.mark.stack  # a busy machine does not keep its rates
def test_a_flood_comes_in_bursts_without_keys_and_then_with_keys_and_nothing_is_sent_again(tmp_path: Path) -> None:
    [planned] = [step for step in OVERLOAD.method if isinstance(step, Flood)]
    progress = Progress(title="test", window=0.2, regions=dict(REGIONS))
    keys: list[str | None] = []

    def every_second_one(sent: dict[str, Any], number: int) -> Reply:
        return accept(sent, number) if number % 2 else (502, {})

    async def run() -> Runner:
        async with payment_server(tmp_path, every_second_one) as server:

            def flooding(_step: Flood, with_keys: bool, rate: float) -> LoadGenerator:
                target = server.target if with_keys else replace(server.target, client_key="")
                policy = ClientPolicy.flood(rate=rate)
                return LoadGenerator(target, policy, payments(2), rate=rate, now=progress.now, burst=5)

            runner = Runner(
                OVERLOAD,
                ctx=DrillContext(faults=System(), deployment=deployed(), outage_mode=OutageMode.RESET),
                load=LoadGenerator(server.target, ClientPolicy.flood(rate=20), payments(1), rate=20, now=progress.now),
                observer=System(),
                progress=progress,
                result=result(progress),
                run_log=Pages(),
                flooding=flooding,
            )
            await runner._do(replace(planned, times=5.0, aws_seconds=deployed().speed * 1.0))
            for each in runner.storms:
                await each.drain()
                await each.close()
            keys.extend(server.keys)
            return runner

    runner = asyncio.run(run())

    without, with_keys = runner.storms
    sent = [*without.record.attempts, *with_keys.record.attempts]
    assert set(keys) == {"", KEY}
    assert all(len(each.record.attempts) == len(each.record.intents) for each in runner.storms), "one was sent again"
    assert len({attempt.intent for attempt in without.record.attempts}) >= 25
    assert 0 < runner._result.rejected_flood <= sum(attempt.status == 502 for attempt in sent)
    assert [(fault.kind, fault.ended_at is None) for fault in progress.faults] == [("overload", False)]
