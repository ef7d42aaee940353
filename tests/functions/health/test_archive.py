"""The archive as Lambda imports it: the two packages side by side, in a process of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import health

from tests.functions.harness import EAST_1, through_load_balancer, variables

ASK = """
import json, sys
from health.handler import handler

class Context:
    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "health", 512, "arn", "request-1"

answer = handler(json.loads(sys.argv[1]), Context())
print(json.dumps({"answer": answer, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def run(folder: Path, code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code where the archive is unpacked, with these environment variables and no others."""
    functions = Path(health.__file__).parents[1]
    for package in ("health", "common"):
        shutil.copytree(functions / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={"PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_archive_stands_on_its_own_and_imports_little(tmp_path: Path) -> None:
    event = through_load_balancer("GET", "/health", None, query={"depth": "shallow"})

    done = run(tmp_path, ASK, json.dumps(event), **variables(EAST_1))

    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stderr.splitlines()[-1])
    assert answered["answer"]["statusCode"] == 200
    imported = {name.partition(".")[0] for name in answered["modules"]}
    assert not imported & {"components", "shared", "drill", "localaws", "stacks", "payments"}
    # Each of these costs as much import time as the whole function.
    assert not imported & {"boto3", "dns", "aws_xray_sdk"}
    assert "aws_lambda_powertools.event_handler" not in answered["modules"]


def test_a_wrong_environment_fails_in_the_init_phase_and_names_the_variable(tmp_path: Path) -> None:
    given = variables(EAST_1, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")
    del given["JOURNAL_TABLE"]

    done = run(tmp_path, "import health.handler", **given)

    assert done.returncode != 0
    assert "JOURNAL_TABLE: Field required (it is not set)" in done.stderr
