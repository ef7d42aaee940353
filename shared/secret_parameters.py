"""The setting that gives SecureString parameters their first values; a component draws those that it leaves out."""

import re
from collections.abc import Iterator, Mapping

SETTING = "parameters:secrets"
"""A JSON object: path below the environment's prefix to value, such as {"external/api-key": "..."}."""

_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
# Of a standard parameter (API SSM.PutParameter, Value).
_LARGEST = 4096


def problems(values: Mapping[str, str]) -> Iterator[str]:
    """An error in the setting; no value is ever part of it."""
    for path, value in values.items():
        if not _PATH.fullmatch(path) or path.startswith("local/"):
            yield f"{path} is no path of a parameter that both regions have; write external/api-key, for instance"
        if not 1 <= len(value.encode()) <= _LARGEST:
            yield f"the value of {path} has {len(value.encode())} bytes; 1 to {_LARGEST} are allowed"
