"""Lambda: executions, event source mappings, and execution environments (workers)."""

import subprocess
import threading
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Protocol

from localaws.emulator.patches import patch, patch_value

_RETIRED = "$RETIRED"  # a qualifier that no invocation can have
_POLL = 0.05  # seconds of this machine


def gate_function_executions(run: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """Pass each execution of a function, through `run(region, execute)`."""
    from ministack.services import lambda_svc

    def execute(execute_function: Any, func: dict[str, Any], event: Any) -> dict[str, Any]:
        _, region = lambda_svc._account_region_from_function_config(func.get("config") or func)
        return run(region, lambda: execute_function(func, event))

    patch("services.lambda_svc:_execute_function", execute)


class Pools(Protocol):
    """Admits executions to pools of limited width."""

    def enter(self, region: str, function: str, reserved: int | None) -> tuple[str, str] | None: ...

    def leave(self, pool: tuple[str, str]) -> None: ...


def limit_concurrency(pools: Pools) -> None:
    """Throttle an execution that `pools` does not admit; `reserved` is its function's reservation."""
    from ministack.services import lambda_svc

    admitted: dict[str, list[tuple[str, str]]] = {}  # pools of the executions under way, by ministack's own key

    def acquire(acquire_slot: Any, func: dict[str, Any], config: dict[str, Any]) -> Any:
        _, region = lambda_svc._account_region_from_function_config(config)
        reserved = lambda_svc._reserved_concurrency(func, config)
        pool = pools.enter(region, str(config.get("FunctionName")), reserved)
        if pool is None:
            return None, "account" if reserved is None else "function"
        key, limit = acquire_slot(func, config)
        if key is None:
            pools.leave(pool)
        else:
            admitted.setdefault(key, []).append(pool)
        return key, limit

    def release(release_slot: Any, key: str) -> None:
        release_slot(key)
        # Which of them ends does not matter, unless a reservation has just been made: then it is the older pool's.
        if of_key := admitted.get(key):
            pools.leave(of_key.pop(0))

    patch("services.lambda_svc:_acquire_execution_slot", acquire)
    patch("services.lambda_svc:_release_execution_slot", release)


def check_reservations(limit: int, least_unreserved: int) -> None:
    """Refuse a reservation that leaves less than `least_unreserved` of the account's `limit` in a region."""
    from ministack.services import lambda_svc

    def put(put_concurrency: Any, name: str, data: dict[str, Any]) -> Any:
        others = sum(
            int(lambda_svc._functions[each].get("concurrency") or 0) for each in lambda_svc._functions if each != name
        )
        if others + int(data.get("ReservedConcurrentExecutions", 0)) > limit - least_unreserved:
            message = (
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{least_unreserved}]."
            )
            return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)
        return put_concurrency(name, data)

    patch("services.lambda_svc:_put_function_concurrency", put)


def mark_asynchronous_invocations(asynchronous: ContextVar[bool]) -> None:
    """Set `asynchronous` in the threads of invocations that AWS queues: of type Event, and by topics."""

    def marked(invoke: Any, *arguments: Any, **named: Any) -> None:
        token = asynchronous.set(True)
        try:
            invoke(*arguments, **named)  # one copies this context into its thread, the other has a thread already
        finally:
            asynchronous.reset(token)

    patch("services.lambda_svc:invoke_async_with_retry", marked)
    patch("services.sns:_deliver_to_lambda", marked)


