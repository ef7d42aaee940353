"""One line of progress a few times a second, whatever the number of resources."""

import threading
import time
from collections.abc import Callable

_PAUSE = 0.3  # seconds between two lines


class Progress:
    """Counts one stack's resources and tells `write` about them, from several threads."""

    def __init__(self, stack: str, write: Callable[[str], None] | None, total: int | None = None) -> None:
        self.count = 0
        self._stack = stack
        self._write = write or (lambda _: None)
        self._total = str(total) if total else "—"
        self._last = 0.0
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def resource(self, type_: str, name: str) -> None:
        """A resource is being worked on."""
        with self._lock:
            self.count += 1
            now = time.monotonic()
            if now - self._last < _PAUSE:
                return
            self._last = now
            line = f"{self._stack}: {self.count}/{self._total}  {type_} {name}"
        self._write(line)

    def note(self, message: str) -> None:
        """Something the program said itself."""
        self._write(f"{self._stack}: {message}")

    def done(self, what: str) -> float:
        """The last line; returns the seconds since the start."""
        seconds = time.monotonic() - self._started
        self._write(f"{self._stack}: {self.count} resources {what} in {seconds:.1f} s")
        return seconds
