"""The pipelines: they can be read, call targets that exist, pin what they use, and ask for no more than they need."""

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.test_make import TARGETS

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
ACTIONS = sorted(GITHUB.glob("actions/*/action.yml"))
VARIABLES = {"ENGINE", "ENV", "YES", "REGION", "REASON", "COMPARE", "MODE", "SCENARIO"}


def read(file: Path) -> dict[str, Any]:
    """A bare `on` is true in YAML 1.1; the other keys are texts."""
    found = yaml.safe_load(file.read_text())
    assert isinstance(found, dict)
    return {"on" if key is True else str(key): value for key, value in found.items()}


def steps(file: Path) -> Iterator[dict[str, Any]]:
    content = read(file)
    for job in content.get("jobs", {"": content.get("runs", {})}).values():
        yield from job["steps"]


def by_name(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=lambda file: str(file.relative_to(GITHUB)))


@by_name(WORKFLOWS + ACTIONS)
def test_a_pipeline_calls_make_targets_that_exist_with_variables_that_it_knows(file: Path) -> None:
    commands = [step["run"] for step in steps(file) if "run" in step]
    lines = [line for command in commands for line in command.splitlines() if line.startswith("make ")]

    for line in lines:
        words = re.sub(r'"[^"]*"', "text", line).split()[1:]
        assert words[0] in TARGETS, line
        assert {word.partition("=")[0] for word in words[1:]} <= VARIABLES, line


@by_name(WORKFLOWS + ACTIONS)
def test_what_a_pipeline_uses_is_pinned_by_commit_and_lies_there(file: Path) -> None:
    for step in steps(file):
        used = step.get("uses", "")
        if used.startswith("./"):
            assert (ROOT / used / "action.yml").is_file(), used
        elif used:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used), used
            assert re.search(rf"{used} # v\d+\.\d+\.\d+$", file.read_text(), re.MULTILINE), f"{used} has no version"


@by_name(WORKFLOWS)
def test_a_pipeline_has_few_rights_an_end_and_no_text_of_others_in_a_shell(file: Path) -> None:
    content = read(file)

    assert content["permissions"].keys() <= {"contents", "id-token"}
    assert content["permissions"]["contents"] == "read"
    assert "pull_request_target" not in content["on"]
    for name, job in content["jobs"].items():
        assert job["timeout-minutes"] <= 180, name
        signs_in = any(step.get("uses") == "./.github/actions/sign-in" for step in job["steps"])
        rights = job.get("permissions", content["permissions"])
        assert signs_in == ("environment" in job) == (rights.get("id-token") == "write"), name
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step["run"]


def test_a_rollout_goes_secondary_soak_primary_global_each_with_its_own_gate() -> None:
    jobs = read(GITHUB / "workflows" / "deploy.yml")["jobs"]
    order = {name: job.get("needs") for name, job in jobs.items()}
    targets = {
        name: [step["run"].split()[1] for step in job["steps"] if "make " in step.get("run", "")]
        for name, job in jobs.items()
    }

    assert order == {"check": None, "secondary": "check", "soak": "secondary", "primary": "soak", "global": "primary"}
    assert {name: found[0] for name, found in targets.items()} == {
        "check": "check",
        "secondary": "deploy-secondary",
        "soak": "drill-check",
        "primary": "deploy-primary",
        "global": "deploy-global",
    }
    gates = [job["environment"] for job in jobs.values() if "environment" in job]
    assert len(gates) == len(set(gates)) == 4


def test_every_night_all_tests_and_all_rehearsals_are_run() -> None:
    nightly = GITHUB / "workflows" / "nightly.yml"

    assert "schedule" in read(nightly)["on"]
    assert {"make test-all", "make rehearse-all", "make rehearse-hours"} <= {step.get("run") for step in steps(nightly)}


def test_the_cli_is_as_new_as_the_sdk(tmp_path: Path) -> None:
    (command,) = [
        step["run"] for step in steps(GITHUB / "actions" / "sign-in" / "action.yml") if step.get("id") == "sdk"
    ]
    output = tmp_path / "output"

    subprocess.run(["sh", "-c", command], cwd=ROOT, env={**os.environ, "GITHUB_OUTPUT": str(output)}, check=True)

    assert output.read_text() == f"version={version('pulumi')}\n"


def test_forks_get_no_preview() -> None:
    preview = read(GITHUB / "workflows" / "pull-request.yml")["jobs"]["preview"]

    assert preview["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_other_settings_can_be_read_and_owners_own_what_is_there() -> None:
    for file in (GITHUB / "dependabot.yml", ROOT / ".pre-commit-config.yaml"):
        assert read(file)
    rules = [line.split() for line in (GITHUB / "CODEOWNERS.example").read_text().splitlines() if line.startswith("/")]
    for path, *owners in rules:
        assert owners
        assert list(ROOT.glob(path.strip("/"))), f"{path} matches nothing"
