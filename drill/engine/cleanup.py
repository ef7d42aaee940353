"""Cleanup after a run that died: carries out the pending rollbacks in its log, the last change first, and restores the
baseline.

The baseline is both regions active and the writer in the primary one. A region that was taken down is fenced once the
other one has taken over, and stays so until a failback. Ending the outage is not enough, and no run log has the
failback as a pending rollback: the sentinel started the failover, not the drill.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.actions.events import UnsubscribeEvents
from drill.actions.faults import Recover
from drill.actions.parameters import RemoveParameter
from drill.actions.poison import RemovePoison
from drill.actions.regions import BringBack, StartFailback, Unfence, start
from drill.actions.restore import DeleteRestored
from drill.actions.sentinels import EnableSentinel
from drill.model.context import DrillContext, from_plain
from drill.model.errors import ActionError
from drill.preflight import control_records, functions
from drill.runlog.entries import CleanedUp, RolledBack
from drill.runlog.log import RunLog, is_cut_off, pending_rollbacks
from shared.deployment import Deployment
from shared.places import Place

_CHANGES = (
    Recover,
    RemovePoison,
    StartFailback,
    Unfence,
    BringBack,
    RemoveParameter,
    UnsubscribeEvents,
    DeleteRestored,
    EnableSentinel,
)
ROLLBACKS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in _CHANGES}
"""Every change that is a rollback, by its name in the run log (a test holds that none is missing)."""

RollBack = Callable[[Mapping[str, Any]], Awaitable[str]]
"""Carries out a rollback; what was done, in a few words. Doing it twice does no harm. Raises ActionError."""

RestoreBaseline = Callable[[], Awaitable[list[str]]]
"""Reverts what the system did by itself while the drill ran; what was done. Raises ActionError."""

_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5

_POLL_SECONDS = 0.5  # on this machine
_SETTLES_AWS_SECONDS = 60.0
"""A failover that a sentinel is about to begin begins within this (45 s by docs/architecture.md): it is waited for."""
_ENDS_AWS_SECONDS = 1800.0
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """The outcome of a cleanup, as sentences."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """Exit status."""
        return 3 if self.left else 0


class ActionRollback:
    """Carries out a rollback as the run itself would have."""

    def __init__(self, ctx: DrillContext, *, makes_faults: bool) -> None:
        self._ctx = ctx
        self._makes_faults = makes_faults

    async def __call__(self, rollback: Mapping[str, Any]) -> str:
        if rollback["change"] == Recover.__name__ and not self._makes_faults:
            raise ActionError("only the embedded AWS injects such faults, and only it can end them")
        try:
            change = from_plain(ROLLBACKS, rollback)
        except (KeyError, TypeError, ValueError) as error:
            raise ActionError(f"this version has no rollback {dict(rollback)}") from error
        detail = await change.do(self._ctx)
        return f"{change.name}: {detail}" if detail else change.name


async def clean_up(
    folder: Path, roll_back: RollBack, restore: RestoreBaseline, *, pause_seconds: float = _PAUSE_SECONDS
) -> Cleaned:
    """Carry out the pending rollbacks of the run in `folder`, independently of each other, and write each into its log;
    after a run that was cut off, restore the baseline too.

    Raises RunLogError when the log is broken, or its run still goes on.
    """
    cleaned = Cleaned()
    with RunLog.open(folder) as run_log:
        for pending in pending_rollbacks(run_log.entries()):
            try:
                detail = await _retried(roll_back, pending.rollback, pause_seconds)
            except ActionError as error:
                cleaned.left.append(f"{pending.name}: {error}")
                run_log.write(RolledBack(action=pending.action, outcome="failed", detail=str(error), by="cleanup"))
            else:
                cleaned.done.append(detail)
                run_log.write(RolledBack(action=pending.action, outcome="done", detail=detail, by="cleanup"))
        if not cleaned.left and is_cut_off(run_log.entries()):
            try:
                cleaned.done.extend(await restore())
            except ActionError as error:
                cleaned.left.append(str(error))
            else:
                run_log.write(CleanedUp(done=tuple(cleaned.done)))
    return cleaned


async def _retried(roll_back: RollBack, rollback: Mapping[str, Any], pause_seconds: float) -> str:
    for _ in range(_ATTEMPTS - 1):
        try:
            return await roll_back(rollback)
        except ActionError:
            await asyncio.sleep(pause_seconds)
    return await roll_back(rollback)


async def restore_baseline(deployment: Deployment, *, settles_aws_seconds: float = _SETTLES_AWS_SECONDS) -> list[str]:
    """Wait for running workflows, then fail back to each fenced region; what was done. Raises ActionError."""
    done: list[str] = []
    await _no_workflow_runs(deployment, settles_aws_seconds / deployment.speed)
    for place in await _called(lambda: _fenced(deployment)):
        done.append(await _fail_back(deployment, place))
    return done


async def _fail_back(deployment: Deployment, place: Place) -> str:
    """The failback is held while the region catches up, so it is started again."""
    region = deployment.region(place)
    request = {
        "region": region,
        "writer_region": deployment.region(Place.PRIMARY),
        "by": "drill cleanup",
        "reason": "a drill was cut off",
    }
    for _ in range(_TRIES):
        name = await asyncio.to_thread(start, deployment, "failback", place, request, prefix="drill-cleanup")
        await _no_workflow_runs(deployment, _POLL_SECONDS)
        if place not in await _called(lambda: _fenced(deployment)):
            return f"failed back to the {place} region by {name}"
        await asyncio.sleep(_SETTLES_AWS_SECONDS / 4 / deployment.speed)
    raise ActionError(f"{region} is still fenced after {_TRIES} failbacks; see the last one, {name}: make failback")


def _fenced(deployment: Deployment) -> list[Place]:
    return [place for place in Place if control_records.state(deployment, place).value != control_records.ACTIVE]


async def _no_workflow_runs(deployment: Deployment, seconds: float) -> None:
    """Wait until no failover and no failback has run for `seconds`, on this machine."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ENDS_AWS_SECONDS / deployment.speed
    quiet_since = loop.time()
    while loop.time() < deadline:
        running = await _called(lambda: [each for place in Place for each in functions.running(deployment, place)])
        if running:
            quiet_since = loop.time()
        elif loop.time() - quiet_since >= seconds:
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise ActionError(f"{', '.join(running) or 'a workflow'} does not end; see it, then clean up again")


async def _called(call: Callable[[], Any]) -> Any:
    try:
        return await asyncio.to_thread(call)
    except (BotoCoreError, ClientError) as error:
        raise ActionError(f"the baseline cannot be restored: {error}") from error
