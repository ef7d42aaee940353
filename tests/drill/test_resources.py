"""The resources that a run used, and their effect on its rate."""

import os
import subprocess
import sys

import psutil
import pytest

from drill.observe import host_usage
from drill.observe.host_usage import Sampler, Usage, bounded_by


@pytest.mark.parametrize(
    ("machine", "accepted", "latest", "shed", "sentence"),
    [
        (0.9, 50.0, 0.0, 0, "the offered rate of 50/s, all of which was accepted"),
        (1.95, 40.0, 0.0, 0, "the machine's processors (1.95 of 2 cores busy)"),
        (0.4, 40.0, 0.0, 0, "waiting, not processors"),
        (1.0, 40.0, 1.5, 12, "the load generator, which ran up to 1.50 s late"),
        (1.0, 50.0, 0.0, 3, "waiting, not processors"),
    ],
)
def test_what_bounded_the_rate_follows_from_measurement(
    machine: float, accepted: float, latest: float, shed: int, sentence: str
) -> None:
    usage = Usage(seconds=30, cores=2, machine=machine)

    assert bounded_by(usage, rate=50, accepted=accepted, latest=latest, shed=shed).startswith(sentence)


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

    assert usage.embedded_aws * usage.seconds >= 0.2
    assert sampler.peak_processes == 2
    assert sampler.peak_bytes > psutil.Process(os.getpid()).memory_full_info().uss


@pytest.mark.skipif(not hasattr(psutil.Process().memory_full_info(), "pss"), reason="no shared memory sizes")
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
