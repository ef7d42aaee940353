"""The executable behind `pulumi-resource-aws`, `-random` and `-tls`: gets a provider from the process of `serving.py`.

The engine starts one for each provider resource, so it imports nothing but small modules of the standard library; it is
run as a file, without `site`. It prints the provider's port, and ends by the SIGINT that the engine sends, or with the
engine, whatever ended that.
"""

import json
import os
import select
import signal
import socket
import sys

ADDRESS = "LOCALAWS_PROVIDERS"
"""The environment variable with the address of the serving process."""
STARTER = "LOCALAWS_PLUGIN_STARTER"
"""The environment variable with the process that started a plugin, the engine."""
_SECONDS = 0.5  # between two checks of the engine
_ANSWER = 60.0  # seconds on a busy machine


def main() -> int:
    package = sys.argv[1]
    address = os.environ.get(ADDRESS, "")
    if not address:
        print(
            f"pulumi-resource-{package}: {ADDRESS} is not set; run the CLI through `dr`, with --local", file=sys.stderr
        )
        return 2
    host, _, port = address.rpartition(":")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a plugin has a process group of its own: this is not Ctrl-C
    asked = {"package": package, "endpoint": os.environ.get("AWS_ENDPOINT_URL", ""), "folder": os.getcwd()}
    with socket.create_connection((host, int(port)), timeout=_ANSWER) as connection:
        connection.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(connection.makefile().readline() or '{"error": "the provider process ended"}')
        if "error" in answer:
            print(f"pulumi-resource-{package}: {answer['error']}", file=sys.stderr)
            return 1
        print(answer["port"], flush=True)
        _wait(connection)
    return 0


def starter_lives() -> bool:
    return os.getppid() == int(os.environ[STARTER])


def _wait(connection: socket.socket) -> None:
    """Return when the engine or the serving process is gone."""
    watched = select.poll()
    watched.register(sys.stdin.fileno(), 0)  # nothing but a hang-up: the engine has the other end
    watched.register(connection.fileno(), select.POLLIN)
    while not watched.poll(_SECONDS * 1000) and starter_lives():
        pass


if __name__ == "__main__":
    sys.exit(main())
