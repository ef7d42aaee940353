"""Restoring an environment from the journal of a run that died."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drill.__main__ import app
from drill.actions.faults import Recover, recover_region, restore_service
from drill.actions.regions import StartFailback
from drill.engine.cleanup import ROLLBACKS, ActionRollback, Cleaned, clean_up
from drill.model.context import DrillContext, plain
from drill.model.errors import ActionError
from drill.model.faults import Effect, OutageMode
from drill.runlog import folders
from drill.runlog.entries import ActionBegun, ActionDone, CleanedUp, RolledBack, RunStarted
from drill.runlog.log import RunLog, RunLogError, is_cut_off, pending_rollbacks, read
from drill.scenarios.simulated import SCENARIOS
from shared.places import Place
from tests.drill.answers import deployment
from tests.drill.systems import System

HEAL, JOIN = plain(recover_region(Place.PRIMARY)), plain(Recover(Effect.PARTITION))


def died(folder: Path, *undos: Mapping[str, Any]) -> Path:
    """A run that made changes and then was no more."""
    folder.mkdir(parents=True, exist_ok=True)
    with RunLog.open(folder) as journal:
        for number, undo in enumerate(undos, start=1):
            journal.write(ActionBegun(action=f"a{number}", name=f"change {number}", rollback=dict(undo)))
    return folder


class Fake:
    """Runs rollbacks, except those in `refused`."""

    def __init__(self, *, refuses: str = "", times: int = 1000) -> None:
        self.done: list[str] = []
        self._refuses, self._times = refuses, times

    async def __call__(self, undo: Mapping[str, Any]) -> str:
        if undo["effect"] == self._refuses and self._times:
            self._times -= 1
            raise ActionError(f"{undo['effect']} was refused")
        self.done.append(str(undo["effect"]))
        return f"{undo['effect']} done"


async def not_needed() -> list[str]:
    raise AssertionError("a run that was not cut off needs no baseline restored")


def cleaned(folder: Path, roll_back: Any, restore_baseline: Any = not_needed) -> Cleaned:
    return asyncio.run(clean_up(folder, roll_back, restore_baseline, pause_seconds=0))


def test_pending_rollbacks_are_run_last_change_first_and_then_cleared(tmp_path: Path) -> None:
    fake = Fake()
    died(tmp_path, HEAL, JOIN)

    first = cleaned(tmp_path, fake)
    again = cleaned(tmp_path, fake)

    assert fake.done == ["partition", "region-outage"]
    assert (first.done, first.left, first.status) == (["partition done", "region-outage done"], [], 0)
    assert again == Cleaned()
    assert [each.entry.by for each in read(tmp_path) if isinstance(each.entry, RolledBack)] == ["cleanup", "cleanup"]


def test_a_failed_rollback_stays_pending_and_does_not_stop_the_others(tmp_path: Path) -> None:
    died(tmp_path, HEAL, JOIN)

    found = cleaned(tmp_path, Fake(refuses="partition"))

    assert (found.done, found.left, found.status) == (["region-outage done"], ["change 2: partition was refused"], 3)
    assert [each.rollback for each in pending_rollbacks(read(tmp_path))] == [JOIN]
    assert cleaned(tmp_path, Fake()).done == ["partition done"]


def test_a_refusal_that_passes_is_tried_again(tmp_path: Path) -> None:
    died(tmp_path, HEAL)

    assert cleaned(tmp_path, Fake(refuses="region-outage", times=3)).status == 0


def test_what_the_run_itself_has_undone_is_not_undone_again(tmp_path: Path) -> None:
    died(tmp_path, HEAL, JOIN)
    with RunLog.open(tmp_path) as journal:
        journal.write(ActionDone(action="a1", outcome="done"))
        journal.write(RolledBack(action="a1", outcome="done"))
    fake = Fake()

    cleaned(tmp_path, fake)

    assert fake.done == ["partition"]


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    died(tmp_path, HEAL)
    fake = Fake()

    with RunLog.open(tmp_path), pytest.raises(RunLogError, match="still writing"):
        cleaned(tmp_path, fake)

    assert fake.done == []


REGIONS = {"primary": "us-east-1", "secondary": "us-east-2"}
BEGUN = RunStarted(scenario="region-loss", environment="dev", local=True, regions=REGIONS, plan=("lose",))


def begun(folder: Path) -> Path:
    with RunLog.open(folder) as journal:
        journal.write(BEGUN)
    return folder


def test_after_an_interrupted_run_the_baseline_is_restored_once(tmp_path: Path) -> None:
    died(begun(tmp_path), HEAL)
    came: list[str] = []

    async def restore_baseline() -> list[str]:
        came.append("home")
        return ["failed back"]

    left = cleaned(tmp_path, Fake(refuses="region-outage"), restore_baseline)
    first = cleaned(tmp_path, Fake(), restore_baseline)
    again = cleaned(tmp_path, Fake(), restore_baseline)

    assert (left.status, len(came)) == (3, 1), "a region that is still lost cannot take the writer back"
    assert (first.done, again) == (["region-outage done", "failed back"], Cleaned())
    assert read(tmp_path)[-1].entry == CleanedUp(done=("region-outage done", "failed back"))


def test_a_baseline_that_cannot_be_restored_stays_pending(tmp_path: Path) -> None:
    begun(tmp_path)

    async def restore_baseline() -> list[str]:
        raise ActionError("us-east-1 is still fenced")

    found = cleaned(tmp_path, Fake(), restore_baseline)

    assert (found.left, found.status) == (["us-east-1 is still fenced"], 3)
    assert is_cut_off(read(tmp_path))


def context_of(system: System) -> DrillContext:
    return DrillContext(faults=system, deployment=deployment(), outage_mode=OutageMode.ERROR)


@pytest.mark.parametrize(
    ("undo", "done"),
    [
        (recover_region(Place.PRIMARY), "end region-outage eu-west-1"),
        (Recover(Effect.PARTITION), "end partition eu-west-1 eu-central-1"),
        (Recover(Effect.SENTINEL_ISOLATION, Place.SECONDARY), "end sentinel-isolation eu-central-1"),
        (Recover(Effect.DATABASE_OUTAGE, Place.PRIMARY), "end database-outage eu-west-1"),
        (Recover(Effect.REPLICA_LAG), "end replica-lag eu-west-1 eu-central-1"),
        (restore_service("events"), "end service-outage eu-west-1 eu-central-1 events"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_an_undo_from_a_journal_does_what_the_run_would_have_done(tmp_path: Path, undo: Any, done: str) -> None:
    system = System()
    died(tmp_path, plain(undo))

    assert cleaned(tmp_path, ActionRollback(context_of(system), makes_faults=True)).left == []
    assert system.done == [done]


def test_on_aws_no_fault_is_taken_back_that_only_the_embedded_aws_makes(tmp_path: Path) -> None:
    system = System()
    died(tmp_path, HEAL)

    [left] = cleaned(tmp_path, ActionRollback(context_of(system), makes_faults=False)).left

    assert "only the embedded AWS injects such faults" in left
    assert system.done == []


def test_an_undo_that_this_version_does_not_know_is_left_and_named(tmp_path: Path) -> None:
    died(tmp_path, {"change": "Teleport", "place": "primary"})

    [left] = cleaned(tmp_path, ActionRollback(context_of(System()), makes_faults=True)).left

    assert "this version has no rollback {'change': 'Teleport'" in left


def test_every_undo_of_every_scenario_is_known() -> None:
    undos = [
        undo
        for scenario in SCENARIOS.values()
        for step in scenario.steps
        if (undo := getattr(step, "rollback", None)) is not None
    ]

    assert undos
    assert {type(undo).__name__ for undo in undos} - set(ROLLBACKS) == set()
    assert StartFailback.__name__ in ROLLBACKS


ROOT = ["cleanup", "--env", "dev", "--root"]


@pytest.mark.parametrize(("typed", "printed"), [("prod\n", "prod is not dev"), ("", "confirmation needs a terminal")])
def test_the_command_shows_pending_rollbacks_and_does_nothing_unless_the_name_is_typed(
    tmp_path: Path, typed: str, printed: str
) -> None:
    folder = died(folders.new_folder("dev", "region-loss", root=tmp_path), HEAL)

    refused = CliRunner().invoke(app, [*ROOT, str(tmp_path)], input=typed)

    assert refused.exit_code == 2
    assert f"pending rollback of {folder.name}:\n  Recover for: change 1" in refused.stdout
    assert printed in refused.stderr
    assert len(pending_rollbacks(read(folder))) == 1


def test_the_command_has_nothing_to_do_without_pending_rollbacks(tmp_path: Path) -> None:
    folders.new_folder("dev", "region-loss", root=tmp_path)

    done = CliRunner().invoke(app, [*ROOT, str(tmp_path)])

    assert (done.exit_code, done.stdout) == (0, "nothing is left to roll back in dev\n")


def test_the_journal_of_another_environment_is_not_undone_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    died(begun(folders.new_folder("dev", "region-loss", root=tmp_path)), HEAL)
    monkeypatch.setattr("drill.cli.cleanup.find_deployment", lambda *_, **__: deployment())

    refused = CliRunner().invoke(app, [*ROOT, str(tmp_path), "--yes"])

    assert refused.exit_code == 2
    printed = " ".join(refused.stderr.split())
    assert "a drill of dev in us-east-1 and us-east-2 on this machine, but found was dev in eu-west-1 and" in printed