def skip_event_source_mappings(skipped: Callable[[str], bool]) -> None:
    """Leave out the event source mappings of regions for which `skipped(region)`: their records wait at the source."""

    def some(every: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
        return (found for found in every() if not skipped(found[1]))

    patch("services.lambda_svc:_iter_all_esms", some)


def refuse_new_workers(refused: Callable[[str], bool]) -> None:
    """Kill a Lambda worker that has just started in a region for which `refused(region)`."""
    from ministack.core import lambda_runtime

    def spawn_unless_refused(spawn: Any, worker: Any) -> None:
        spawn(worker)
        _, region = lambda_runtime._account_region_from_function_config(worker.config)
        if refused(region):
            worker._proc.kill()
            raise RuntimeError(f"region {region} is lost")

    patch("core.lambda_runtime:Worker._spawn", spawn_unless_refused)


def fork_python_workers(start: Callable[[str, str, dict[str, str]], Any]) -> None:
    """Let `start(script, folder, environment)` start the processes of Python functions, not subprocess.Popen."""

    def popen(command: list[str], **options: Any) -> Any:
        script = command[-1]
        if len(command) == 2 and script.endswith("_worker.py"):
            return start(script, options["cwd"], options["env"])
        return subprocess.Popen(command, **options)

    patch_value("core.lambda_runtime:subprocess", lambda real: types.SimpleNamespace(**{**vars(real), "Popen": popen}))


def bound_workers(
    *, most: int, starting: int, hesitation: float, timeout: float, throttled: Callable[[], None] = lambda: None
) -> None:
    """Give each function at most `most` workers, and throttle early what finds none of them free.

    An execution that finds no free worker waits for one. After `hesitation` seconds it may start one more, as long as
    fewer than `starting` of the function are being started and fewer than `most` exist. It waits `timeout` seconds at
    the longest, and no more than `most` executions of a function wait at a time: everything beyond is throttled at
    once, as Lambda throttles what is above a function's concurrency. A longer queue would only serve clients that
    have given up by then. `throttled` is called for each of those.
    """
    from ministack.core import lambda_runtime

    changed = threading.Condition()
    waiting: Counter[str] = Counter()
    held = threading.local()

    def workers(key: str) -> list[Any]:
        with lambda_runtime._lock:
            return list(lambda_runtime._workers.get(key, ()))

    def free(key: str) -> bool:
        return any(not worker.in_use for worker in workers(key))

    def room(key: str) -> bool:
        known = workers(key)
        return len(known) < most and sum(worker._start_time is None for worker in known) < starting

    def wait_for_one(key: str) -> bool:
        """Whether a worker of `key` is free or may be started, in time. Holds `changed`."""
        if free(key) or not workers(key):
            return True
        if waiting[key] >= most:
            return False
        waiting[key] += 1
        try:
            if changed.wait_for(lambda: free(key) or not workers(key), timeout=hesitation):
                return True
            return changed.wait_for(lambda: free(key) or room(key), timeout=timeout - hesitation)
        finally:
            waiting[key] -= 1

    def acquire_in_turn(
        acquire: Any, func_name: str, config: dict[str, Any], code_zip: bytes, qualifier: str = "$LATEST", **more: Any
    ) -> Any:
        key = lambda_runtime._worker_key(func_name, config, qualifier)
        with changed:
            if not wait_for_one(key):
                throttled()
                return None, "func_cap"
            held.worker, how = acquire(func_name, config, code_zip, qualifier=qualifier, **more)
            return held.worker, how

    def release_and_notify(release: Any, worker: Any) -> None:
        held.worker = None
        release(worker)
        with changed:
            changed.notify_all()

    def spawn_and_notify(spawn: Any, worker: Any) -> None:
        try:
            spawn(worker)
        finally:
            with changed:
                changed.notify_all()

    def invalidate_held(invalidate: Any, func_name: str, **scope: Any) -> None:
        """An execution whose worker broke ends that one; ministack ends all of the function, also those that start."""
        if (worker := getattr(held, "worker", None)) is None:
            invalidate(func_name, **scope)
            return
        with lambda_runtime._lock:
            for known in lambda_runtime._workers.values():
                if worker in known:
                    known.remove(worker)
        lambda_runtime.kill_workers([worker])

    patch("services.lambda_svc:acquire_worker", acquire_in_turn)
    patch("services.lambda_svc:release_worker", release_and_notify)
    patch("services.lambda_svc:invalidate_worker", invalidate_held)
    patch("core.lambda_runtime:Worker._spawn", spawn_and_notify)


HANDLER_ERROR = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
"""The response of a Python worker to a handler's exception, in the script that ministack runs in it."""


class _Raised(str):
    """The message of a handler's exception, with the name of its class."""

    kind: str


def keep_workers_whose_handler_raised() -> None:
    """Let a Python worker live on when its handler raises, as on AWS; ministack ends it and starts another one.

    The answer names the exception's class as its errorType, where ministack has Runtime.HandlerError for all.
    """
    named = f'{HANDLER_ERROR[:-1]}, "kind": type(e).__name__}}'
    marked = f'{{"status": "ok", "result": {{"localaws_raised": {named}}}}}'

    def invoke_and_unwrap(invoke: Any, worker: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(worker, *arguments, **named)
        result = answer.get("result")
        if isinstance(result, dict) and (raised := result.get("localaws_raised")):
            message = _Raised(raised["error"])
            message.kind = raised.pop("kind")
            return {**answer, **raised, "error": message}
        return answer

    def execute_and_name(execute: Any, func: dict[str, Any], event: Any) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and isinstance(raised := body.get("errorMessage"), _Raised):
            return {**result, "body": {**body, "errorMessage": str(raised), "errorType": raised.kind}}
        return result

    patch("services.lambda_svc:_execute_function", execute_and_name)
    patch_value("core.lambda_runtime:_PYTHON_WORKER_SCRIPT", lambda script: script.replace(HANDLER_ERROR, marked))
    patch("core.lambda_runtime:Worker.invoke", invoke_and_unwrap)


def add_to_worker_environment(variables: Callable[[str], dict[str, str]]) -> None:
    """Give each Lambda worker `variables(its region)`."""
    from ministack.core import lambda_runtime

    def with_variables(credentials: Any, config: dict[str, Any]) -> dict[str, str]:
        _, region = lambda_runtime._account_region_from_function_config(config)
        return {**credentials(config), **variables(region)}

    patch("core.lambda_runtime:execution_credentials", with_variables)


def kill_workers(region: str | None = None) -> None:
    """Kill the Lambda workers of a region, or all of them, at once. A thread of its own collects them."""
    from ministack.core import concurrency, lambda_runtime

    with lambda_runtime._lock:
        keys = [key for key in lambda_runtime._workers if region in (None, key.split(":")[1])]
        doomed = [worker for key in keys for worker in lambda_runtime._workers.pop(key)]
    for worker in doomed:
        if (process := worker._proc) is not None:
            process.kill()
    if doomed:
        concurrency.spawn_background(lambda_runtime.kill_workers, doomed, thread_name="localaws-collect-workers")


def retire_workers(grace: float | None) -> int:
    """End every Lambda worker once it is idle, and let no further invocation use it; returns how many there are.

    Those idle now end at once. Those at work end after their invocation, or after `grace` seconds of this machine if
    that is earlier: the invocation then fails as one whose process has died. Until then they stay in ministack's pool,
    under a qualifier that no invocation has, so that a lost region or a deleted function takes them with it.
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
        concurrency.spawn_background(_end_workers, retired, grace, thread_name="localaws-retire-workers")
    return len(retired)


def _end_workers(workers: list[Any], grace: float | None) -> None:
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
                # One that is only starting has no process yet; the next round finds it.
                if (process := worker._proc) is not None:
                    process.kill()
        if workers:
            time.sleep(_POLL)
