"""A deployment whose CLI is killed at any moment: nothing of it lives on, and the next deployment completes it."""

import os
import random
import re
import signal
from collections import Counter
from collections.abc import Sequence

import psutil
import pytest

from shared.naming import Names
from tests.matrix import inventory, leftovers
from tests.pulumi_engine import reports
from tests.pulumi_engine.conftest import Environment

REGIONS = ("us-east-1", "us-east-2")
COPIES, COPIED = "us-east-2", f"{Names('dev').parameters}/"
SIZES = {"primary": 200, "secondary": 200, "global": 125}  # resources, at least

_CREATED = re.compile(r"^\[\w+\] .* created \(")
_TIMEOUT = 60.0  # seconds until the last process has ended; two or three on an idle machine


@pytest.fixture
def seed() -> int:
    """Of the moments; printed with a failure."""
    chosen = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"SEED={chosen}")
    return chosen


def kill(local: Environment, stack: str, created: int) -> None:
    """Deploy `stack` until `created` resources exist, and kill the CLI. Whatever it started has to end by itself."""
    process = local.started("deploy", stack, "--yes")
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        created -= bool(_CREATED.search(line))
        if created <= 0:
            break
    below = psutil.Process(process.pid).children(recursive=True)
    killed = [each for each in below if _is_cli(each)]
    assert killed, "".join(lines)
    for each in killed:
        each.send_signal(signal.SIGKILL)
    lines += process.communicate(timeout=_TIMEOUT)[0].splitlines(keepends=True)
    assert process.returncode == 3, "".join(lines)
    _, alive = psutil.wait_procs(below, timeout=_TIMEOUT)
    assert not alive, [each.cmdline() for each in alive]


def _is_cli(process: psutil.Process) -> bool:
    try:
        return process.name() == "pulumi"
    except psutil.NoSuchProcess:
        return False


def living(local: Environment) -> inventory.Inventory:
    """Without what is known to be listed after its deletion, and without copies of parameters, which a function makes
    at its own time."""
    aws = local.aws.client
    return {
        (call, region): frozenset(
            each
            for each in found
            if not leftovers.is_known(aws, call, region, each) and not (region == COPIES and each.startswith(COPIED))
        )
        for (call, region), found in inventory.take(aws, REGIONS).items()
    }


def deploy(local: Environment, stack: str, moments: Sequence[int] = ()) -> Counter[tuple[str, str]]:
    """Deploy, killed at each of the `moments` (numbers of created resources) and completed by the next deployment; the
    number of new resources by listing call and region."""
    before = living(local)
    for each in moments:
        kill(local, stack, each)
    completed = local.dr("deploy", stack, "--yes")
    adopted = completed.count(": recorded as ")
    when = ", ".join(map(str, moments)) or "nothing"
    print(f"{stack} killed after {when}: {adopted} adopted, {reports.counts(completed)}")
    assert reports.kinds(local.dr("preview", stack)) == {stack: {"unchanged"}}
    new = inventory.difference(before, living(local))
    return Counter({where: len(found) for where, found in new.items()})


def test_a_deployment_that_was_killed_twice_is_completed(local: Environment, seed: int) -> None:
    """The other region, deployed undisturbed, has as many resources of each kind."""
    first, second = sorted(random.Random(seed).sample(range(1, SIZES["primary"] - 20), 2))
    disturbed, calm = deploy(local, "primary", [first, second - first]), deploy(local, "secondary")
    here, there = ({call: count for (call, _), count in each.items()} for each in (disturbed, calm))
    assert here == there
    assert "nothing of dev is left" in local.dr("destroy", "--yes")


@pytest.mark.nightly
@pytest.mark.parametrize(("stack", "moments"), [("primary", 4), ("secondary", 3), ("global", 3)])
def test_a_deployment_that_was_killed_at_any_moment_is_completed(
    local: Environment, seed: int, stack: str, moments: int
) -> None:
    """Ten moments; each deployment ends with the same resources as an undisturbed one of the same stack."""
    chosen = random.Random(f"{seed} {stack}")
    if stack == "global":
        local.dr("deploy", "primary", "--yes")
        local.dr("deploy", "secondary", "--yes")
    calm = deploy(local, stack)
    for _ in range(moments):
        local.dr("destroy", stack, "--yes")
        assert deploy(local, stack, [chosen.randrange(1, SIZES[stack])]) == calm
    assert "nothing of dev is left" in local.dr("destroy", "--yes")
