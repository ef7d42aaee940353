"""`endpoints.json`: the addresses of a deployed embedded AWS. `up` writes it, clients and the other commands read it,
and the server keeps its speed up to date.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = "endpoints.json"
CERTIFICATES = "ca.pem"

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def texts(outputs: Any) -> Iterator[str]:
    """Every text that the stacks export, at any depth."""
    if isinstance(outputs, str):
        yield outputs
    elif isinstance(outputs, Mapping | list):
        for value in outputs.values() if isinstance(outputs, Mapping) else outputs:
            yield from texts(value)


def write(directory: Path, content: Mapping[str, Any]) -> None:
    """Write the exported certificates to `ca.pem`, then `endpoints.json`, each at once: when the latter is
    there, both are complete."""
    certificates = [text.strip() for text in texts(content["outputs"]) if text.lstrip().startswith(_CERTIFICATE)]
    _replace(directory / CERTIFICATES, "\n".join(certificates) + "\n")
    _replace(directory / FILE, json.dumps(content, indent=2) + "\n")


def set_speed(path: Path, speed: float) -> None:
    """Change the speed in the file at `path`. A file that is not written yet will get the speed from the status."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return
    _replace(path, json.dumps({**content, "speed": speed}, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    """Readable by this user alone, as `tempfile` makes its files."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
