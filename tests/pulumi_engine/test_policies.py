"""The policy pack as the engine calls it: a violation of each family of rules is refused in a preview, with its remedy.

A small program registers resources of the three stacks, each with one violation.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localaws import launch
from policy.catalogue import RULES, Rule, Scope
from shared.pulumi_cli import search_path
from tests.policy.seeds import SEEDS
from tests.programs.profiles import DEFAULTS, registered
from tests.pulumi_engine.conftest import ROOT
from tests.tiers import starts

_LONGEST = 600  # seconds on a machine that is busy with something else
_PROGRAM = """
import json
import pulumi
rows = json.load(open("rows.json"))
provider = pulumi.ProviderResource("aws", "primary", {"region": "us-east-1"})
for row in rows:
    options = pulumi.ResourceOptions(
        protect=row["protect"], ignore_changes=row["ignored"], provider=provider if row["provided"] else None
    )
    pulumi.CustomResource(row["type"], row["name"], row["inputs"], options)
"""
_PREVIEW = """
import json, os, subprocess, sys
from pathlib import Path
from ops.rollout import local_environment, pulumi_cli
endpoint, folder, pack = sys.argv[1:]
os.environ.update(local_environment.start_providers(endpoint, Path(folder) / "pulumi"))
pulumi_cli.output_in(Path(folder), ["stack", "init", "test", "--non-interactive"])
words = [pulumi_cli.program(), "preview", "--stack", "test", "--policy-pack", pack, "--non-interactive"]
sys.exit(subprocess.run(words, cwd=folder, env=pulumi_cli.environment()).returncode)
"""


def _one_of_each_family() -> dict[str, Rule]:
    """By module, a rule for which one resource is enough."""
    found: dict[str, Rule] = {}
    for rule in RULES:
        if rule.scope is Scope.RESOURCE:
            found.setdefault(rule.check.__module__, rule)
    return found


FAMILIES = _one_of_each_family()


def violating(rule: Rule) -> dict[str, object]:
    """The resource with the rule's violation, as the program registers it."""
    seed = SEEDS[rule.name]
    row = next(
        each for each in seed.into(registered(DEFAULTS)) if (each["type"], each["name"]) == (seed.token, seed.name)
    )
    options = row["options"]
    return {
        "type": row["type"],
        "name": f"{row['name']}-{rule.name}",
        "inputs": row["inputs"],
        "protect": options["protect"],
        "ignored": options["ignore_changes"],
        "provided": "default" not in row["provider"],
    }


@pytest.fixture
@starts("engine")
def endpoint(tmp_path: Path) -> object:
    with launch.start(log_file=tmp_path / "server.log", profile="minimal") as server:
        yield server.endpoint


@pytest.mark.usefixtures("cli")
def test_a_violation_of_each_family_is_refused_by_the_preview(endpoint: str, tmp_path: Path) -> None:
    assert len(FAMILIES) >= 10
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: dr-primary\nruntime: python\n")
    (folder / "Pulumi.test.yaml").write_text("config:\n  aws:region: us-east-1\n")  # of the default provider
    (folder / "__main__.py").write_text(_PROGRAM)
    (folder / "rows.json").write_text(json.dumps([violating(rule) for rule in FAMILIES.values()]))

    done = subprocess.run(
        [sys.executable, "-c", _PREVIEW, endpoint, str(folder), str(ROOT / "policy")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": search_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LONGEST,
        check=False,
    )

    assert done.returncode != 0
    missed = [rule.name for rule in FAMILIES.values() if rule.name not in done.stdout]
    assert missed == [], done.stdout
