"""What the three programs register in an environment: the rows that `python -m localaws graph` prints, without any AWS.

It runs as a program of its own: what people use around an environment does not import the embedded AWS.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.cli.errors import CouldNotStart

Row = Mapping[str, Any]
Rows = Sequence[Row]
ROOT = Path(__file__).resolve().parents[2]


def rows(environment: str) -> Rows:
    """Every resource as a row. Raises CouldNotStart when the programs do not register, with what they said."""
    told = subprocess.run(
        [sys.executable, "-m", "localaws", "graph", "--env", environment],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if told.returncode:
        raise CouldNotStart(f"{environment} cannot be registered: {told.stderr.strip()}")
    return tuple(json.loads(told.stdout))


def of_type(found: Rows, *tokens: str) -> list[Row]:
    return [row for row in found if row["type"] in tokens]
