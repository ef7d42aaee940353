"""The resources that the three programs register in an environment, as rows; no AWS.

They come from `localaws graph`, a program of its own: `ops` does not import the embedded AWS.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared import local_aws
from shared.command_line import CouldNotStart
from shared.settings import SettingsError

Row = Mapping[str, Any]
Rows = Sequence[Row]
ROOT = Path(__file__).resolve().parents[2]


def rows(environment: str) -> Rows:
    """Every resource as a row. Raises CouldNotStart with the programs' errors."""
    try:
        plan = local_aws.plan(environment)
    except SettingsError as error:
        raise CouldNotStart(f"{environment} cannot be registered: {error}") from error
    command = local_aws.command("graph", "--plan", "-")
    graph = subprocess.run(command, cwd=ROOT, input=f"{json.dumps(plan)}\n", capture_output=True, text=True)
    if graph.returncode:
        raise CouldNotStart(f"{environment} cannot be registered: {graph.stderr.strip()}")
    return tuple(json.loads(graph.stdout))


def of_type(rows: Rows, *tokens: str) -> list[Row]:
    return [row for row in rows if row["type"] in tokens]
