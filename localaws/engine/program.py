"""Runs one Pulumi program in this process, in a context of its own, without the CLI.

A program needs the process's folder and import path, as under the CLI, so runs take turns; several programs, or one
program many times, can run one after another and do not see each other.
"""

import asyncio
import concurrent.futures
import contextvars
import functools
import gc
import os
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime import mocks, set_all_config, settings, stack
from pulumi.runtime.settings import SETTINGS

from localaws.engine import project as projects
from localaws.engine.monitor import Engine, Monitor, log_engine
from localaws.engine.project import Project

_turn = threading.Lock()


def run(
    project: Project,
    engine: Engine,
    *,
    preview: bool,
    workers: int,
    warn: Callable[[str], None],
    main: Callable[[], object] | None = None,
) -> Monitor:
    """Run `project` (or `main` in its place) to its end; the monitor holds what it registered and exported.

    `workers` registrations are handled at once. Raises what the program or the engine raised, after all
    registrations under way have ended.
    """
    monitor = Monitor(project, engine)

    def body() -> None:
        settings.configure(
            mocks.MockSettings(  # type: ignore[no-untyped-call]
                monitor=monitor,
                monitor_features=set(_features(monitor)),
                engine=log_engine(warn),
                project=project.name,
                stack=project.environment,
                dry_run=preview,
                organization=projects.ORGANIZATION,
                callbacks=None,
                outputs=set(),
                lock=threading.Lock(),
                root_directory=str(project.folder),
            )
        )
        settings.set_root_resource(None)  # type: ignore[arg-type]
        set_all_config(dict(project.config), [])
        with _in_folder(project.folder), _seldom_collecting():
            _run_to_end(lambda: stack.run_in_stack(functools.partial(_execute, project.folder, main)), workers)

    with _turn:
        try:
            contextvars.Context().run(body)
        except Exception as error:
            if error.__cause__ is error:  # Pulumi raises the failure of a registration from itself
                error.__cause__ = None
            raise
    return monitor


def _features(monitor: Monitor) -> list[int]:
    information = monitor.GetDeploymentInfo(empty_pb2.Empty())  # type: ignore[no-untyped-call]
    return list(information.supportedFeatures)


async def _execute(folder: Path, main: Callable[[], object] | None) -> None:
    """Run the program, and wait until nothing it began is under way."""
    if main is not None:
        main()
    else:
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")
    await _quiescence()


async def _quiescence() -> None:
    """Wait for all registrations and outputs, also for those that others lead to; for none after one has failed.

    Pulumi waits as well (`pulumi.runtime.stack.wait_for_rpcs`, which also raises what failed), but it asks every output
    that is left each time one is done: half of the time that the three stacks take to register.
    """
    while True:
        with SETTINGS.lock:
            begun = [*SETTINGS.outputs, *SETTINGS.rpc_manager.rpcs]
        under_way = [each for each in begun if not each.done()]
        if not under_way or any(_failed(each) for each in begun if each.done()):
            return
        await asyncio.wait(under_way, return_when=asyncio.FIRST_EXCEPTION)


def _failed(ended: asyncio.Future[Any]) -> bool:
    return ended.cancelled() or ended.exception() is not None


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """The SDK makes hundreds of objects for each resource, beside the million that its modules hold: at the usual
    thresholds, looking through all of them takes as long as the program itself."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run_to_end(main: Callable[[], Any], workers: int) -> None:
    loop = asyncio.new_event_loop()
    failures: list[str] = []
    # A failed resource fails everything that waits for it; only the first failure, which is raised, tells something.
    loop.set_exception_handler(lambda _, context: failures.append(str(context.get("message"))))
    executor = concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="registration")
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main())
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        waiting = asyncio.all_tasks(loop)
        for task in waiting:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """The program's folder is the working folder and on the import path; its own modules are forgotten afterwards."""
    before, here = set(sys.modules), Path.cwd()
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            source = getattr(sys.modules[name], "__file__", None) or ""
            if source.startswith(f"{folder}{os.sep}"):
                del sys.modules[name]
