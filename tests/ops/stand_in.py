"""A recording stand-in for the `pulumi` command: a script on the path, whose every call the test answers.

It knows no resources. What it knows is how the CLI is called: in which folder, with which words, when a call began and
ended, and whether it was interrupted.
"""

import contextlib
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

ACCOUNT = "123456789012"  # moto's own

# Each test makes a dozen calls or more. `http.client`, and even `socket`, take longer to import than all of the rest.
_SCRIPT = """\
#!{python} -IS
import _socket, json, os, signal, sys

def report(what):
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.connect(("127.0.0.1", {port}))
    body = json.dumps(what).encode()
    connection.sendall(b"POST / HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return json.loads(answer.partition(b"\\r\\n\\r\\n")[2])

def interrupted(number, frame):
    report({{"pid": os.getpid(), "signal": number}})
    sys.stdout.flush()
    os._exit(130)

signal.signal(signal.SIGINT, interrupted)
words = sys.argv[1:]
folder = words[words.index("--cwd") + 1] if "--cwd" in words else os.getcwd()
typed = sys.stdin.read() if words[:2] == ["stack", "import"] else ""
answer = report({{"pid": os.getpid(), "stack": os.path.basename(folder), "words": words, "typed": typed}})
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["status"])
"""
_IDENTITY = """\
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:user/someone</Arn><UserId>A</UserId><Account>{account}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>
"""


@dataclass
class Call:
    stack: str
    words: list[str]
    began: float
    typed: str = ""  # what it read from its standard input
    ended: float = 0.0
    signals: list[int] = field(default_factory=list)

    @property
    def verb(self) -> str:
        """`up`, `destroy`, ...; `stack output` and the like as two words."""
        return " ".join(self.words[:2]) if self.words[0] == "stack" else self.words[0]


@dataclass
class Answer:
    out: str = ""
    err: str = ""
    status: int = 0


Answers = Callable[[Call], Answer | None]


@dataclass
class PulumiStandIn:
    """By default every call succeeds, somebody is logged in, and each stack is there with `outputs`."""

    folder: Path
    calls: list[Call] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)  # the states of stacks, as they are exported
    stacks: dict[str, set[str]] = field(default_factory=dict)
    failing: set[tuple[str, str]] = field(default_factory=set)  # verb and stack
    plans: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # steps of a preview, as the engine's metadata
    drifted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # steps of a refresh that keeps nothing
    answer: Answers = lambda _: None  # what a test wants answered otherwise
    url: str = "https://api.pulumi.com"

    def __enter__(self) -> Self:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                content = stand_in.handle(body)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # of a call that was interrupted meanwhile
                    self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._calls: dict[int, Call] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        program = self.folder / "pulumi"
        program.write_text(_SCRIPT.format(python=sys.executable, port=self._server.server_port))
        program.chmod(0o755)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to find it: the stand-in on the path, and an STS that knows `ACCOUNT`."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))},
            "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{self._server.server_port}",
        }

    def of(self, *verbs: str) -> list[Call]:
        return [call for call in self.calls if call.verb in verbs]

    def order(self, verb: str) -> list[str]:
        """The stacks of `verb`, as the calls began."""
        return [call.stack for call in self.of(verb)]

    def handle(self, body: bytes) -> bytes:
        if body.startswith(b"Action=GetCallerIdentity"):
            return _IDENTITY.format(account=ACCOUNT).encode()
        request = json.loads(body)
        if "signal" in request:
            self._calls[request["pid"]].signals.append(request["signal"])
            return b"{}"
        call = Call(stack=request["stack"], words=request["words"], began=time.monotonic(), typed=request["typed"])
        self.calls.append(call)
        self._calls[request["pid"]] = call
        found = self.answer(call) or self._usual(call)
        call.ended = time.monotonic()
        return json.dumps({"out": found.out, "err": found.err, "status": found.status}).encode()

    def _usual(self, call: Call) -> Answer:
        if (call.verb, call.stack) in self.failing:
            return Answer(err=f"error: {call.stack} did not work\n", status=255)
        known = self.stacks.setdefault(call.stack, {"dev"})
        if call.verb == "version":
            return Answer(out=f"v{version('pulumi')}\n")
        if call.verb == "whoami":
            return Answer(out=json.dumps({"user": "someone", "url": self.url}))
        if call.verb == "stack ls":
            return Answer(out=json.dumps([{"name": name} for name in sorted(known)]))
        if call.verb == "stack init":
            known.add(call.words[2])
            return Answer()
        if call.verb == "stack export":
            return Answer(out=json.dumps({"version": 3, "deployment": self.deployments.get(call.stack)}))
        if call.verb == "stack import":
            self.deployments[call.stack] = json.loads(call.typed)["deployment"]
            return Answer(out="Import complete.\n")
        if call.verb == "stack output":
            return Answer(out=json.dumps(self.outputs.get(call.stack, {})))
        if call.verb == "preview":
            self._log(call, "resourcePreEvent", self.plans.get(call.stack, []))
        if call.verb == "refresh" and "--preview-only" in call.words:
            self._log(call, "resOutputsEvent", self.drifted.get(call.stack, []))
        if call.verb == "up" and not self.outputs.get(call.stack):
            self.outputs[call.stack] = {"deployed": True}
        if call.verb == "destroy":
            self.outputs.pop(call.stack, None)
        return Answer(out=f"{call.verb} of {call.stack}\n")

    def _log(self, call: Call, kind: str, steps: list[dict[str, Any]]) -> None:
        """The engine's events of a preview, one JSON object a line; `kind` is the one that names the operation."""
        counts = Counter(step["op"] for step in steps)
        events = [{"preludeEvent": {"config": {}}}, *({kind: {"metadata": step}} for step in steps)]
        events.append({"summaryEvent": {"isPreview": True, "resourceChanges": counts}})
        file = Path(call.words[call.words.index("--event-log") + 1])
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
