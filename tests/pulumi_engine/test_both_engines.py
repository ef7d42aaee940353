"""The fast engine of a rehearsal and Pulumi's own register and answer the same.

Each deploys the three stacks on an embedded AWS of its own. Compared are, by URN: arguments, outputs, dependencies,
parent's chain of types (in the URN), provider, and the options that outlive a run. What AWS draws at random differs
from one deployment to the next: two texts may differ in such parts only, and the same text has to stand in for the same
one everywhere.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localaws import launch
from localaws.engine import deploy
from localaws.engine.state import Record
from localaws.provider.values import HIDDEN, SIGNATURE
from shared.local_aws import PROGRAMS
from shared.pulumi_cli import search_path
from tests.local.embedded import LocalAws
from tests.programs.profiles import OPTIONS, overrides
from tests.pulumi_engine.conftest import ROOT
from tests.tiers import starts

SPEED = 20.0
_LONGEST = 1800  # seconds on a machine that is busy with something else
_ASSET = "[archive]"
_FILLED_IN = "__defaults"
"""The argument in which the provider names what it filled in itself."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?")
_DRAWN = re.compile(
    r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----\n?"  # keys and certificates
    r"|ecdsa-sha2-nistp256 \S+\n|[0-9a-f]{2}(?::[0-9a-f]{2}){15}"  # their public part and its fingerprint
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|127\.0\.0\.1:\d+|\b\d{1,3}(?:[.-]\d{1,3}){3}\b"  # addresses, also in host names
    r"|\b[0-9a-z]{16}\b"  # of load balancers
    r"|\bZ[0-9A-Z]{13}\b"  # of hosted zones, some without a digit
    r"|(?<![0-9A-Za-z])(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{6,}(?![0-9A-Za-z])",
    re.DOTALL,
)
_KNOWN = {
    # Each side of a peering connection shows the options of the other one as they were when it was created.
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": {"accepter", "requester"},
}
"""Outputs by type that follow from the order in which an engine creates what does not depend on each other."""

# Deploys by the CLI what standard input names, with its settings, and writes the three states to a file.
_BY_THE_CLI = """
import json, os, sys
from pathlib import Path
import yaml
from ops.rollout import local_environment, pulumi_cli, waves
asked = json.load(sys.stdin)
folder, environment = Path(asked["folder"]), asked["environment"]
os.environ.update(local_environment.start_providers(asked["endpoint"], folder))
for stack in waves.ALL_STACKS:
    local_environment.prepare(stack, environment, folder / stack, "")
    file = folder / stack / f"Pulumi.{environment}.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"] = {**content.get("config", {}), **asked["settings"].get(stack, {})}
    file.write_text(yaml.safe_dump(content))
pulumi_cli.use_settings_in(folder)
waves.run(["up", "--skip-preview"], environment, doing="deploying", again="", yes=True)
states = {s: json.loads(pulumi_cli.output(s, ["stack", "export", "--stack", environment])) for s in waves.ALL_STACKS}
Path(asked["states"]).write_text(json.dumps(states))
"""

Resources = dict[str, dict[str, Any]]  # by URN


def settings(environment: str) -> dict[str, dict[str, Any]]:
    """By stack, without FIS and ARC Region switch, which the embedded AWS does not have."""
    left_out = {"drill:faultInjection": False, "drill:regionSwitch": False}
    return {stack: {**given, **left_out} for stack, given in overrides(environment).items()}


