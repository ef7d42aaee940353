"""The embedded AWS as a child: it ends with the drill, however the drill ends."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from drill.engine.local_environment import LocalAws, StartError, up_command

_CHILD = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
{trap}
print(child.pid, flush=True)
time.sleep(60)
"""
_POLITE = 'signal.signal(signal.SIGTERM, lambda *_: (child.terminate(), child.wait(), print("stopped"), sys.exit(0)))'
_DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def gone(pid: int, within: float = 60.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_the_embedded_aws_is_started_by_its_own_command_line(tmp_path: Path) -> None:
    assert up_command(environment="dev", speed=5.0, directory=tmp_path)[1:] == [
        *("-m", "localaws", "up", "--env", "dev", "--speed", "5", "--directory", str(tmp_path), "--plain")
    ]


def test_a_command_that_ends_early_is_reported_with_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('working'); sys.exit('no free port')"]
    heard: list[str] = []

    async def run() -> None:
        aws = LocalAws(command, tmp_path, heard.append)
        try:
            await aws.start()
        finally:
            await aws.stop()

    with pytest.raises(StartError) as failed:
        asyncio.run(run())

    assert "status 1" in str(failed.value)
    assert "no free port" in str(failed.value)
    assert heard == ["working", "no free port"]


def test_the_users_aws_settings_do_not_reach_the_embedded_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "bogus")
    command = [sys.executable, "-c", "import os; print([n for n in os.environ if n.startswith('AWS_')])"]
    heard: list[str] = []

    async def run() -> None:
        aws = LocalAws(command, tmp_path, heard.append)
        with pytest.raises(StartError):
            await aws.start()
        await aws.stop()

    asyncio.run(run())
    assert heard == ["[]"]


def test_addresses_of_an_earlier_run_are_not_believed(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text("{}")

    async def run() -> None:
        aws = LocalAws([sys.executable, "-c", "pass"], tmp_path, lambda _: None)
        try:
            await aws.start()
        finally:
            await aws.stop()

    with pytest.raises(StartError, match="status 0"):
        asyncio.run(run())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_command_is_asked_to_stop_when_its_owner_is_gone(how: signal.Signals, tmp_path: Path) -> None:
    """The owner is a process that holds the keeper's pipe and dies, if need be by a signal that it cannot catch."""
    said = tmp_path / "said"
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            f"out = open({str(said)!r}, 'w')\n"
            f"child = [sys.executable, '-c', {_CHILD.format(trap=_POLITE)!r}]\n"
            "command = [sys.executable, '-m', 'drill.engine.keeper', *child]\n"
            "keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, start_new_session=True)\n"
            "time.sleep(60)",
        ]
    )
    try:
        while not (said.exists() and said.read_text()):
            time.sleep(0.02)
        grandchild = int(said.read_text())
        assert psutil.pid_exists(grandchild)
    finally:
        owner.send_signal(how)
        owner.wait()

    assert gone(grandchild)
    end = time.monotonic() + 60
    while "stopped" not in said.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    assert "stopped" in said.read_text(), "it was asked, not killed"


def test_a_command_that_does_not_stop_is_killed_with_its_group() -> None:
    keeper = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, drill.engine.keeper\n"
            "drill.engine.keeper.GRACE_SECONDS = 0.3\n"
            f"sys.exit(drill.engine.keeper.main([sys.executable, '-c', {_CHILD.format(trap=_DEAF)!r}]))",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    grandchild = int(keeper.stdout.readline())
    keeper.stdin.close()

    assert keeper.wait(60) != 0
    assert gone(grandchild)
    keeper.stdout.close()
