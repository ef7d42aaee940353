"""The server process of the embedded AWS: `python -m localaws.server.main`. Others start it through
`localaws.process.launch`.

It makes a run folder, an environment of its own and a reaper, loads the emulator, puts the gate in front of it, and
serves until it is told to stop: by signal, by the control API, or because its owner is gone. It leaves nothing behind.
"""

import argparse
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from localaws import emulator
from localaws.core import environment, http_server
from localaws.core.call_recorder import CallApi, RecordedCalls
from localaws.core.clock import Clock
from localaws.core.control import Control
from localaws.core.outages import Gate
from localaws.core.reaper import Reaper
from localaws.core.routing import APPLICATION_ID
from localaws.core.saturation import Saturation
from localaws.server.app import EmbeddedAws
from localaws.server.assembly import ServerContext, no_parts, standard_parts, still_parts
from localaws.server.background import BackgroundWork
from localaws.server.clock_api import ClockApi
from localaws.server.fault_api import FaultApi
from localaws.services.component import Component
from localaws.services.lambda_.fork_server import ForkServer
from localaws.services.lambda_.streams import StreamMappings
from localaws.services.replication import DEFAULT_LAGS, GlobalTables, Replication
from localaws.services.schedules import Schedules
from localaws.services.stepfunctions import Workflows

_LOG_BYTES = 5_000_000
INVOCATION_WAIT = 0.5
"""Seconds of this machine. Lambda throttles at once; here a worker may be about to be free, or is being started."""

MakeParts = Callable[[ServerContext], list[Component]]
_PARTS: dict[str, MakeParts] = {"standard": standard_parts, "still": still_parts, "none": no_parts}

logger = logging.getLogger("localaws.server.main")  # not __name__, which is __main__ here


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a server is started with. `owner` is a file descriptor whose end of file means that the owner is gone."""

    port: int
    speed: float
    regions: tuple[str, ...]
    lags: dict[str, float]  # AWS seconds by kind of replication
    invocation_wait: float  # seconds of this machine that an invocation waits for a worker before it is throttled
    log_file: Path
    data_directory: Path | None
    remove_at_end: tuple[Path, ...]
    ready: int | None
    owner: int | None


class Server:
    """One embedded AWS in this process. ministack keeps its state in modules, so there can be no second one."""

    def __init__(self, settings: Settings, run_directory: Path, reaper: Reaper) -> None:
        self._settings = settings
        self._listener = http_server.loopback_socket(settings.port)
        self.port: int = self._listener.getsockname()[1]
        environment.apply(run_directory, self.port, settings.regions[0])
        if "ministack" in sys.modules:
            raise RuntimeError("a module imported ministack before its environment was set; import it through hooks")
        self._fork_server: ForkServer | None = None
        if ForkServer.available:
            self._fork_server = ForkServer()
            reaper.group(self._fork_server.group)
            emulator.lambda_.fork_python_workers(self._fork_server.start)
        self._gate = Gate(settings.regions)
        self._clock = Clock(settings.speed)
        self._calls = RecordedCalls()
        self._streams = StreamMappings(self._clock, self._gate)
        self._schedules = Schedules(self._clock)
        self._reaper = reaper
        self._saturation = Saturation()
        self._data_directory = settings.data_directory or run_directory / "data"

    async def run(self, make_parts: MakeParts) -> None:
        """Serve until told to stop."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        control = Control(self._clock, self._gate, stop.set)
        FaultApi(self._gate).install(control)
        CallApi(self._calls).install(control)
        ClockApi(self._clock, self._settings.remove_at_end, self._schedules.restart).install(control)
        replication = self._replication(control)
        parts = make_parts(
            ServerContext(
                clock=self._clock,
                gate=self._gate,
                reaper=self._reaper,
                replication=replication,
                http_port=self.port,
                data_directory=self._data_directory,
                saturation=self._saturation,
            )
        )
        for part in parts:
            part.install(control)
        app = EmbeddedAws(emulator.requests.emulator(), self._gate, control, self._calls)
        server = http_server.server(app)
        serving = asyncio.create_task(server.serve(sockets=[self._listener]))
        await _started(server, serving)
        for number in (signal.SIGTERM, signal.SIGINT):  # in place of uvicorn's, which would end without our cleaning
            loop.add_signal_handler(number, stop.set)
        if self._settings.owner is not None:
            _watch(self._settings.owner, functools.partial(loop.call_soon_threadsafe, stop.set))
        await replication.start()
        calls_functions = make_parts is not still_parts
        if calls_functions:
            self._streams.start()
            await self._schedules.start()
        for part in parts:
            await part.start()
        _tell(self._settings, {"port": self.port})
        logger.info("serving %s on port %d", ", ".join(self._gate.regions), self.port)

        await stop.wait()
        app.refusals.stop()
        if calls_functions:
            await self._schedules.stop()
            self._streams.stop()
        emulator.lambda_.kill_workers()
        if self._fork_server:
            self._fork_server.close()
        server.should_exit = True
        for part in reversed(parts):
            await part.stop()
        await replication.stop()
        await serving

    def _replication(self, control: Control) -> Replication:
        replication = Replication(self._clock, self._gate, self._settings.lags)
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
            patience=self._settings.invocation_wait,
            throttled=self._saturation.throttled,
        )
        BackgroundWork(self._gate, replication).install()
        self._streams.install()
        self._schedules.install(control)
        Workflows(self._clock, self._calls).install(control)
        GlobalTables(replication).install()
        emulator.replication.intercept_bucket_replication(functools.partial(replication.send, "s3"))
        emulator.replication.intercept_secret_replication(functools.partial(replication.send, "secrets"))
        return replication


