"""A preview of every resource that the three programs register answers all that its creation answers, or unknown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.engine.synthetic import Synthetic
from localaws.provider.preparation import StackRun, entry_of
from localaws.pulumi_plugins.provider import ResourceProvider
from tests.programs.profiles import registered


def missing(planned: Any, made: Any, path: str = "") -> Iterator[str]:
    """Paths of the answer of a creation that the preview's answer lacks."""
    if isinstance(made, dict) and isinstance(planned, dict):
        for key, value in made.items():
            if key not in planned:
                yield f"{path}.{key}"
            else:
                yield from missing(planned[key], value, f"{path}.{key}")
    elif isinstance(made, list) and isinstance(planned, list):
        for index, value in enumerate(made):
            if index >= len(planned):
                yield f"{path}[{index}]"
            else:
                yield from missing(planned[index], value, f"{path}[{index}]")


@pytest.mark.parametrize("profile", ["dev", "prod"])
def test_a_preview_answers_what_a_creation_answers(profile: str, tmp_path: Path) -> None:
    provider = ResourceProvider("aws", StackRun(caller=Synthetic(), account="000000000000", folder=tmp_path))
    found: dict[str, set[str]] = {}
    for row in registered(profile):
        if row["type"].startswith(("pulumi:", "dr:")) or ":" not in row["type"] or not row["outputs"].get("id"):
            continue
        planned = provider._planned(row["type"], row["inputs"], {})
        entry = entry_of(row["type"])
        made = {key: value for key, value in row["outputs"].items() if key in entry.outputs}
        if lacking := {*missing(planned, made)}:
            found.setdefault(row["type"], set()).update(lacking)

    assert found == {}
