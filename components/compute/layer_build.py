"""Builds the functions' libraries for Lambda's platform: `python -m components.compute.layer_build <folder>` (`make
layer`).

What goes in is the `functions` section of Pipfile.lock, by version and hash, as wheels for Lambda's architecture; so
the same lock gives the same layer on every machine. Not imported by the stack programs.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PYTHON = "3.13"
# The newest tag that Amazon Linux 2023 can load: glibc 2.34 [LAMBDA-6].
PLATFORMS = ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
LOCK = Path(__file__).resolve().parents[2] / "Pipfile.lock"


def requirements(lock: dict[str, Any]) -> str:
    """The lock's `functions` section in pip's own format, with hashes. Raises KeyError if the section is missing."""
    lines = []
    for name, package in sorted(lock["functions"].items()):
        hashes = " ".join(f"--hash={each}" for each in sorted(package["hashes"]))
        lines.append(f"{name}{package['version']} {hashes}")
    return "\n".join(lines) + "\n"


def build(folder: Path, lock: dict[str, Any]) -> None:
    """Replace `folder` by a layer: everything under `python/`, no bytecode, no installer's records of this machine."""
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "python"
    target.mkdir(parents=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write(requirements(lock))
        listed.flush()
        platforms = [argument for each in PLATFORMS for argument in ("--platform", each)]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary=:all:", "--no-compile", "--implementation", "cp"]
        command += ["--python-version", PYTHON, *platforms, "--target", str(target), "-r", listed.name]
        subprocess.run(command, check=True)
    for record in target.glob("*.dist-info"):
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (record / name).unlink(missing_ok=True)
    shutil.rmtree(target / "bin", ignore_errors=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]), json.loads(LOCK.read_text()))
