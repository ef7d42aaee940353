"""Forks execution environments for Python functions: `python -m localaws.services.lambda_.fork_server <socket>`; see
`workers`.

A function's libraries take most of a second of CPU to import. On AWS, cold starts run side by side on many machines;
here a burst of them would take the traffic's own processor time. So one process imports the libraries once,
and every execution environment is a fork of it: it starts in milliseconds and shares their memory. A function still
imports its own code in an environment of its own, as on AWS.

Each request is one message on a SOCK_SEQPACKET socket: JSON with the script, its folder and its whole environment, and
three file descriptors for its standard streams. The reply is the process id.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from typing import Any

# What functions import, and the services they call. A missing entry only makes a start slower. Some libraries load
# parts of themselves when they are first used; those are named too.
PRELOADED = (
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.typing",
    "boto3",
    "botocore.config",
    "botocore.session",
    "concurrent.futures.thread",
    "dns.resolver",
    "pydantic.fields",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.types",
    "urllib3",
    "zoneinfo",
)
SERVICES = ("dynamodb", "events", "rds", "rds-data", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions")
LONGEST_MESSAGE = 256 * 1024  # bytes; more than a socket's default send buffer lets pass
_STREAMS = 3


def serve(control: socket.socket) -> None:
    """Fork for each request until the other end closes."""
    for name in PRELOADED:
        importlib.import_module(name)
    _share_service_models()
    gc.freeze()  # what is loaded now stays shared: collections in the children do not touch it
    gc.set_threshold(10_000, 20, 50)  # nor are they so frequent that they cost more than the work
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects them; the client watches them
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, streams, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, _STREAMS)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become(json.loads(message), streams)
        for stream in streams:
            os.close(stream)
        control.send(str(pid).encode())


def _share_service_models() -> None:
    """Let botocore read each file of a service's description once for all forks: parsed, they are megabytes, which each
    execution environment would hold for itself and take a tenth of a second of CPU to make."""
    import botocore.loaders
    import botocore.session

    loader: Any = botocore.loaders.JSONFileLoader
    read, parsed = loader.load_file, {}

    def load_file(self: Any, path: str) -> Any:
        if path not in parsed:
            parsed[path] = read(self, path)
        return parsed[path]

    loader.load_file = load_file
    session = botocore.session.Session()
    for service in SERVICES:
        session.create_client(service, region_name="us-east-1", aws_access_key_id="-", aws_secret_access_key="-")


def _become(message: dict[str, Any], streams: list[int]) -> None:
    """Turn this fork into the execution environment: run its script, and never return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(message["environment"])
    os.chdir(message["folder"])
    sys.argv = [message["script"]]
    sys.path[0] = os.path.dirname(message["script"])
    # The process's own streams: they live as long as it does.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    status = 1
    try:
        runpy.run_path(message["script"], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - nothing may escape into the fork server's own code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
