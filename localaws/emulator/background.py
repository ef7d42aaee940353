"""Background work: what runs without a request, and execution environments (`background`, `workers`)."""

import contextvars
import functools
import subprocess
import threading
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

PassOn = Callable[[str, str, Callable[[], None]], None]  # from region, to region, what does it


def gate_function_executions(run: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """Pass each execution of a function, whoever starts it, through `run(region, execute)`."""
    from ministack.services import lambda_svc

    execute_function = lambda_svc._execute_function

    def execute(func: dict[str, Any], event: Any) -> dict[str, Any]:
        _, region = lambda_svc._account_region_from_function_config(func.get("config") or func)
        return run(region, lambda: execute_function(func, event))

    lambda_svc._execute_function = execute


def mark_asynchronous_invocations(asynchronous: ContextVar[bool]) -> None:
    """Set `asynchronous` in the threads of invocations that AWS queues: of type Event, and by topics."""
    from ministack.services import lambda_svc, sns

    def marked(invoke: Callable[..., None]) -> Callable[..., None]:
        def invoke_marked(*arguments: Any, **named: Any) -> None:
            token = asynchronous.set(True)
            try:
                invoke(*arguments, **named)  # one copies this context into its thread, the other has a thread already
            finally:
                asynchronous.reset(token)

        return invoke_marked

    lambda_svc.invoke_async_with_retry = marked(lambda_svc.invoke_async_with_retry)
    sns._deliver_to_lambda = marked(sns._deliver_to_lambda)


def skip_event_source_mappings(skipped: Callable[[str], bool]) -> None:
    """Leave out the event source mappings of regions for which `skipped(region)`: their records wait at the source."""
    from ministack.services import lambda_svc

    every = lambda_svc._iter_all_esms

    def some() -> Iterator[tuple[str, str, dict[str, Any]]]:
        return (found for found in every() if not skipped(found[1]))

    lambda_svc._iter_all_esms = some


def gate_event_targets(pass_on: Callable[[str, dict[str, Any], Callable[[], None]], None]) -> None:
    """Pass each delivery of a rule or schedule to a target through `pass_on(region, rule, deliver)`."""
    from ministack.core.responses import get_region
    from ministack.services import eventbridge

    invoke_target = eventbridge._invoke_target

    def gated(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        context = contextvars.copy_context()
        pass_on(get_region(), rule, lambda: context.run(invoke_target, target, event, rule, view))

    eventbridge._invoke_target = gated


def gate_queue_deliveries(pass_on: PassOn) -> None:
    """Pass each delivery of a topic to a queue through `pass_on(topic region, queue region, deliver)`."""
    from ministack.services import sns

    deliver_to_sqs = sns._deliver_to_sqs

    def region(arn: str) -> str:
        return arn.split(":")[3]

    def gated(endpoint: str, *arguments: Any, topic_arn: str, **named: Any) -> None:
        context = contextvars.copy_context()
        deliver = functools.partial(deliver_to_sqs, endpoint, *arguments, topic_arn=topic_arn, **named)
        pass_on(region(topic_arn), region(endpoint), lambda: context.run(deliver))

    sns._deliver_to_sqs = gated


def refuse_new_workers(refused: Callable[[str], bool]) -> None:
    """Kill a Lambda worker that has just started in a region for which `refused(region)`."""
    from ministack.core import lambda_runtime

    spawn = lambda_runtime.Worker._spawn

    def spawn_unless_refused(worker: Any) -> None:
        spawn(worker)
        _, region = lambda_runtime._account_region_from_function_config(worker.config)
        if refused(region):
            worker._proc.kill()
            raise RuntimeError(f"region {region} is lost")

    lambda_runtime.Worker._spawn = spawn_unless_refused


def fork_python_workers(start: Callable[[str, str, dict[str, str]], Any]) -> None:
    """Let `start(script, folder, environment)` start the processes of Python functions, not subprocess.Popen."""
    from ministack.core import lambda_runtime

    def popen(command: list[str], **options: Any) -> Any:
        script = command[-1]
        if len(command) == 2 and script.endswith("_worker.py"):
            return start(script, options["cwd"], options["env"])
        return subprocess.Popen(command, **options)

    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": popen})


def bound_workers(
    *, most: int, starting: int, hesitation: float, patience: float, throttled: Callable[[], None] = lambda: None
) -> None:
    """Give each function at most `most` workers, and throttle early what finds none of them free.

    An execution that finds no free worker waits for one. After `hesitation` seconds it may start one more, as long as
    fewer than `starting` of the function are being started and fewer than `most` exist. It waits `patience` seconds at
    the longest, and no more than `most` executions of a function wait at a time: everything beyond is throttled at
    once, as Lambda throttles what is above a function's concurrency. A longer queue would only serve clients that
    have given up by then. `throttled` is called for each of those.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    acquire, release, spawn = lambda_svc.acquire_worker, lambda_svc.release_worker, lambda_runtime.Worker._spawn
    invalidate = lambda_svc.invalidate_worker
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
            return changed.wait_for(lambda: free(key) or room(key), timeout=patience - hesitation)
        finally:
            waiting[key] -= 1

    def acquire_in_turn(
        func_name: str, config: dict[str, Any], code_zip: bytes, qualifier: str = "$LATEST", **more: Any
    ) -> Any:
        key = lambda_runtime._worker_key(func_name, config, qualifier)
        with changed:
            if not wait_for_one(key):
                throttled()
                return None, "func_cap"
            held.worker, how = acquire(func_name, config, code_zip, qualifier=qualifier, **more)
            return held.worker, how

    def release_and_tell(worker: Any) -> None:
        held.worker = None
        release(worker)
        with changed:
            changed.notify_all()

    def spawn_and_tell(worker: Any) -> None:
        try:
            spawn(worker)
        finally:
            with changed:
                changed.notify_all()

    def invalidate_held(func_name: str, **scope: Any) -> None:
        """An execution whose worker broke ends that one; ministack ends all of the function, also those that start."""
        if (worker := getattr(held, "worker", None)) is None:
            invalidate(func_name, **scope)
            return
        with lambda_runtime._lock:
            for known in lambda_runtime._workers.values():
                if worker in known:
                    known.remove(worker)
        lambda_runtime.kill_workers([worker])

    lambda_svc.acquire_worker, lambda_svc.release_worker = acquire_in_turn, release_and_tell
    lambda_svc.invalidate_worker = invalidate_held
    lambda_runtime.Worker._spawn = spawn_and_tell


HANDLER_ERROR = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
"""What a Python worker answers for a handler's exception, in the script ministack gives to it."""


class _Raised(str):
    """The message of a handler's exception, with the name of its class."""

    kind: str


def keep_workers_whose_handler_raised() -> None:
    """Let a Python worker live on when its handler raises, as on AWS; ministack ends it and starts another one.

    The answer names the exception's class as its errorType, where ministack says Runtime.HandlerError for all.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    named = f'{HANDLER_ERROR[:-1]}, "kind": type(e).__name__}}'
    marked = f'{{"status": "ok", "result": {{"localaws_raised": {named}}}}}'
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function

    def invoke_and_unwrap(worker: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(worker, *arguments, **named)
        result = answer.get("result")
        if isinstance(result, dict) and (raised := result.get("localaws_raised")):
            message = _Raised(raised["error"])
            message.kind = raised.pop("kind")
            return {**answer, **raised, "error": message}
        return answer

    def execute_and_name(func: dict[str, Any], event: Any) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and isinstance(raised := body.get("errorMessage"), _Raised):
            return {**result, "body": {**body, "errorMessage": str(raised), "errorType": raised.kind}}
        return result

    lambda_svc._execute_function = execute_and_name
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(HANDLER_ERROR, marked)
    lambda_runtime.Worker.invoke = invoke_and_unwrap


def add_to_worker_environment(variables: Callable[[str], dict[str, str]]) -> None:
    """Give each Lambda worker `variables(its region)`."""
    from ministack.core import lambda_runtime

    credentials = lambda_runtime.execution_credentials

    def with_variables(config: dict[str, Any]) -> dict[str, str]:
        _, region = lambda_runtime._account_region_from_function_config(config)
        return {**credentials(config), **variables(region)}

    lambda_runtime.execution_credentials = with_variables


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
