"""What a run cost, and what that says of its rate."""

import os
import subprocess
import sys

import psutil
import pytest

from drill.observe import host_usage
from drill.observe.host_usage import DRILL, LAMBDA, OTHER, POSTGRES, SERVER, Sampler, Usage, bounded_by, part_of


@pytest.mark.parametrize(
    ("name", "command", "served", "part"),
    [
        ("python", ["python", "-m", "localaws.server.main", "--log-file", "x"], False, SERVER),
        ("python", ["python", "-m", "localaws", "up"], False, OTHER),
        ("python", ["python", "worker.py"], True, LAMBDA),
        ("python", ["python", "-I", "localaws/core/reaper.py"], True, OTHER),
        ("postgres", ["postgres: walsender"], True, POSTGRES),
        ("python", [], False, OTHER),
    ],
)
def test_a_process_belongs_to_a_part_by_what_was_started(
    name: str, command: list[str], served: bool, part: str
) -> None:
    assert part_of(name, command, served=served) == part


@pytest.mark.parametrize(
    ("machine", "shares", "accepted", "latest", "shed", "said"),
    [
        (0.9, {SERVER: 0.6}, 50.0, 0.0, 0, "the offered rate of 50/s: all of it was accepted"),
        (1.95, {SERVER: 0.99}, 40.0, 0.0, 0, "the machine's processors (1.95 of 2 cores busy)"),
        (1.2, {SERVER: 0.97, LAMBDA: 0.2}, 40.0, 0.0, 0, f"one core: {SERVER} at 97% of a core"),
        (0.4, {SERVER: 0.2}, 40.0, 0.0, 0, "waiting, not processors"),
        (1.0, {DRILL: 0.9}, 40.0, 1.5, 12, "the load generator, which ran up to 1.50 s late"),
        (1.0, {SERVER: 0.5}, 50.0, 0.0, 3, "waiting, not processors"),
    ],
)
def test_what_bounded_the_rate_is_told_from_measurement(
    machine: float, shares: dict[str, float], accepted: float, latest: float, shed: int, said: str
) -> None:
    usage = Usage(seconds=30, cores=2, share_by_part=shares, machine=machine)

    assert bounded_by(usage, rate=50, accepted=accepted, latest=latest, shed=shed).startswith(said)


def test_processor_time_of_a_process_that_has_ended_still_counts() -> None:
    burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint()\ninput()"
    child = subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    running = [psutil.Process(child.pid)]
    sampler = Sampler(lambda: running)
    start = sampler.mark()
    assert child.stdout is not None
    child.stdout.readline()
    sampler.mark()
    child.communicate(b"\n")
    running.clear()

    usage = sampler.usage(start, sampler.mark())

    assert usage.share_by_part[OTHER] * usage.seconds >= 0.2
    assert sampler.peak_processes == 2
    assert sampler.peak_bytes > psutil.Process(os.getpid()).memory_full_info().uss


@pytest.mark.skipif(not hasattr(psutil.Process().memory_full_info(), "pss"), reason="this system tells no shares")
def test_memory_that_processes_share_counts_once() -> None:
    megabytes = 60
    holding = f"import os\nx = bytearray({megabytes} << 20)\nx[::4096] = b'1' * len(x[::4096])\nif os.fork(): print()\n"
    parent = subprocess.Popen(
        [sys.executable, "-c", holding + "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    processes = [psutil.Process(parent.pid), *psutil.Process(parent.pid).children()]

    measured = sum(host_usage.memory_of(process) for process in processes)
    resident = sum(process.memory_info().rss for process in processes)
    parent.communicate(b"\n\n")

    assert resident > 2 * megabytes << 20
    assert megabytes << 20 < measured < 1.5 * megabytes * (1 << 20)
