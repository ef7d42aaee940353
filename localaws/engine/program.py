"""Runs one Pulumi program in this process, in a context of its own, without the CLI, and records its registrations.

A program needs the process's folder and import path, as under the CLI, so runs take turns; several programs, or one
program many times, can run one after another and do not see each other.
"""

import asyncio
import concurrent.futures
import contextvars
import functools
import gc
import logging
import os
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc, set_all_config, settings, stack
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from localaws.engine import project as projects
from localaws.engine import registration
from localaws.engine.project import Project
from localaws.engine.registration import Registration

REFERENCE = "pulumi:pulumi:StackReference"


class Engine(Protocol):
    """The handler of registrations: the deployment, or the graph."""

    def register(self, resource: Registration) -> tuple[str, dict[str, Any]]: ...

    def invoke(self, token: str, arguments: dict[str, Any], provider: str) -> dict[str, Any]: ...

    def reference(self, name: str) -> tuple[dict[str, Any], list[str]]: ...

    def fail(self, urn: str, code: str, message: str) -> Exception: ...


class Monitor(mocks.MockMonitor):
    """Receives a program's registrations, from several threads, and passes each to the engine."""

    def __init__(self, project: Project, engine: Engine) -> None:
        super().__init__(_Unused())
        self.project = project
        self.engine = engine
        self.registrations: dict[str, Registration] = {}
        self.stack_outputs: dict[str, Any] = {}
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        project = self.project
        resource = registration.read(request, project.stack, project.environment, project.name)
        with self._lock:
            if resource.urn in self.registrations:
                message = f"resource {resource.urn} registered twice; names must differ under one parent"
                raise self.engine.fail(resource.urn, "DuplicateUrn", message)
            self.registrations[resource.urn] = resource
        identity, outputs = self.engine.register(resource) if resource.custom else ("", {})
        resource.outputs.update(outputs | ({"id": identity} if resource.custom else {}))
        answer = _sync_await(rpc.serialize_properties(outputs, {}))
        return resource_pb2.RegisterResourceResponse(urn=resource.urn, id=identity, object=answer)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        with self._lock:
            resource = self.registrations[request.urn]
            resource.outputs.update(outputs)
            if resource.type == registration.STACK:
                self.stack_outputs = outputs
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        urn = registration.make_urn(
            self.project.environment, self.project.name, request.parent, request.type, request.name
        )
        if request.type != REFERENCE:
            raise self.engine.fail(
                urn, "UnknownRead", f"{request.type}: existing resources are not read here, only stack references"
            )
        outputs, secrets = self.engine.reference(request.id)
        state = {"name": request.id, "outputs": outputs, "secretOutputNames": secrets}
        answer = _sync_await(rpc.serialize_properties(state, {}))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=answer)

    def Invoke(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        arguments = rpc.deserialize_properties(request.args)
        result = self.engine.invoke(request.tok, arguments, request.provider.rpartition("::")[0])
        answer = _sync_await(rpc.serialize_properties(result, {}))
        fields: dict[str, Any] = {"return": answer}  # a word that Python keeps for itself
        return resource_pb2.ResourceInvokeResponse(**fields)

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: ARG002
        raise self.engine.fail("", "Unsupported", "stack transforms are not run here; use component arguments")

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: ARG002
        raise self.engine.fail("", "Unsupported", "invoke transforms are not run here")


class _Unused(mocks.Mocks):
    """The base class requires mocks; every method that would call them is replaced above."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"{args.typ} bypassed the engine")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"{args.token} bypassed the engine")


def log_engine(write: Callable[[str], None]) -> mocks.MockEngine:
    """An engine service that hands the program's `pulumi.log` warnings and errors to `write`."""
    logger = logging.Logger("pulumi", logging.WARNING)
    handler = logging.Handler()
    handler.emit = lambda record: write(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    return mocks.MockEngine(logger)


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
    # A failed resource fails everything that waits for it; only the first failure, which is raised, is informative.
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
