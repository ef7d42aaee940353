"""The reaper removes what was registered with it when its owner dies in any way."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localaws.core import reaper
from localaws.core.reaper import Reaper
from tests.local.embedded import eventually

# Registers a stubborn child, a folder and a file, prints the child's pid, and waits to be killed.
OWNER = """
    import subprocess, sys, time
    from pathlib import Path
    from localaws.core.reaper import Reaper

    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True, stdout=subprocess.PIPE)
    child.stdout.readline()
    root = Path(sys.argv[1])
    reaper = Reaper([root])
    reaper.group(child.pid)
    for path in sys.argv[2:]:
        reaper.path(Path(path))
    print(child.pid, reaper._process.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_after_kill_9_of_the_owner_nothing_is_left(tmp_path: Path) -> None:
    folder, file = tmp_path / "root" / "run", tmp_path / "root" / "endpoints.json"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("x")
    file.write_text("{}")
    arguments = [str(tmp_path / "root"), str(folder), str(file)]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), *arguments], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        child, reaping = map(int, owner.stdout.readline().split())
        assert _alive(child)
        assert _alive(reaping)
        assert folder.exists()

        owner.send_signal(signal.SIGKILL)
        owner.wait()

    assert eventually(lambda: not _alive(reaping))
    assert not _alive(child), "it ignored SIGTERM, and must be killed"
    assert not folder.exists()
    assert not file.exists()


def test_it_outlives_the_terminal_of_its_owner(tmp_path: Path) -> None:
    watching = Reaper([tmp_path])
    assert os.getsid(watching._process.pid) != os.getsid(0)
    watching.close()
    assert watching._process.returncode == 0


def test_it_removes_nothing_outside_its_roots(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside)
    watching = Reaper([root])
    for path in (outside, root, tmp_path, root / ".." / "outside"):
        watching.path(path)

    watching.close()

    assert outside.exists()
    assert root.exists()


def test_a_group_whose_number_was_used_again_is_left_alone(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = {sleeper.pid: "another process with this number, long ago"}
    monkeypatch.setattr(reaper, "_GRACE", 0.1)

    reaper._end(dict(registered))

    assert sleeper.poll() is None


def test_a_group_that_ended_in_order_is_forgotten(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    watching = Reaper([tmp_path])
    watching.group(sleeper.pid)
    watching.leave(sleeper.pid)

    watching.close()

    time.sleep(0.05)
    assert sleeper.poll() is None


def test_a_registered_group_ends_when_its_owner_is_done(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    watching = Reaper([tmp_path])
    watching.group(sleeper.pid)

    watching.close()

    assert sleeper.wait(timeout=1) == -signal.SIGTERM