def _worker_environment(region: str) -> dict[str, str]:
    """What a function finds beside what ministack gives it: who it is to the gate, and that Lambda initialises it."""
    return {"AWS_SDK_UA_APP_ID": f"{APPLICATION_ID}{region}", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


def _tell(settings: Settings, news: dict[str, Any]) -> None:
    """Tell the process that waits for this server how its start went."""
    if settings.ready is not None:
        with os.fdopen(os.dup(settings.ready), "w") as pipe:
            pipe.write(json.dumps(news) + "\n")


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the HTTP server ended before it was ready; its log says why")
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


def _arguments(arguments: list[str] | None) -> tuple[Settings, MakeParts]:
    parser = argparse.ArgumentParser(prog="python -m localaws.server.main", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="AWS seconds in a second of this machine")
    parser.add_argument("--regions", default="us-east-1,us-east-2", help="the first serves unsigned calls")
    for kind, lag in DEFAULT_LAGS.items():
        parser.add_argument(f"--{kind}-lag-ms", type=float, default=1000 * lag, help="replication lag, AWS ms")
    parser.add_argument(
        "--invocation-wait",
        type=float,
        default=INVOCATION_WAIT,
        help="seconds that an invocation waits for a worker before it is throttled",
    )
    parser.add_argument("--log-file", type=Path, default=Path("build/local/server.log"))
    parser.add_argument("--data-dir", type=Path, help="where databases live; in the run folder if not given")
    parser.add_argument("--remove-at-end", type=Path, action="append", default=[], help="a file that tells of this run")
    parser.add_argument("--ready-fd", type=int, help="told {port, pid} or {error} as a line of JSON")
    parser.add_argument("--owner-fd", type=int, help="the server stops when this pipe ends")
    parser.add_argument(
        "--parts",
        choices=_PARTS,
        default="standard",
        help="standard: everything; still: every API, and nothing that happens by itself; none: the emulator alone",
    )
    given = parser.parse_args(arguments)
    settings = Settings(
        port=given.port,
        speed=given.speed,
        regions=tuple(given.regions.split(",")),
        invocation_wait=given.invocation_wait,
        lags={kind: getattr(given, f"{kind}_lag_ms") / 1000 for kind in DEFAULT_LAGS},
        log_file=given.log_file.resolve(),
        data_directory=given.data_dir.resolve() if given.data_dir else None,
        remove_at_end=tuple(path.resolve() for path in given.remove_at_end),
        ready=given.ready_fd,
        owner=given.owner_fd,
    )
    return settings, _PARTS[given.parts]


def main(arguments: list[str] | None = None) -> None:
    settings, make_parts = _arguments(arguments)
    _log_to(settings.log_file)
    environment.collect_rarely()
    if os.getpgid(0) != os.getpid():
        os.setpgid(0, 0)  # workers share the group, so that the reaper can end them all at once
    run_directory = environment.new_run_directory()
    reaper = Reaper([run_directory.parent, *(path.parent for path in settings.remove_at_end)])
    code = 1
    try:
        for path in (run_directory, *settings.remove_at_end):
            reaper.path(path)
        reaper.group(os.getpid())
        try:
            server = Server(settings, run_directory, reaper)
            asyncio.Runner().run(server.run(make_parts))
            code = 0
        except Exception as failure:
            logger.exception("the server ended")
            _tell(settings, {"error": f"{type(failure).__name__}: {failure}"})
    finally:
        logging.shutdown()
        reaper.leave(os.getpid())
        reaper.close()  # removes what it was told of
        # The emulator's threads wait without end, and a normal exit would wait for them.
        os._exit(code)


if __name__ == "__main__":
    main()
