"""`pulumi-language-python`, for a CLI that was installed without its own: runs programs and policy packs in Python.

The CLI's own language host cannot be built from Go modules. This one starts programs with the Python that it runs in,
and installs nothing.
"""

import json
import os
import platform
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from localaws.pulumi_plugins.launcher import starter_lives

SHOWN = 32
"""Exit status of a program whose error the engine has shown already."""
_ROOT = Path(__file__).resolve().parents[2]
_WORKERS = 16
_PIECE = 65536
_SECONDS = 1.0  # between two checks of the engine's process


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """None: nothing is to be downloaded, all plugins are at hand."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return language_pb2.GetRequiredPluginsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: ARG002
        yield language_pb2.InstallDependenciesResponse(stdout=b"nothing is installed: see `make install`\n")

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        found = sorted({(each.metadata["Name"], each.version) for each in distributions()})
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=number) for name, number in found]
        )

    def About(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        self.end()
        return Empty()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """Run a program to its end. What it prints goes to this process's outputs, which the CLI shows."""
        asked = {
            "project": request.project,
            "stack": request.stack,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "program": str(Path(request.info.program_directory) / request.info.entry_point),
            "config": dict(request.config),
            "secret_keys": list(request.configSecretKeys),
        }
        command = [sys.executable, "-u", "-m", f"{__package__}.program"]
        folder = request.pwd or request.info.program_directory
        process = self._start(command, folder, stdin=subprocess.PIPE, PYTHONPATH=str(_ROOT))
        process.communicate(json.dumps(asked).encode())  # settings may be secret: not in a command line
        self._ended(process)
        if process.returncode == SHOWN:
            return language_pb2.RunResponse(bail=True)
        if process.returncode:
            return language_pb2.RunResponse(error=f"the program ended with status {process.returncode}")
        return language_pb2.RunResponse()

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: ARG002
        """Run a policy pack in the environment that its `PulumiPolicy.yaml` names."""
        python = _python(Path(request.info.root_directory), dict(request.info.options))
        folder = request.info.program_directory
        is_policy = request.kind == "analyzer"
        words = ["-m", "pulumi.policy", *request.args, folder] if is_policy else [folder, *request.args]
        environment = dict(pair.partition("=")[::2] for pair in request.env)
        process = self._start(
            [python, "-u", *words],
            request.pwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **environment,
        )
        yield from _streamed(process)
        self._ended(process)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def end(self) -> None:
        """End every program under way."""
        with self._lock:
            running = [*self._running]
        for process in running:
            process.terminate()

    def _start(
        self,
        command: list[str],
        folder: str,
        *,
        stdin: int,
        stdout: int | None = None,
        stderr: int | None = None,
        **more: str,
    ) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, **more}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin, stdout=stdout, stderr=stderr)
        with self._lock:
            self._running.add(process)
        return process

    def _ended(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        with self._lock:
            self._running.discard(process)


def _python(root: Path, options: dict[str, Any]) -> str:
    chosen = options.get("virtualenv")
    return str(root / chosen / "bin" / "python") if chosen else sys.executable


def _streamed(process: "subprocess.Popen[bytes]") -> Iterator[Any]:
    """Both outputs of a process as they come."""
    assert process.stdout
    assert process.stderr
    with selectors.DefaultSelector() as outputs:
        outputs.register(process.stdout, selectors.EVENT_READ, "stdout")
        outputs.register(process.stderr, selectors.EVENT_READ, "stderr")
        while outputs.get_map():
            for key, _ in outputs.select():
                piece = os.read(key.fd, _PIECE)
                if piece:
                    field: Any = {key.data: piece}
                    yield language_pb2.RunPluginResponse(**field)
                else:
                    outputs.unregister(key.fileobj)


def main() -> None:
    """The last argument is the engine's address. Prints its port, and ends with the process that started it."""
    ended = threading.Event()
    # By the engine, when it is done; Ctrl-C does not reach the process group of a plugin.
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    host = LanguageHost(sys.argv[-1] if len(sys.argv) > 1 else "")
    server = grpc.server(ThreadPoolExecutor(_WORKERS), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while not ended.wait(_SECONDS) and starter_lives():
        pass
    host.end()
    os._exit(0)  # threads that wait for a program need not end


if __name__ == "__main__":
    main()
