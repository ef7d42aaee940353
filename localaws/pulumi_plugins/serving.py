"""`python -m localaws.pulumi_plugins.serving`: one process that serves every provider resource of a run.

The engine starts a plugin for each provider resource. Each of those is a small client (`launcher.py`) that connects
here over loopback, sends one line of JSON and gets the port of a provider of its own. The provider lives as long as the
client's connection, and the process as long as its standard input is open. It prints one line of JSON: the environment
variables of a CLI that uses it.
"""

import argparse
import json
import os
import socketserver
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from localaws.core.environment import ACCOUNT, collect_rarely
from localaws.provider.calls import Aws
from localaws.provider.context import Caller
from localaws.provider.preparation import StackRun
from localaws.pulumi_plugins import environment
from localaws.pulumi_plugins.provider import ResourceProvider

_WORKERS = 16  # calls at once for one provider resource
_GRACE = 1.0  # seconds for calls under way


class NotLocalError(ValueError):
    """The endpoint is not on this machine: this provider must never call a real AWS."""


def check_endpoint(endpoint: str) -> str:
    """Raises NotLocalError for an endpoint that is not on a loopback address."""
    host = urlsplit(endpoint).hostname or ""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NotLocalError(
            f"AWS_ENDPOINT_URL is {endpoint or 'not set'}; this plugin serves an embedded AWS on this machine only"
        )
    return endpoint


def serve(package: str, caller: Caller, folder: Path) -> tuple[grpc.Server, int]:
    """A running server of one provider, and its port. Paths of assets are relative to `folder`."""
    run = StackRun(caller=caller, account=caller.account, folder=folder)
    server = grpc.server(ThreadPoolExecutor(_WORKERS, thread_name_prefix=package), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(ResourceProvider(package, run), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class _Client(socketserver.StreamRequestHandler):
    """One provider resource: a line of JSON with package, endpoint and folder, answered by {port} or {error}."""

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        try:
            caller = Aws(check_endpoint(asked["endpoint"]))
        except NotLocalError as error:
            self._answer({"error": str(error)})
            return
        server, port = serve(asked["package"], caller, Path(asked["folder"]))
        try:
            self._answer({"port": port})
            while self.connection.recv(4096):
                pass
        except ConnectionError:
            return  # the client was killed
        finally:
            server.stop(_GRACE).wait()
            caller.close()

    def _answer(self, content: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(content).encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m localaws.pulumi_plugins.serving")
    parser.add_argument("--endpoint", required=True, help="of the embedded AWS")
    parser.add_argument("--directory", required=True, type=Path, help="for state, settings and executables")
    given = parser.parse_args(words)
    collect_rarely()
    os.setpgid(0, 0)  # Ctrl-C is for the CLI, which ends the clients
    with _Server(("127.0.0.1", 0), _Client) as server:
        threading.Thread(target=server.serve_forever, daemon=True, name="clients").start()
        address = f"127.0.0.1:{server.server_address[1]}"
        try:
            variables = environment.variables(given.endpoint, ACCOUNT, given.directory, address)
        except ValueError as error:
            parser.error(str(error))
        print(json.dumps(variables), flush=True)
        while sys.stdin.buffer.read(4096):
            pass
        server.shutdown()


if __name__ == "__main__":
    main()
