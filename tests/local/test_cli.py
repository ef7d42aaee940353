"""The commands, against a server that runs in a directory as `up` leaves it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from localaws import launch
from localaws.__main__ import app
from localaws.cli.running import Lock, NotPossible
from localaws.core import endpoints_file
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.tiers import starts

PLACES = {EAST_1: {"name": "primary"}, EAST_2: {"name": "secondary"}}
EMPTY = {"environment": "dev", "programs": [], "regions": {EAST_1: "primary", EAST_2: "secondary"}}


@dataclass(frozen=True)
class Up:
    directory: Path
    aws: LocalAws

    def run(self, *words: str) -> Result:
        return run(*words, "--directory", str(self.directory))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


@pytest.fixture
@starts("emulator")
def up(tmp_path: Path) -> Iterator[Up]:
    """A bare server with its lock and its file; no stack is deployed."""
    file = tmp_path / endpoints_file.FILE
    lock = Lock(tmp_path)
    with launch.start(
        log_file=tmp_path / "server.log", profile="minimal", remove_at_end=[file], keep_open=[lock.descriptor]
    ) as server:
        os.close(lock.descriptor)
        file.write_text(json.dumps({"control": server.control, "regions": PLACES}))
        yield Up(tmp_path, LocalAws(server))


def test_an_outage_and_its_end_from_another_terminal(up: Up) -> None:
    lost = up.run("outage", EAST_1, "--outage-mode", "reset")
    assert (lost.exit_code, lost.output) == (
        0,
        "us-east-1 is lost (reset); recover it with `python -m localaws recover us-east-1`\n",
    )
    reported = json.loads(up.run("status", "--json").output)
    assert reported["regions"][EAST_1]["outage"]["kind"] == "reset"

    assert up.run("recover", EAST_1).output == "us-east-1 recovered\n"
    assert up.aws.status()["regions"][EAST_1]["outage"] is None


def test_the_speed_from_another_terminal_is_in_the_status_and_in_the_file(up: Up) -> None:
    changed = up.run("speed", "3")

    assert (changed.exit_code, changed.output) == (0, "3 AWS seconds pass in one second here\n")
    assert up.aws.status()["speed"] == 3.0
    assert json.loads((up.directory / endpoints_file.FILE).read_text())["speed"] == 3.0


def test_a_speed_out_of_range_is_refused(up: Up) -> None:
    refused = up.run("speed", "101")

    assert refused.exit_code == 2
    assert refused.stderr == "speed is 101.0; a number above 0 and up to 100 is needed\n"


def test_the_status_shows_places_and_what_is_lost(up: Up) -> None:
    up.run("outage", EAST_2)

    lines = [line.split() for line in up.run("status").output.splitlines()]

    assert lines[1:] == [[EAST_1, "primary", "there", "-", "0"], [EAST_2, "secondary", "lost", "(error)", "-", "0"]]


def test_an_unknown_region_is_refused_with_the_known_ones(up: Up) -> None:
    for command in ("outage", "recover"):
        refused = up.run(command, "mars-1")
        assert refused.exit_code == 2
        assert refused.stderr == "region 'mars-1' is not on this machine; use us-east-1 or us-east-2\n"


def test_a_second_up_names_the_running_process(up: Up) -> None:
    plan = up.directory / "plan.json"
    plan.write_text(json.dumps(EMPTY))

    refused = up.run("up", "--plan", str(plan))

    assert refused.exit_code == 2
    assert refused.stderr == (
        f"the embedded AWS runs already in {up.directory} with pid {os.getpid()}; "
        "end it with `python -m localaws down`\n"
    )


def test_down_ends_it_and_takes_its_file_away(up: Up) -> None:
    ended = up.run("down")

    assert (ended.exit_code, ended.output) == (0, "the embedded AWS has ended\n")
    assert up.aws.server.process.wait(timeout=60) == 0
    assert not (up.directory / endpoints_file.FILE).exists()
    Lock(up.directory)


def test_a_killed_server_is_distinguished_from_a_running_one(up: Up) -> None:
    file = up.directory / endpoints_file.FILE
    content = file.read_text()
    up.aws.server.process.kill()
    up.aws.server.process.wait()
    assert eventually(lambda: not file.exists())
    file.write_text(content)

    reported = up.run("status")

    assert reported.exit_code == 2
    assert "does not answer (ConnectError); start it again with `python -m localaws up`" in reported.stderr


@pytest.mark.parametrize("words", [("status",), ("outage", EAST_1), ("recover", EAST_1), ("down",)])
def test_without_a_running_server_each_command_prints_how_to_start_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    reported = run(*words, "--directory", str(tmp_path))

    assert reported.exit_code == 2
    assert reported.stderr == (
        f"no embedded AWS runs in {tmp_path}; start one with `python -m localaws up`, or name its --directory\n"
    )


def test_while_it_starts_the_commands_report_that(tmp_path: Path) -> None:
    lock = Lock(tmp_path)

    reported = run("status", "--directory", str(tmp_path))

    os.close(lock.descriptor)
    assert reported.exit_code == 2
    assert reported.stderr == (
        f"the embedded AWS with pid {os.getpid()} is still starting or ending; try again in a moment\n"
    )


def test_a_plan_that_cannot_be_read_is_refused_without_showing_it(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"metadata": {"client_key": "secret"}}')

    refused = run("up", "--plan", str(plan), "--directory", str(tmp_path / "local"))

    assert (refused.exit_code, refused.stderr) == (2, "the deployment plan cannot be read: KeyError\n")
    assert not (tmp_path / "local").exists()


@pytest.mark.emulator
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_up_ends_with_the_process_that_holds_its_pipe(tmp_path: Path, how: signal.Signals) -> None:
    """The owner dies, if need be by a signal that it cannot catch."""
    up = [sys.executable, "-m", "localaws", "up", "--plan", "-", "--owner-fd", "0", "--directory", str(tmp_path)]
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, time\n"
            f"up = subprocess.Popen({up!r}, stdin=subprocess.PIPE, start_new_session=True)\n"
            f"up.stdin.write({json.dumps(EMPTY).encode() + bytes([10])!r})\n"
            "up.stdin.flush()\n"
            "time.sleep(600)",
        ]
    )
    file = tmp_path / endpoints_file.FILE
    try:
        assert eventually(file.exists, within=120)
    finally:
        owner.send_signal(how)
        owner.wait()

    assert eventually(lambda: not file.exists(), within=60)
    assert eventually(lambda: _free(tmp_path), within=60), "its process or its server is left"


def _free(directory: Path) -> bool:
    try:
        os.close(Lock(directory).descriptor)
    except NotPossible:
        return False
    return True


def test_what_somebody_else_deployed_is_recorded_with_its_addresses(up: Up) -> None:
    outputs = {"primary": {"topic": "arn:aws:sns:us-east-1:000000000000:topic"}}
    words = ["record", "--directory", str(up.directory)]

    done = CliRunner().invoke(app, words, input=json.dumps(outputs))
    content = json.loads((up.directory / endpoints_file.FILE).read_text())

    assert done.exit_code == 0, done.output
    assert content["outputs"] == outputs
    assert content["addresses"] == {}
    assert content["regions"][EAST_1] == {"name": "primary", "postgres": None}
    assert content["control"] == up.aws.server.control
