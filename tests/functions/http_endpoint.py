"""HTTP endpoints on loopback whose responses a test controls."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any


@dataclass
class HttpEndpoint:
    """`status` and `body` of its responses; sent at once unless `hold` is set."""

    url: str = ""
    status: int = 200
    body: dict[str, Any] = field(default_factory=lambda: {"status": "ok"})
    hold: threading.Event | None = None  # responds once it is set
    requested: list[str] = field(default_factory=list)

    def fail(self, status: int = 503, status_text: str = "unavailable") -> None:
        self.status, self.body = status, {"status": status_text}

    def recover(self) -> None:
        self.status, self.body = 200, {"status": "ok"}


@contextmanager
def http_endpoint(tls: SSLContext | None = None) -> Iterator[HttpEndpoint]:
    """An endpoint on a free port."""
    opened = HttpEndpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.requested.append(self.path)
            if opened.hold:
                opened.hold.wait(5)
            body = json.dumps(opened.body).encode()
            self.send_response(opened.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    opened.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/live"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield opened
    finally:
        if opened.hold:
            opened.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
