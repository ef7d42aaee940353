"""The server process of the embedded AWS: `python -m localaws.server.main SETTINGS`, which `localaws.launch` starts.

It makes a run folder, an environment of its own and a reaper, loads the emulator, puts `EmbeddedAws` in front of it,
and serves until it is stopped: by signal, by the control API, or because its owner is gone. It leaves nothing behind.
"""

import asyncio
import functools
import json
import logging
import logging.handlers
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from localaws import emulator
from localaws.core import environment, http_server
from localaws.core.call_recorder import CallApi, RecordedCalls
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Outages
from localaws.core.reaper import Reaper
from localaws.core.routing import APPLICATION_ID
from localaws.core.saturation import Saturation
from localaws.launch import Settings
from localaws.server.app import EmbeddedAws
from localaws.server.background import BackgroundWork
from localaws.server.control_api import ClockApi, FaultApi, TableApi
from localaws.services.component import Component
from localaws.services.lambda_.concurrency import Concurrency
from localaws.services.lambda_.fork_server import ForkServer
from localaws.services.lambda_.streams import StreamMappings
from localaws.services.replication import DEFAULT_LAGS, GlobalTables, Replication
from localaws.services.schedules import Schedules
from localaws.services.stepfunctions import Workflows

_LOG_BYTES = 5_000_000
_INVOCATION_WAIT = 0.5
"""Seconds of this machine. Lambda throttles at once; here a worker may be about to be free, or is being started."""

logger = logging.getLogger("localaws.server.main")  # not __name__, which is __main__ here


