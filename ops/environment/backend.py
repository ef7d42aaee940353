"""The backend of the Pulumi CLI: its URL, and what an interrupted write of a `file://` backend needs."""

import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.command_line import CouldNotStart


def url() -> str:
    """Not by `pulumi whoami`, which reads from the backend, whose region may be lost. Raises CouldNotStart."""
    if found := _url():
        return found
    raise CouldNotStart("the Pulumi CLI is not logged in; set PULUMI_BACKEND_URL, or pulumi login")


def repair() -> list[Path]:
    """Remove the empty attributes that a CLI killed while it wrote left in a `file://` backend; which files those were.

    The backend writes `<stack>.json.attrs` in place before it moves the state there (gocloud.dev, fileblob/attrs.go).
    Empty, they keep every command from reading the state: "failed to load checkpoint: EOF". It does without them.
    """
    parts = urlsplit(_url())
    if parts.scheme != "file":
        return []
    folder = Path(unquote(parts.netloc + parts.path)).expanduser() / ".pulumi"
    found = [file for file in folder.rglob("*.attrs") if not file.stat().st_size]
    for file in found:
        file.unlink(missing_ok=True)
    return found


def _url() -> str:
    if found := os.environ.get("PULUMI_BACKEND_URL"):
        return found
    file = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "credentials.json"
    try:
        return str(json.loads(file.read_text())["current"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
