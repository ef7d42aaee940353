"""The life of an environment by the real engine: previewed, deployed, refreshed and destroyed by `dr`."""

import re
import subprocess

import psutil

from shared.places import PROJECTS
from tests.matrix import inventory, leftovers
from tests.pulumi_engine.conftest import ROOT, Environment

REGIONS = ("us-east-1", "us-east-2")
_CHANGES = re.compile(r"\[(\w+)\]\s+[+~-]*\s*(\d+) (?:to )?(create|update|delete|replace|unchanged)d?\b")


def changes(output: str) -> dict[str, dict[str, int]]:
    """The engine's counts by stack: {"primary": {"create": 206}}."""
    found: dict[str, dict[str, int]] = {}
    for stack, count, kind in _CHANGES.findall(output):
        found.setdefault(stack, {})[kind] = int(count)
    return found


def kinds(found: dict[str, dict[str, int]]) -> dict[str, set[str]]:
    return {stack: {*counts} for stack, counts in found.items()}


def all_with(kind: str) -> dict[str, set[str]]:
    return {stack: {kind} for stack in PROJECTS}


def checkout() -> str:
    """What Git finds changed in the settings of the stacks."""
    command = ["git", "status", "--porcelain", "--", "stacks"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def plugins() -> list[int]:
    """Processes of the plugins and of the CLI that this process started, directly or not."""
    return [each.pid for each in psutil.Process().children(recursive=True) if "pulumi" in " ".join(each.cmdline())]


def test_an_environment_from_the_first_preview_to_its_destruction(local: Environment) -> None:
    before = inventory.take(local.aws.client, REGIONS)
    committed = checkout()

    first = local.dr("preview")
    assert kinds(changes(first)) == {"primary": {"create"}, "secondary": {"create"}}
    assert "global was not previewed" in first

    deployed = changes(local.dr("deploy", "--yes"))
    assert kinds(deployed) == all_with("create")

    again = changes(local.dr("preview"))
    assert kinds(again) == all_with("unchanged")
    assert {stack: counts["unchanged"] for stack, counts in again.items()} == {
        stack: counts["create"] for stack, counts in deployed.items()
    }

    local.dr("refresh", "--yes")  # takes over what AWS has finished since
    assert kinds(changes(local.dr("refresh", "--yes"))) == all_with("unchanged")

    shown = local.dr("outputs")
    state = (local.folder / "build" / "local" / "pulumi" / "state").rglob("*.json")
    assert "k" * 40 not in shown
    assert not [file for file in state if "k" * 40 in file.read_text()]

    assert "nothing of dev is left" in local.dr("destroy", "--yes")
    new = inventory.difference(before, inventory.take(local.aws.client, REGIONS))
    assert leftovers.unknown(local.aws.client, new) == {}
    assert checkout() == committed
    assert plugins() == []
    operations = sum(sum(counts.values()) for counts in deployed.values())
    print(
        f"{operations} resources; seconds: " + ", ".join(f"{what} {took:.0f}" for what, took in local.seconds.items())
    )
