"""What the three programs register in an environment: the rows that `python -m localaws graph` prints, without any AWS.

It runs as a program of its own: what people use around an environment does not import the embedded AWS.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.cli.errors import CouldNotStart
from shared import local_aws
from shared.settings import SettingsError

Row = Mapping[str, Any]
Rows = Sequence[Row]
ROOT = Path(__file__).resolve().parents[2]


def rows(environment: str) -> Rows:
    """Every resource as a row. Raises CouldNotStart with the programs' own messages when they do not register."""
    try:
        plan = local_aws.plan(environment)
    except SettingsError as error:
        raise CouldNotStart(f"{environment} cannot be registered: {error}") from error
    printed = subprocess.run(
        local_aws.command("graph", "--plan", "-"),
        cwd=ROOT,
        input=f"{json.dumps(plan)}\n",
        capture_output=True,
        text=True,
    )
    if printed.returncode:
        raise CouldNotStart(f"{environment} cannot be registered: {printed.stderr.strip()}")
    return tuple(json.loads(printed.stdout))


def of_type(found: Rows, *tokens: str) -> list[Row]:
    return [row for row in found if row["type"] in tokens]
