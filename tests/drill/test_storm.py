"""A storm of impatient clients: when full goodput is back, what the verdict makes of it, and the step itself."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from drill.engine.runner import Runner
from drill.load.client import ClientPolicy
from drill.load.generator import LoadGenerator
from drill.load.payments import payments
from drill.model.attempts import Intent
from drill.model.context import DrillContext
from drill.model.expectation import Observation
from drill.model.faults import OutageMode
from drill.model.objectives import NoTakeOver, Objectives, Overload, Service
from drill.model.scenario import Storm
from drill.observe.progress import Progress
from drill.scenarios.simulated.cold_storm import COLD_STORM
from drill.verdict import interruptions, verdict
from drill.verdict.interruptions import Recovery
from tests.drill.payment_server import payment_server
from tests.drill.systems import REGIONS, Pages, System, deployed, result
from tests.drill.verdicts import measured

OBJECTIVES = Objectives(service=Service(), overload=Overload(), take_over=NoTakeOver(), is_lost=False)


def offered(start: float, end: float, waits: float | None, *, every: float = 0.1) -> list[Intent]:
    """Payments at a steady rate, each acknowledged after `waits` seconds, or never."""
    return [
        Intent(
            number=0,
            reference="",
            payment_id="",
            body={},
            offered=start + index * every,
            acknowledged=None if waits is None else start + index * every + waits,
        )
        for index in range(round((end - start) / every))
    ]


@pytest.mark.parametrize(
    ("intents", "seconds", "share"),
    [
        pytest.param(offered(10, 20, 0.1), 2.0, 1.0, id="at once: after one whole window"),
        pytest.param([*offered(10, 13, None), *offered(13, 20, 0.1)], 5.0, 0.95, id="after three seconds"),
        pytest.param(offered(10, 20, 3.0), None, 0.0, id="acknowledged, but late"),
        pytest.param([*offered(0, 10, 12.0), *offered(10, 20, None)], None, 0.0, id="old payments are no goodput"),
        pytest.param([], None, 0.0, id="nothing was offered"),
    ],
)
def test_full_goodput_is_back_when_new_payments_are_acknowledged_promptly(
    intents: list[Intent], seconds: float | None, share: float
) -> None:
    found = interruptions.recovery(intents, since=10, until=20, share=0.95)

    assert (found.seconds is None) == (seconds is None)
    if seconds is not None and found.seconds is not None:
        assert found.seconds == pytest.approx(seconds, abs=0.26)
    assert found.share >= share


@pytest.mark.parametrize(
    ("recovery", "unhealthy", "word", "named"),
    [
        (Recovery(seconds=4.5, share=0.97), (), "passed", None),
        (Recovery(seconds=5.25, share=0.97), (), "failed", "full goodput returns by itself"),
        (Recovery(seconds=None, share=0.4), (), "failed", "full goodput returns by itself"),
        (None, (), "failed", "full goodput returns by itself"),
        (Recovery(seconds=2.0, share=1.0), ("us-east-1",), "failed", "overload is not mistaken"),
        (Recovery(seconds=2.0, share=1.0, given_up=1), (), "failed", "every client that came after the storm"),
    ],
)
def test_a_service_that_a_storm_keeps_down_has_failed(
    recovery: Recovery | None, unhealthy: tuple[str, ...], word: str, named: str | None
) -> None:
    checks = verdict.checks(OBJECTIVES, measured(recovery=recovery, unhealthy=unhealthy, runs=(), interruptions=()))
    found, first_broken = verdict.verdict(checks)

    assert found == word
    assert (first_broken or "").startswith(named or "")


def test_targets_that_a_storm_makes_unhealthy_may_be_healthy_at_a_lower_speed() -> None:
    """A machine that is too slow answers a health check late; a system that is at fault does so at any speed."""
    checks = verdict.checks(
        OBJECTIVES,
        measured(recovery=Recovery(seconds=2.0, share=1.0), unhealthy=("us-east-1",), runs=(), interruptions=()),
    )

    assert verdict.exit_status(checks) == 1
    assert verdict.may_pass_slower(checks)


@pytest.mark.stack  # a busy machine does not keep its rates
def test_the_storm_makes_functions_cold_and_sends_impatient_clients_beside_the_load(tmp_path: Path) -> None:
    system = System()
    [planned] = [step for step in COLD_STORM.method if isinstance(step, Storm)]
    progress = Progress(title="test", window=0.2, regions=dict(REGIONS))
    observations: list[Observation | None] = []

    async def run() -> Runner:
        async with payment_server(tmp_path) as server:
            policy = ClientPolicy(
                timeout=1, reopen=1, first_pause=0.05, longest_pause=0.1, give_up=1, most_in_flight=50
            )
            runner = Runner(
                COLD_STORM,
                ctx=DrillContext(faults=system, deployment=deployed(), outage_mode=OutageMode.RESET),
                load=LoadGenerator(server.target, policy, payments(1), rate=20, now=progress.now),
                observer=system,
                progress=progress,
                result=result(progress),
                run_log=Pages(),
                impatient=lambda rate: LoadGenerator(
                    server.target, ClientPolicy.impatient(rate=rate), payments(2), rate=rate, now=progress.now
                ),
            )
            await runner._do(replace(planned, times=3.0, seconds=0.5))
            for each in runner.storms:
                await each.drain()
                await each.close()
            observations.append(await runner._observe())
            return runner

    runner = asyncio.run(run())

    assert "recycle" in system.done
    [sent] = runner.storms
    assert sent.rate == 60
    assert 25 <= len(sent.record.acknowledged) <= 35
    assert observations[0]
    assert observations[0].acknowledged == len(sent.record.acknowledged), "the ledger must contain these too"
    assert [(fault.kind, fault.ended_at is None) for fault in progress.faults] == [("overload", False)]
