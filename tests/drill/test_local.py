"""The embedded AWS as a child: it ends with the drill, however the drill ends."""

import asyncio
import sys
from pathlib import Path

import pytest

from drill.engine.local_environment import LocalAws, StartError, up_command


def test_the_embedded_aws_is_started_by_its_own_command_line(tmp_path: Path) -> None:
    assert up_command(speed=5.0, directory=tmp_path)[1:] == [
        *("-m", "localaws", "up", "--speed", "5", "--directory", str(tmp_path), "--plain"),
        *("--plan", "-", "--owner-fd", "0"),
    ]


def test_a_command_that_ends_early_is_reported_with_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('working'); sys.exit('no free port')"]
    heard: list[str] = []

    async def run() -> None:
        aws = LocalAws(command, {}, tmp_path, heard.append)
        try:
            await aws.start()
        finally:
            await aws.stop()

    with pytest.raises(StartError) as failed:
        asyncio.run(run())

    assert "status 1" in str(failed.value)
    assert "no free port" in str(failed.value)
    assert heard == ["working", "no free port"]


def test_the_users_aws_settings_do_not_reach_the_embedded_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "bogus")
    command = [sys.executable, "-c", "import os; print([n for n in os.environ if n.startswith('AWS_')])"]
    heard: list[str] = []

    async def run() -> None:
        aws = LocalAws(command, {}, tmp_path, heard.append)
        with pytest.raises(StartError):
            await aws.start()
        await aws.stop()

    asyncio.run(run())
    assert heard == ["[]"]


def test_addresses_of_an_earlier_run_are_not_believed(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text("{}")

    async def run() -> None:
        aws = LocalAws([sys.executable, "-c", "pass"], {}, tmp_path, lambda _: None)
        try:
            await aws.start()
        finally:
            await aws.stop()

    with pytest.raises(StartError, match="status 0"):
        asyncio.run(run())


def test_it_gets_the_plan_and_ends_when_its_standard_input_closes(tmp_path: Path) -> None:
    program = "import sys; print(sys.stdin.readline(), flush=True); sys.stdin.read(); print('closed', flush=True)"
    heard: list[str] = []

    async def run() -> list[str]:
        aws = LocalAws([sys.executable, "-c", program], {"environment": "dev"}, tmp_path, heard.append)
        starting = asyncio.create_task(aws.start())
        while not heard:
            await asyncio.sleep(0.02)
        starting.cancel()
        return await aws.stop()

    assert asyncio.run(run()) == [], "it ended by itself"
    assert heard == ['{"environment": "dev"}', "closed"]
