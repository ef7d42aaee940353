"""Execution environments that are ended and made anew (`clock_api`)."""

import time
from typing import Any

_RETIRED = "$RETIRED"  # a qualifier that no invocation can have
_LOOK = 0.05  # seconds of this machine


def retire_workers(grace: float | None) -> int:
    """End every Lambda worker once it is idle, and let no further invocation use it; returns how many there are.

    Those idle now end at once. Those at work end after their invocation, or after `grace` seconds of this machine if
    that is earlier: the invocation then fails as one whose process has died. Until then they stay in ministack's pool,
    under a qualifier that nobody asks for, so that a lost region or a deleted function still takes them with it.
    """
    from ministack.core import concurrency, lambda_runtime
    from ministack.services import lambda_svc

    with lambda_runtime._lock:
        pools = [key for key in lambda_runtime._workers if not key.endswith(f":{_RETIRED}")]
        retired: list[Any] = []
        for key in pools:
            pool = lambda_runtime._workers.pop(key)
            retired += pool
            if busy := [worker for worker in pool if worker.in_use]:
                shelf = f"{key.rpartition(':')[0]}:{_RETIRED}"
                lambda_runtime._workers.setdefault(shelf, []).extend(busy)
    lambda_svc.release_worker(None)  # who waits for a worker may start one now
    if retired:
        concurrency.spawn_background(_end, retired, grace, thread_name="localaws-retire-workers")
    return len(retired)


def _end(workers: list[Any], grace: float | None) -> None:
    from ministack.core import lambda_runtime

    deadline = None if grace is None else time.monotonic() + grace
    while workers:
        with lambda_runtime._lock:
            idle = [worker for worker in workers if not worker.in_use]
            shelves = {key: pool for key, pool in lambda_runtime._workers.items() if key.endswith(f":{_RETIRED}")}
            shelved = [worker for pool in shelves.values() for worker in pool]
            # One that is at work and not there any more has been ended by somebody else, and may never be released.
            workers = [worker for worker in workers if worker.in_use and worker in shelved]
            for key, pool in shelves.items():
                if left := [worker for worker in pool if worker not in idle]:
                    lambda_runtime._workers[key] = left
                else:
                    del lambda_runtime._workers[key]
        lambda_runtime.kill_workers(idle)
        if deadline is not None and time.monotonic() >= deadline:
            for worker in workers:
                # One that is only starting has no process yet; the next look finds it.
                if (process := worker._proc) is not None:
                    process.kill()
        if workers:
            time.sleep(_LOOK)
