"""Runs one Pulumi program in this process, in a context of its own, without the CLI.

A program needs the process's folder and import path, as under the CLI, so runs take turns; several programs, or one
program many times, can run one after another and do not see each other.
"""

import asyncio
import concurrent.futures
import contextvars
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

from localaws.runner import project as projects
from localaws.runner.monitor import Engine, Monitor, log_engine
from localaws.runner.project import Project

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
        with _in_folder(project.folder):
            _run_to_end(lambda: stack.run_in_stack(lambda: _execute(project.folder, main)), workers)

    with _turn:
        contextvars.Context().run(body)
    return monitor


def _features(monitor: Monitor) -> list[int]:
    information = monitor.GetDeploymentInfo(empty_pb2.Empty())  # type: ignore[no-untyped-call]
    return list(information.supportedFeatures)


def _execute(folder: Path, main: Callable[[], object] | None) -> None:
    """Returns nothing, since Pulumi would await what a program returns."""
    if main is not None:
        main()
        return
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


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
