"""Sweeping what Pulumi does not own, and telling what is left of an environment."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ops.teardown.sweeps import accelerator_groups, log_groups, managed_rules, parameters, recovery_points, snapshots
from ops.teardown.sweeps.kind import Ground, Kind

# Recovery points before snapshots: a backup's snapshot goes with its recovery point only.
KINDS = (
    recovery_points.KIND,
    snapshots.KIND,
    managed_rules.KIND,
    accelerator_groups.KIND,
    parameters.KIND,
    log_groups.KIND,
)
BLOCKING = tuple(kind for kind in KINDS if kind.blocks_regions)
_PAUSE = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Left:
    """Something that is still there, and why, where AWS said so."""

    what: str
    region: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.what} in {self.region}" + (f" ({self.why})" if self.why else "")


def sweep(
    grounds: Sequence[Ground], kinds: Iterable[Kind], say: Say, *, seconds: float, pause: float = _PAUSE
) -> list[Left]:
    """Remove all of `kinds` in `grounds`, again until nothing is left or `seconds` have passed; what is left then.

    Deletions take their time on AWS, and what has just gone is still listed for a while.
    """
    kinds = list(kinds)
    deadline = time.monotonic() + seconds
    while left := [each for kind in kinds for ground in grounds for each in _once(kind, ground, say)]:
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    return left


def _once(kind: Kind, ground: Ground, say: Say) -> list[Left]:
    """Ask for the removal of each; what is still there, or could not be looked at."""
    refused: dict[str, str] = {}
    try:
        for name in kind.find(ground):
            try:
                kind.remove(ground, name)
                say(f"removed {kind.name} {name} in {ground.region}")
            except ClientError as error:
                refused[name] = error.response["Error"]["Code"]
        still = kind.find(ground)
    except (ClientError, BotoCoreError) as error:
        return [Left(what=f"{kind.name}s that could not be listed", region=ground.region, why=str(error))]
    return [Left(what=f"{kind.name} {name}", region=ground.region, why=refused.get(name, "")) for name in still]
