"""The archive as Lambda imports it: the two packages side by side, in a process of its own."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import payments
import pytest

from tests.functions.harness import EAST_1, through_load_balancer, variables

ASK = """
import json, sys
from payments.handler import handler

class Context:
    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "payments", 512, "arn", "request-1"

answer = handler(json.loads(sys.argv[1]), Context())
ours = sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[2].split(",")))
print(json.dumps({"answer": answer, "ours": ours, "traced": "aws_xray_sdk" in sys.modules}), file=sys.stderr)
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run code where the archive is unpacked, with these environment variables and no others."""
    functions = Path(payments.__file__).parents[1]
    for package in ("payments", "common"):
        shutil.copytree(functions / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))

    def start(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            env={"PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start


@pytest.fixture
def _no_mark_of_x_ray() -> Iterator[None]:
    """The X-Ray SDK marks in a fixed place that it runs inside Lambda; leave no mark that was not there."""
    mark = Path("/tmp/.aws-xray")
    was_there = mark.exists()
    yield
    if not was_there:
        shutil.rmtree(mark, ignore_errors=True)


def ask(run: Run, **environment: str) -> dict[str, Any]:
    event = through_load_balancer("GET", "/nowhere", None)
    done = run(ASK, json.dumps(event), "components,shared,drill,localaws,stacks", **environment)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["event"] == "request-answered"
    answered: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return answered


def test_the_archive_stands_on_its_own_and_needs_no_x_ray(run: Run) -> None:
    answered = ask(run, **variables(EAST_1))

    assert answered["answer"]["statusCode"] == 404
    assert answered["ours"] == []
    assert answered["traced"] is False


def test_importing_needs_no_environment(run: Run) -> None:
    done = run("import payments.handler")

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_a_wrong_environment_fails_in_the_init_phase_and_names_the_variable(run: Run) -> None:
    given = variables(EAST_1, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")
    del given["JOURNAL_TABLE"]

    done = run("import payments.handler", **given)

    assert done.returncode != 0
    assert "JOURNAL_TABLE: Field required (it is not set)" in done.stderr


@pytest.mark.usefixtures("_no_mark_of_x_ray")
def test_a_traced_invocation_reaches_the_x_ray_daemon_without_the_payment(run: Run) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        answered = ask(
            run,
            **variables(EAST_1),
            AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{daemon.getsockname()[1]}",
            AWS_LAMBDA_FUNCTION_NAME="payments",
            LAMBDA_TASK_ROOT="/var/task",
            _X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        )
        _, segment = daemon.recv(65536).decode().split("\n", 1)

    assert answered["answer"]["statusCode"] == 404
    traced = json.loads(segment)
    assert traced["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert traced["annotations"]["Service"] == "payments"
    assert "metadata" not in traced, "the trace holds the answer"


@pytest.mark.usefixtures("_no_mark_of_x_ray")
def test_a_dead_x_ray_daemon_is_harmless(run: Run) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as daemon:
        daemon.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{daemon.getsockname()[1]}"

    answered = ask(
        run,
        **variables(EAST_1),
        AWS_XRAY_DAEMON_ADDRESS=nobody,
        LAMBDA_TASK_ROOT="/var/task",
    )

    assert answered["answer"]["statusCode"] == 404