class Server:
    """One embedded AWS in this process. ministack keeps its state in modules, so there can be no second one."""

    def __init__(self, settings: Settings, run_directory: Path, reaper: Reaper) -> None:
        self._settings = settings
        self._listener = http_server.loopback_socket(0)
        self.port: int = self._listener.getsockname()[1]
        environment.apply(run_directory, self.port, settings.regions[0])
        if "ministack" in sys.modules:
            raise RuntimeError(
                "ministack was imported before its environment was set; import it through localaws.emulator"
            )
        self._fork_server: ForkServer | None = None
        if ForkServer.available:
            self._fork_server = ForkServer()
            reaper.group(self._fork_server.group)
            emulator.lambda_.fork_python_workers(self._fork_server.start)
        self._outages = Outages(tuple(settings.regions))
        self._clock = Clock(settings.speed)
        self._calls = RecordedCalls()
        self._streams = StreamMappings(self._clock, self._outages)
        self._schedules = Schedules(self._clock)
        self._reaper = reaper
        self._saturation = Saturation()
        self._data_directory = run_directory / "data"

    async def run(self) -> None:
        """Serve until stopped."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        control = Control(self._clock, self._outages, stop.set)
        FaultApi(self._outages).install(control)
        CallApi(self._calls).install(control)
        TableApi(self._outages.regions).install(control)
        files = [Path(path) for path in self._settings.remove_at_end]
        ClockApi(self._clock, files, self._schedules.restart).install(control)
        replication = self._replication(control)
        components = self._components(replication)
        for component in components:
            component.install(control)
        app = EmbeddedAws(emulator.requests.emulator(), self._outages, control, self._calls)
        server = http_server.server(app)
        serving = asyncio.create_task(server.serve(sockets=[self._listener]))
        await _started(server, serving)
        for number in (signal.SIGTERM, signal.SIGINT):  # in place of uvicorn's, which would end without our cleaning
            loop.add_signal_handler(number, stop.set)
        if self._settings.owner is not None:
            _watch(self._settings.owner, functools.partial(loop.call_soon_threadsafe, stop.set))
        await replication.start()
        calls_functions = self._settings.profile != "control-plane"
        if calls_functions:
            self._streams.start()
            await self._schedules.start()
        for component in components:
            await component.start()
        _report(self._settings, {"port": self.port})
        logger.info("event=server_started regions=%s port=%d", ", ".join(self._outages.regions), self.port)

        await stop.wait()
        app.refusals.stop()
        if calls_functions:
            await self._schedules.stop()
            self._streams.stop()
        emulator.lambda_.kill_workers()
        if self._fork_server:
            self._fork_server.close()
        server.should_exit = True
        for component in reversed(components):
            await component.stop()
        await replication.stop()
        await serving

    def _components(self, replication: Replication) -> list[Component]:
        if self._settings.profile == "minimal":
            return []
        from localaws.server import assembly

        return assembly.components(
            self._clock,
            self._outages,
            replication,
            self._reaper,
            self._saturation,
            http_port=self.port,
            data_directory=self._data_directory,
            nlb_tail=self._settings.nlb_tail,
            started=self._settings.profile == "full",
        )

    def _replication(self, control: Control) -> Replication:
        lags = {kind: lag / 1000 for kind, lag in self._settings.lags_ms.items()}
        replication = Replication(self._clock, self._outages, {**DEFAULT_LAGS, **lags})
        control.section("replication", replication.status)
        emulator.requests.serve_unsigned_calls_by_region()
        emulator.requests.route_unknown_services_quickly()
        emulator.lambda_.add_to_worker_environment(_worker_environment)
        emulator.lambda_.keep_workers_whose_handler_raised()
        # AWS starts an execution environment for every call that finds none free. Here that is a process of 45 MB and a
        # second of CPU: a burst of health probes on a busy machine would start dozens, each making the others slower.
        emulator.lambda_.bound_workers(
            most=8,
            starting=2,
            hesitation=0.05,
            timeout=_INVOCATION_WAIT,
            throttled=self._saturation.throttled,
        )
        Concurrency(self._outages.regions).install(control)
        BackgroundWork(self._clock, self._outages, replication).install()
        self._streams.install()
        self._schedules.install(control)
        Workflows(self._clock, self._calls).install(control)
        GlobalTables(replication).install()
        emulator.replication.intercept_bucket_replication(functools.partial(replication.send, "s3"))
        emulator.replication.intercept_secret_replication(functools.partial(replication.send, "secrets"))
        return replication


def _worker_environment(region: str) -> dict[str, str]:
    """Variables beside ministack's: the function's region, for `core.routing`, and how it is initialised."""
    return {"AWS_SDK_UA_APP_ID": f"{APPLICATION_ID}{region}", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


def _report(settings: Settings, result: dict[str, Any]) -> None:
    """Report to the process that waits for this server how its start went."""
    if settings.ready is not None:
        with os.fdopen(os.dup(settings.ready), "w") as pipe:
            pipe.write(json.dumps(result) + "\n")


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the HTTP server ended before it was ready; see its log")
        await asyncio.sleep(0.01)


def _watch(owner: int, gone: Callable[[], object]) -> None:
    """Call `gone` when the other end of the pipe `owner` is closed."""

    def wait() -> None:
        while os.read(owner, 1):
            pass
        gone()

    threading.Thread(target=wait, daemon=True, name="owner").start()


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("localaws").setLevel(logging.INFO)


def main(settings: Settings) -> None:
    _log_to(Path(settings.log_file))
    environment.collect_rarely()
    if os.getpgid(0) != os.getpid():
        os.setpgid(0, 0)  # workers share the group, so that the reaper can end them all at once
    run_directory = environment.new_run_directory()
    remove_at_end = [Path(path) for path in settings.remove_at_end]
    reaper = Reaper([run_directory.parent, *(path.parent for path in remove_at_end)])
    code = 1
    try:
        for path in (run_directory, *remove_at_end):
            reaper.path(path)
        reaper.group(os.getpid())
        try:
            server = Server(settings, run_directory, reaper)
            asyncio.Runner().run(server.run())
            code = 0
        except Exception as failure:
            logger.exception("event=server_failed")
            _report(settings, {"error": f"{type(failure).__name__}: {failure}"})
    finally:
        logging.shutdown()
        reaper.leave(os.getpid())
        reaper.close()  # removes the paths
        # The emulator's threads wait without end, and a normal exit would wait for them.
        os._exit(code)


if __name__ == "__main__":
    main(Settings(**json.loads(sys.argv[1])))
