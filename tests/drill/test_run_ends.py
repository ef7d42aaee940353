"""The end of `dr drill run` when it is interrupted, and when its rollback fails: exit status, output, and the
state of AWS. One deployment serves all that leave it as it was.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drill.runlog.entries import ActionDone, CleanedUp, Entry, Probe, RolledBack, RunEnded
from drill.runlog.log import is_cut_off, pending_rollbacks, read
from drill.scenarios.deployed.traffic_evacuation import LEAVES
from shared.deployment_search import local
from shared.places import Place
from tests.drill.repeating import conclusive
from tests.drill.run_processes import BASELINE, Going, begun, cleaned_up, state
from tests.drill.shared_environment import SharedEnvironment

SPEED = 10.0  # nothing here is judged by its time
_FENCED = ["us-east-1", "us-east-1"]  # in both replicas
_NOTHING = "nothing is left to roll back in dev\n"


@contextmanager
def broken_recovery(file: Path, place: Place) -> Iterator[None]:
    """A region's recovery function fails while the block runs, as a bad version of it would. A region that is lost
    would do as well, but each call to it is tried again for seconds."""
    deployment = local(file=file)
    client, name = deployment.client("lambda", place), deployment.cell(place).compute.functions["recovery"].name
    handler = client.get_function_configuration(FunctionName=name)["Handler"]
    client.update_function_configuration(FunctionName=name, Handler="handler.not_there")
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Handler=handler)


def is_fenced(entry: Entry) -> bool:
    """The fence is the scenario's only action."""
    return isinstance(entry, ActionDone) and entry.outcome == "done"


def has_left(entry: Entry) -> bool:
    return isinstance(entry, Probe) and entry.step == LEAVES.name and entry.met


def press_ctrl_c(run: Going) -> None:
    """Twice, as impatient people do; a terminal sends it to the whole process group."""
    os.killpg(run.process.pid, signal.SIGINT)
    run.wait_until_printed("interrupted: rolling back")
    os.killpg(run.process.pid, signal.SIGINT)


def terminate(run: Going) -> None:
    run.process.terminate()


@pytest.mark.parametrize(
    ("interrupt", "status"),
    [
        pytest.param(press_ctrl_c, 130, id="ctrl-c"),
        pytest.param(terminate, 143, id="sigterm", marks=pytest.mark.nightly),
    ],
)
def test_an_interrupted_run_rolls_back_first(
    environment: SharedEnvironment, tmp_path: Path, interrupt: Any, status: int
) -> None:
    file = environment.file
    with begun("traffic-evacuation", file, tmp_path) as run:
        run.wait_until_written(is_fenced)
        assert state(file)["fenced"] == _FENCED
        interrupt(run)

        assert run.ended() == status, run.printed

    assert "interrupted: rolling back" in run.printed
    assert run.printed.endswith("Interrupted; every change was rolled back.\n")
    assert state(file) == BASELINE
    entries = run.journal()
    assert pending_rollbacks(entries) == []
    assert entries[-1].entry == RunEnded(status=status)
    again = cleaned_up(file, tmp_path)
    assert (again.returncode, again.stdout) == (0, _NOTHING)


@dataclass(frozen=True, kw_only=True)
class Finished:
    status: int
    why: str


@pytest.mark.nightly
def test_a_run_that_nobody_interrupts_ends_with_its_verdict(environment: SharedEnvironment, tmp_path: Path) -> None:
    def run() -> Finished:
        with begun("traffic-evacuation", environment.file, tmp_path) as going:
            return Finished(status=going.ended(), why=going.printed)

    finished = conclusive(run, environment.start_anew_at_half_speed)

    assert finished.status == 0, finished.why
    assert "PASSED traffic-evacuation" in " ".join(finished.why.split())
    assert state(environment.file) == BASELINE


def typed(command: str) -> subprocess.CompletedProcess[str]:
    """The exit status of a shell, and the environment's name at the prompt."""
    return subprocess.run(command, shell=True, input="dev\n", capture_output=True, text=True, timeout=600)


@pytest.mark.nightly
def test_a_failed_rollback_is_reported_with_the_cleanup_command(environment: SharedEnvironment, tmp_path: Path) -> None:
    """A fence is opened by the other region's recovery function."""
    file = environment.file
    with begun("traffic-evacuation", file, tmp_path) as run:
        run.wait_until_written(has_left)
        with broken_recovery(file, Place.SECONDARY):
            status = run.ended()
            [reported] = re.findall(r"^Rollback incomplete: (.*)$", run.printed, re.MULTILINE)
            [command] = re.findall(r"^Then: (.*)$", run.printed, re.MULTILINE)
            too_early = typed(command)

    assert status == 3, run.printed
    assert reported.startswith("left to do: unfence the primary region: unfence failed: ")
    assert too_early.returncode == 3, too_early.stdout + too_early.stderr
    assert "left: fence the primary region: unfence failed: " in too_early.stdout
    assert state(file)["fenced"] == _FENCED, "nobody has opened it"
    assert is_cut_off(run.journal())

    done = typed(command)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "done: unfence the primary region: epoch" in done.stdout
    assert state(file) == BASELINE
    entries = [each.entry for each in read(run.folder)]
    assert isinstance(entries[-1], CleanedUp)
    assert [each.by for each in entries if isinstance(each, RolledBack) and each.outcome == "done"] == ["cleanup"]
    again = typed(command)
    assert (again.returncode, again.stdout) == (0, _NOTHING)
