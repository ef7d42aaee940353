"""What a Lambda archive holds: the source of a function and of what functions share; nothing differs by machine."""

import hashlib
from pathlib import Path

import pulumi

SOURCES = Path(__file__).resolve().parent.parent / "functions"
SHARED_PACKAGE = "common"


def sources(function: str, root: Path = SOURCES) -> dict[str, str]:
    """Path in the archive to text, sorted. Raises FileNotFoundError when `functions/<function>` has no handler."""
    if not (root / function / "handler.py").is_file():
        raise FileNotFoundError(f"functions/{function}/handler.py is missing; a function's folder needs a handler")
    files = [file for package in (SHARED_PACKAGE, function) for file in (root / package).rglob("*.py")]
    return {file.relative_to(root).as_posix(): file.read_text() for file in sorted(files)}


def version(function: str) -> str:
    """A short hash of the function's source: the same in both regions exactly when they run the same code."""
    digest = hashlib.sha256()
    for path, text in sources(function).items():
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def archive(function: str) -> pulumi.AssetArchive:
    """Text, not paths: Pulumi hashes names and contents, so the same source is the same input on every machine."""
    return pulumi.AssetArchive({path: pulumi.StringAsset(text) for path, text in sources(function).items()})