def by_the_cli(environment: str, endpoint: str, folder: Path) -> Resources:
    asked = {
        "environment": environment,
        "endpoint": endpoint,
        "folder": str(folder / "pulumi"),
        "settings": settings(environment),
        "states": str(folder / "states.json"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _BY_THE_CLI],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": search_path()},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    states = json.loads((folder / "states.json").read_text())
    print(*(line for line in done.stdout.splitlines() if " took " in line), sep="\n")
    found = [each for state in states.values() for each in state["deployment"]["resources"]]
    # The fast engine has no records of its providers and of references to stacks.
    return {
        each["urn"]: of_the_cli(each) for each in found if each["custom"] and not each["type"].startswith("pulumi:")
    }


def of_the_cli(resource: Mapping[str, Any]) -> dict[str, Any]:
    inputs = dict(resource.get("inputs") or {})
    added = {_FILLED_IN, "tagsAll", *inputs.get(_FILLED_IN, ())}
    return {
        "inputs": plain({key: value for key, value in inputs.items() if key not in added}),
        "outputs": plain(resource.get("outputs") or {}),
        "dependencies": sorted(resource.get("dependencies") or []),
        "provider": explicit(resource.get("provider", "").rpartition("::")[0]),
        "protect": resource.get("protect", False),
        "retain": resource.get("retainOnDelete", False),
        "deleted with": resource.get("deletedWith", ""),
    }


def explicit(provider: str) -> str:
    """Empty for a default provider, which the fast engine does not register: `random` and `tls` have no settings."""
    return "" if "::default_" in provider else provider


def by_the_fast_engine(environment: str, endpoint: str) -> Resources:
    done = deploy(environment, endpoint, PROGRAMS, config_overrides=settings(environment))
    return {urn: of_a_record(found) for stack in done.state.stacks.values() for urn, found in stack.resources.items()}


def of_a_record(record: Record) -> dict[str, Any]:
    return {
        "inputs": plain(record.inputs),
        "outputs": plain({**record.inputs, **record.outputs}),
        "dependencies": sorted(record.dependencies),
        "provider": record.provider,
        "protect": record.protect,
        "retain": record.retain,
        "deleted with": record.deleted_with,
    }


def plain(value: Any) -> Any:
    """Without what has no value; secrets and archives as one text each, as each engine's state has its own form."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$secret"} or "ciphertext" in value or "plaintext" in value:
        return HIDDEN
    if value.keys() == {"$asset"} or SIGNATURE in value:
        return _ASSET
    return {key: plain(item) for key, item in value.items() if item is not None}


def pairs(one: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Leaves that differ, with their path; a missing one is None.

    The fast engine hides all of an argument that has a secret in it, Pulumi's the secret alone: the SDK marks values
    inside an argument only for an engine with the feature `outputValues`.
    """
    if other == HIDDEN and HIDDEN in json.dumps(one):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from pairs(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from pairs(left, right, f"{path}[{index}]")
    elif one != other:
        yield path, one, other


def differences(one: Resources, other: Resources) -> list[str]:
    found = [f"{urn}: only one of them" for urn in sorted(one.keys() ^ other.keys())]
    stands_for: dict[str, str] = {}
    for urn in sorted(one.keys() & other.keys()):
        known = _KNOWN.get(urn.split("::")[2].rpartition("$")[2], ())
        for path, *both in pairs(one[urn], other[urn], ""):
            if path.startswith(".outputs.") and path.split(".")[2] in known:
                continue
            left, right = (_TIME.sub("@", each) if isinstance(each, str) else each for each in both)
            drawn = isinstance(left, str) and isinstance(right, str) and _DRAWN.sub("#", left) == _DRAWN.sub("#", right)
            if left != right and (not drawn or stands_for.setdefault(left, right) != right):
                found.append(f"{urn.rpartition('::')[2]}{path}: {left!r} and {right!r}")
    return found


@pytest.fixture
@starts("engine")
def two_endpoints(tmp_path: Path) -> Iterator[tuple[str, str]]:
    with (
        launch.start(log_file=tmp_path / "one.log", speed=SPEED) as one,
        launch.start(log_file=tmp_path / "other.log", speed=SPEED) as other,
    ):
        for server in (one, other):  # for the profile with a zone of its own
            zone = {"Name": "pay.example.com", "CallerReference": "test"}
            LocalAws(server).client("route53").create_hosted_zone(**zone)
        yield one.endpoint, other.endpoint


@pytest.mark.nightly
@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize("environment", ["dev", "prod", OPTIONS])
def test_both_engines_register_and_answer_the_same(
    environment: str, two_endpoints: tuple[str, str], tmp_path: Path
) -> None:
    by_cli = by_the_cli(environment, two_endpoints[0], tmp_path)
    by_fast = by_the_fast_engine(environment, two_endpoints[1])

    assert len(by_cli) > 300
    found = differences(by_cli, by_fast)
    assert found == [], "\n".join(found)
