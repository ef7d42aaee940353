"""Every target that `make help` lists: that it exists, and starts what understands the words."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from ops.cli import app
from tests.ops.stand_in import PulumiStandIn

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
BUILT = (".venv/.ready", "build/layer.built", "build/policy-venv/.ready", "build/pipenv/bin/pipenv")
GIVEN = {"ENV": "dev", "REGION": "us-east-1", "MODE": "planned", "REASON": "a look at it", "YES": "1"}
GIVEN |= {"NAME": "a-name", "COPY_REGION": "us-east-2"}

# Started by nothing but tools, or by make itself.
NO_COMMAND = {"help", "install", "layer", "policy", "pulumi", "clean"}


def make(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run make with everything taken for built."""
    built = [word for file in BUILT for word in ("-o", file)]
    return subprocess.run(
        ["make", "--no-print-directory", *built, *words],
        cwd=ROOT,
        env={name: value for name, value in (environment or os.environ).items() if name not in ("MAKEFLAGS", "ENV")},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def helped() -> list[str]:
    return re.findall(r"^  ([a-z][a-z-]*) +\S", make("help").stdout, re.MULTILINE)


TARGETS = helped()


def started(target: str, recorder: Path, **given: str) -> list[list[str]]:
    """The words of each Python that the target starts, in order."""
    recorder.with_suffix(".log").unlink(missing_ok=True)
    words = {
        **GIVEN,
        **given,
        "DR": f"{recorder} dr",
        "RUN": str(recorder),
        "PYTHON": str(recorder),
        "PIPENV": str(recorder),
    }
    path = {**os.environ, "PATH": f"{recorder.parent}{os.pathsep}{os.environ['PATH']}"}
    done = make(target, *(f"{name}={value}" for name, value in words.items()), environment=path)
    assert done.returncode == 0, done.stderr
    log = recorder.with_suffix(".log")
    return [line.rstrip("\t").split("\t") for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """Stands in for Python and for pulumi: writes down what it was given."""
    program = tmp_path / "python"
    log = program.with_suffix(".log")
    program.write_text(f"""#!/bin/sh\nfor word in "$@"; do printf '%s\\t' "$word"; done >> {log}\necho >> {log}\n""")
    program.chmod(0o755)
    (tmp_path / "pulumi").symlink_to(program)
    return program


def test_help_lists_every_target_that_people_may_call_under_a_heading() -> None:
    phony = {word for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for word in line.split()}
    headings = re.findall(r"^([A-Z].*)$", make("help").stdout, re.MULTILINE)

    assert set(TARGETS) == phony
    assert len(TARGETS) == len(set(TARGETS))
    assert len(headings) == len(re.findall("^##@ ", MAKEFILE, re.MULTILINE)) > 4


@pytest.mark.parametrize("target", [each for each in TARGETS if each not in NO_COMMAND])
def test_the_command_of_a_target_exists_and_accepts_its_arguments(target: str, recorder: Path) -> None:
    commands = started(target, recorder)

    assert commands, "it starts nothing"
    for words in commands:
        if words[0] == "-m":
            assert find_spec(words[1]), f"there is no module {words[1]}"
        elif words[0] == "dr":
            understood(app, words[1:])


def understood(commands: typer.Typer, words: list[str]) -> None:
    """Parsed by the command line, without running it."""
    group = typer.main.get_command(commands)
    while words and hasattr(group, "commands"):
        assert words[0] in group.commands, f"there is no command {words[0]}"
        group, words = group.commands[words[0]], words[1:]
    group.make_context("dr", list(words))


@pytest.mark.parametrize("target", ["failover", "failback", "approve", "unfence"])
def test_free_text_reaches_the_command_as_it_was_typed(target: str, recorder: Path) -> None:
    (words,) = started(target, recorder, REASON="""it's "over" $(now); `true`""".replace("$", "$$"))

    assert words[words.index("--reason") + 1] == """it's "over" $(now); `true`"""


def test_what_is_removed_is_what_was_built() -> None:
    commands = make("-n", "clean").stdout.split()

    assert commands[:2] == ["rm", "-rf"]
    assert all(
        each.startswith("build/") or each in (".pytest_cache", ".mypy_cache", ".ruff_cache") for each in commands[2:]
    )


@pytest.mark.parametrize("target", [each for each in TARGETS if each not in NO_COMMAND])
def test_make_has_no_defaults_of_its_own(target: str, recorder: Path) -> None:
    for words in started(target, recorder, **dict.fromkeys(GIVEN, "")):
        assert words[0] != "dr" or not {"--env", "--mode", "--reason", "--speed", "--yes"} & set(words)


@pytest.mark.parametrize(
    ("words", "missing"),
    [(("failover", "ENV=dev"), "--region"), (("init",), "--env")],
)
def test_an_option_without_a_default_is_required(words: tuple[str, ...], missing: str, pulumi: PulumiStandIn) -> None:
    done = make(*words, f"DR={sys.executable} -m ops", environment=pulumi.environment)

    assert done.returncode == 2
    assert f"Missing option '{missing}'" in done.stderr


@pytest.mark.parametrize("target", ["preview", "deploy-primary", "destroy", "init"])
def test_without_the_cli_a_target_prints_one_line(target: str, tmp_path: Path) -> None:
    for tool in ("sh", "make"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}" if Path(f"/usr/bin/{tool}").exists() else f"/bin/{tool}")

    done = make(target, "ENV=dev", f"PULUMI={tmp_path / 'not-built'}", environment={"PATH": str(tmp_path)})

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "the Pulumi CLI is missing: https://www.pulumi.com/docs/iac/download-install/"
    )


def test_yes_on_the_line_agrees_and_its_absence_asks(pulumi: PulumiStandIn) -> None:
    python = f"DR={sys.executable} -m ops"

    asked = make("deploy-primary", "ENV=dev", python, environment=pulumi.environment)
    agreed = make("deploy-primary", "ENV=dev", "YES=1", python, environment=pulumi.environment)

    assert asked.returncode == 2
    assert "pass --yes (YES=1)" in asked.stderr
    assert agreed.returncode == 0, agreed.stderr
    assert pulumi.order("up") == ["primary"]


def test_each_name_of_allow_is_passed_on(pulumi: PulumiStandIn) -> None:
    pulumi.plans["primary"] = [
        {"op": "delete", "urn": f"urn:pulumi:dev::dr::{type_}::{name}", "old": {"custom": True}}
        for name, type_ in (("bucket", "aws:s3/bucket:Bucket"), ("data-key", "aws:kms/key:Key"))
    ]
    words = ("deploy-primary", "ENV=dev", "YES=1", f"DR={sys.executable} -m ops")

    one = make(*words, "ALLOW=bucket", environment=pulumi.environment)
    both = make(*words, "ALLOW=bucket data-key", environment=pulumi.environment)

    assert (one.returncode, both.returncode) == (2, 0), one.stderr + both.stderr
    assert 'ALLOW="bucket data-key"' in one.stderr
