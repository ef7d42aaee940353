"""A drill that is killed, at any step, leaves a journal from which `cleanup` restores the environment."""

import asyncio
import multiprocessing
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from drill.actions.faults import Fault, Recover, lose_region, lose_service, recover_region, restore_service
from drill.engine.cleanup import ActionRollback, Cleaned, clean_up
from drill.model.context import Change, DrillContext
from drill.model.faults import Effect, OutageMode
from drill.model.scenario import Load
from drill.runlog.log import RunLog, is_cut_off, read
from drill.scenarios.deployed.traffic_evacuation import LEAVES, TRAFFIC_EVACUATION
from shared.places import Place
from tests.drill import systems
from tests.drill.run_processes import BASELINE, begun, cleaned_up, state
from tests.drill.shared_environment import SharedEnvironment
from tests.drill.test_cleanup import BEGUN
from tests.drill.test_runner import with_steps

_PAUSE = Load(name="load", least_aws_seconds=0, least_seconds=0.05)
_METHOD: tuple[Change, ...] = (
    lose_region(Place.PRIMARY),
    Fault(Effect.PARTITION),
    Fault(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
    Fault(Effect.DATABASE_OUTAGE, Place.PRIMARY),
    Fault(Effect.REPLICA_LAG, aws_seconds=30),
    lose_service("events"),
    lose_service("rds-data", Place.PRIMARY),
)
_ROLLBACK: tuple[Change, ...] = (
    restore_service("rds-data", Place.PRIMARY),
    restore_service("events"),
    Recover(Effect.REPLICA_LAG),
    Recover(Effect.DATABASE_OUTAGE, Place.PRIMARY),
    Recover(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
    Recover(Effect.PARTITION),
    recover_region(Place.PRIMARY),
)
_CALLS = len(_METHOD) + len(_ROLLBACK)


class World(systems.System):
    """Faults that outlast the process that injected them: one file each. Kills its process at a call, before or after
    the call had its effect."""

    def __init__(self, folder: Path, *, killed_at: int = 0, after: bool = False) -> None:
        super().__init__()
        self._folder, self._killed_at, self._after, self._count = folder, killed_at, after, 0
        folder.mkdir(exist_ok=True)

    @property
    def broken(self) -> set[str]:
        return {each.name for each in self._folder.iterdir()}

    def _call(self, what: str, *, breaks: bool) -> None:
        self._count += 1
        if self._count == self._killed_at and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        if breaks:
            (self._folder / what).touch()
        else:
            (self._folder / what).unlink(missing_ok=True)
        if self._count == self._killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def inject(
        self,
        effect: Effect,
        regions: Sequence[str],
        *,
        mode: OutageMode,  # noqa: ARG002
        aws_seconds: float = 0.0,  # noqa: ARG002
        service: str = "",
        amount: float = 0.0,  # noqa: ARG002
    ) -> None:
        self._call(f"{effect} {' '.join(regions)} {service}", breaks=True)

    async def recover(self, effect: Effect, regions: Sequence[str], *, service: str = "") -> None:
        self._call(f"{effect} {' '.join(regions)} {service}", breaks=False)


def _run(folder: Path, killed_at: int, *, after: bool) -> None:
    scenario = with_steps([*_METHOD, _PAUSE], _ROLLBACK)
    with RunLog.open(folder) as journal:
        journal.write(BEGUN)
        world = World(folder / "world", killed_at=killed_at, after=after)
        systems.ran(world, folder, scenario, journal=journal)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
@pytest.mark.parametrize("killed_at", range(1, _CALLS + 1))
def test_whatever_was_changed_when_it_was_killed_is_changed_back(tmp_path: Path, killed_at: int, after: bool) -> None:
    child = multiprocessing.get_context("fork").Process(
        target=_run, args=(tmp_path, killed_at), kwargs={"after": after}
    )
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    world = World(tmp_path / "world")
    # The last undo may have had its effect just before the kill.
    assert world.broken or killed_at in (1, _CALLS)
    restored: list[str] = []

    async def restore_baseline() -> list[str]:
        restored.append("asked")
        return []

    async def clean() -> Cleaned:
        ctx = DrillContext(faults=world, deployment=systems.deployed(), outage_mode=OutageMode.ERROR)
        return await clean_up(tmp_path, ActionRollback(ctx, makes_faults=True), restore_baseline, pause_seconds=0)

    cleaned = asyncio.run(clean())

    assert cleaned.left == []
    assert world.broken == set()
    assert restored == ["asked"], "what the system did by itself meanwhile is undone too"
    assert not is_cut_off(read(tmp_path)), "nothing is pending"


SPEED = 10.0  # no run gets to its verdict


def _killed(name: str, stage: str, file: Path, root: Path) -> None:
    """Run `name` and kill it as soon as it reports `stage`."""
    with begun(name, file, root) as run:
        run.wait_until_printed(rf"(?m)^\s*[\d.]+ s  {re.escape(stage)}\b")
        run.process.kill()
        assert run.ended() == -signal.SIGKILL, run.printed


_STAGES = [
    pytest.param(each.name, marks=[] if each.name == LEAVES.name else [pytest.mark.nightly])
    for each in TRAFFIC_EVACUATION.steps
]


@pytest.mark.parametrize("stage", _STAGES)
def test_killed_at_any_stage_on_the_real_stacks_it_is_cleaned_up(
    stage: str, environment: SharedEnvironment, tmp_path: Path
) -> None:
    _killed("traffic-evacuation", stage, environment.file, tmp_path)

    cleaned = cleaned_up(environment.file, tmp_path)

    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
    assert state(environment.file) == BASELINE


@pytest.mark.nightly
def test_killed_while_a_failover_runs_the_writer_is_moved_back(environment: SharedEnvironment, tmp_path: Path) -> None:
    _killed("region-evacuation", "traffic and writer leave the primary region", environment.file, tmp_path)

    cleaned = cleaned_up(environment.file, tmp_path)

    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
    assert state(environment.file) == BASELINE
