"""Starvation as an account of time, and the scheduler's own figures of real processes."""

import os
import subprocess
import sys
import time

import pytest

from drill.starvation import RunQueueWaits, Starvation


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


def test_nothing_is_known_before_the_first_look() -> None:
    assert Starvation().within(0, 100) == 0.0


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this system keeps no account of run queues")
def test_processes_that_share_one_processor_wait_for_it() -> None:
    """Two that never sleep on one processor: each is ready and waits for about half of the time."""
    processor = min(os.sched_getaffinity(0))
    spin = f"import os\nos.sched_setaffinity(0, {{{processor}}})\nprint(flush=True)\nwhile True: pass"
    spinning = [subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in spinning:
            assert process.stdout is not None
            process.stdout.readline()
        waits, pids = RunQueueWaits(), [process.pid for process in spinning]
        waits.since_last_look(pids)
        began = time.monotonic()
        time.sleep(1)
        waited = waits.since_last_look(pids)
        passed = time.monotonic() - began
    finally:
        for process in spinning:
            process.kill()
            process.communicate()

    assert 0.3 * passed <= waited <= 1.1 * passed


def test_a_process_that_is_gone_counts_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    waits = RunQueueWaits()

    assert waits.since_last_look([ended.pid]) == 0.0
    assert 0.0 <= waits.since_last_look([ended.pid]) < 1.0, "nothing but what the hypervisor took"
