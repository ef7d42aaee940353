"""Changes of arguments that a program ignores (`ignore_changes`)."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

_STEP = re.compile(r"\[(\d+|\*)\]|\[\"([^\"]+)\"\]|([^.\[\]]+)")


def apply(inputs: Mapping[str, Any], former: Mapping[str, Any], ignored: Sequence[str]) -> dict[str, Any]:
    """`inputs` with every path of `ignored` (`tags.Owner`, `replicas[0].kmsKeyArn`) as it is in `former`."""
    kept: dict[str, Any] = copy.deepcopy(dict(inputs)) if ignored else dict(inputs)
    for path in ignored:
        steps = [index or quoted or plain for index, quoted, plain in _STEP.findall(path)]
        _keep(kept, former, steps)
    return kept


def _keep(new: Any, old: Any, steps: list[str]) -> None:
    step, rest = steps[0], steps[1:]
    for key in _keys(new, old, step):
        present = _has(old, key)
        if rest:
            if present and _has(new, key):
                _keep(new[key], old[key], rest)
        elif present and (isinstance(new, dict) or _has(new, key)):
            new[key] = old[key]
        elif isinstance(new, dict):
            new.pop(key, None)


def _keys(new: Any, old: Any, step: str) -> list[Any]:
    if isinstance(new, list):
        return list(range(max(len(new), len(old or [])))) if step == "*" else [int(step)]
    return sorted({*new, *old}) if step == "*" else [step]


def _has(value: Any, key: Any) -> bool:
    return 0 <= key < len(value) if isinstance(value, list) else isinstance(value, dict) and key in value
