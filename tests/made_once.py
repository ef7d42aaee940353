"""Values made once in a test run, although several processes need them."""

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

FOLDER = "TESTS_MADE_ONCE"
"""Environment variable: the folder that the processes of one test run share."""

Made = TypeVar("Made")


def once(name: str, make: Callable[[], Made]) -> Made:
    """The result of `make`, or of its call by the first process that needed `name`."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return make()
    file = Path(folder) / f"{name}.pickle"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.write_bytes(pickle.dumps(make()))
        made: Made = pickle.loads(file.read_bytes())
    return made
