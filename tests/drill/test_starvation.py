"""Starvation as an account of time, and the scheduler's own figures of real processes."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from drill.observe.starvation import OtherPrograms, RunQueueWaits, Starvation, Waits


def test_time_is_counted_between_any_two_moments() -> None:
    starvation = Starvation()
    starvation.add(10, 11, 0.0)
    starvation.add(11, 12, 0.5)
    starvation.add(12, 14, 1.0)

    assert starvation.within(0, 100) == 1.5
    assert starvation.within(11, 12) == 0.5
    assert starvation.within(11.5, 13) == pytest.approx(0.25 + 0.5)
    assert starvation.share(12, 14) == 0.5
    assert starvation.share(14, 14) == 0.0


def test_waits_of_several_threads_are_never_more_than_the_time_that_passed() -> None:
    starvation = Starvation()
    starvation.add(0, 1, 7.5)
    starvation.add(1, 2, -0.1)

    assert starvation.within(0, 2) == 1.0


def test_nothing_is_known_before_the_first_observation() -> None:
    assert Starvation().within(0, 100) == 0.0


@pytest.mark.parametrize(
    ("taken", "starved"),
    [
        pytest.param(0.0, 0.2, id="nobody else was there: the longest wait alone"),
        pytest.param(0.1, 0.2, id="somebody was, for less than the longest wait"),
        pytest.param(0.7, 0.7, id="as long as somebody else had the processors"),
        pytest.param(2.0, 0.9, id="never more than was waited"),
    ],
)
def test_other_programs_are_to_blame_for_what_they_took(taken: float, starved: float) -> None:
    assert Waits(longest=0.2, total=0.9).starved(taken) == starved


@contextlib.contextmanager
def spinning(count: int) -> Iterator[list[int]]:
    """Process ids of programs that never sleep, all on one processor."""
    processor = min(os.sched_getaffinity(0))
    spin = f"import os\nos.sched_setaffinity(0, {{{processor}}})\nprint(flush=True)\nwhile True: pass"
    processes = [subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


linux = pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this system keeps no account")


@linux
def test_processes_that_share_one_processor_wait_for_it() -> None:
    """Two that never sleep on one processor: each is ready and waits for about half of the time."""
    with spinning(2) as pids:
        waits = RunQueueWaits()
        waits.since_last_sample(pids)
        began = time.monotonic()
        time.sleep(1)
        waited = waits.since_last_sample(pids)
        passed = time.monotonic() - began

    assert 0.3 * passed <= waited.longest <= 1.1 * passed
    assert 0.8 * passed <= waited.total <= 2.2 * passed


@linux
@pytest.mark.stack  # it measures this machine
def test_a_program_that_is_not_ours_is_seen_and_one_that_is_ours_is_not() -> None:
    with spinning(1) as [pid]:
        stranger, ours = OtherPrograms(), OtherPrograms()
        began, spent = time.monotonic(), psutil.Process(pid).cpu_times().user
        for _ in range(6):
            time.sleep(0.2)
            seen = stranger.share([os.getpid()]), ours.share([os.getpid(), pid])
        cores = (psutil.Process(pid).cpu_times().user - spent) / (time.monotonic() - began)

    assert seen[0] - seen[1] > 0.5 * cores - 0.1, "a machine that is busy otherwise gives it less than a processor"


def test_a_process_that_is_gone_counts_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    waits = RunQueueWaits()

    assert waits.since_last_sample([ended.pid]).total == 0.0
    assert 0.0 <= waits.since_last_sample([ended.pid]).total < 1.0, "nothing but what the hypervisor took"
