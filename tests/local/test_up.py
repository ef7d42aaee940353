"""`python -m localaws up` from start to end, as a person or a rehearsal uses it."""

import json
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.local.embedded import eventually

START = 90.0


def _ask(content: dict[str, Any], path: str) -> httpx.Response:
    """Ask at the accelerator as a client would that resolved the service's name."""
    trust = ssl.create_default_context(cafile=content["ca_file"])
    with httpx.Client(verify=trust, trust_env=False) as client:
        return client.get(
            content["accelerator"]["url"] + path,
            headers={"host": content["service_name"]},
            extensions={"sni_hostname": content["service_name"]},
            timeout=10,
        )


def test_up_serves_the_three_stacks_and_leaves_nothing_when_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    directory = tmp_path / "local"
    command = [sys.executable, "-m", "localaws", "up", "--speed", "10", "--plain", "--directory", str(directory)]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        file = directory / "endpoints.json"
        deadline = time.monotonic() + START
        while not file.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert file.exists(), (tmp_path / "out").read_text()
        content = json.loads(file.read_text())
        assert content["pid"] == process.pid
        assert {found["place"] for found in content["regions"].values()} == {"primary", "secondary"}
        assert _ask(content, "/health").status_code == 200
        processes = psutil.Process(process.pid).children(recursive=True)
        assert len(processes) > 3, "a server, its reaper, databases, workers"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert eventually(lambda: not any(found.is_running() for found in processes), within=10)
    assert not file.exists()
    assert not list(tmp_path.glob("localaws-*"))
