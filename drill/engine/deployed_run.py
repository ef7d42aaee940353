"""A run on an environment that is deployed already, on AWS or on this machine, from its folder to its report.

On any early exit, reverts the run's changes and the failover they caused.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import SecretStr

from drill.engine.cleanup import ROLLBACKS, restore_baseline
from drill.engine.environment import DeployedEnvironment, sampled
from drill.engine.run import Run
from drill.model.context import from_plain
from drill.model.errors import ActionError, CouldNotStart, Inconclusive, RollbackIncomplete
from drill.observe.progress import Progress
from drill.report.model import Report
from drill.runlog.entries import RunEnded, VerdictReached
from drill.runlog.log import RunLog, pending_rollbacks
from drill.scenarios.settings import RunSettings
from drill.verdict.verdict import INCONCLUSIVE
from shared.deployment import Deployment


@dataclass(frozen=True, kw_only=True)
class DeployedRun:
    settings: RunSettings
    deployment: Deployment
    endpoints_file: Path  # of the embedded AWS
    client_key: SecretStr
    interrupted: list[int]  # signals; filled while it runs

    async def perform(self, progress: Progress) -> Report:
        """Raises CouldNotStart, RollbackIncomplete, and ActionError when a change failed and everything was rolled
        back; a cancelled run rolls back first."""
        with RunLog.open(self.settings.folder, secrets=(self.client_key.get_secret_value(),)) as run_log:
            async with self._environment() as environment:
                run = Run(settings=self.settings, environment=environment, progress=progress, run_log=run_log)
                try:
                    result = await run.perform()
                except (CouldNotStart, Inconclusive) as error:
                    run_log.write(RunEnded(status=2 if isinstance(error, CouldNotStart) else INCONCLUSIVE))
                    raise
                except (asyncio.CancelledError, ActionError) as error:
                    _refuse_pending(run_log)
                    await self._restore_baseline(progress)
                    self._cut_short(run_log, error)
                    raise
            return run.report(result)

    @asynccontextmanager
    async def _environment(self) -> AsyncIterator[DeployedEnvironment]:
        local, ca_file = self.deployment.local, None
        certificates = self.deployment.endpoints.certificates_pem
        if local is None and certificates:
            ca_file = self.settings.folder / "certificates.pem"
            ca_file.write_text(certificates)
        async with sampled(lambda: _tree(local.pid) if local else []) as sampler:
            yield DeployedEnvironment(
                deployment=self.deployment,
                client_key=self.client_key,
                ca_file=local.ca_file if local else ca_file,
                sampler=sampler,
                directory=self.endpoints_file.resolve().parent,
            )

    async def _restore_baseline(self, progress: Progress) -> None:
        """Revert what the system did by itself too. Raises RollbackIncomplete."""
        with progress.stage("restore the baseline") as stage:
            try:
                stage.detail = "; ".join(await restore_baseline(self.deployment)) or "nothing to restore"
            except ActionError as error:
                raise RollbackIncomplete(f"left to do: {error}") from error
            except asyncio.CancelledError as error:
                raise RollbackIncomplete("left to do: restore the baseline, which was interrupted") from error

    def _cut_short(self, run_log: RunLog, error: BaseException) -> None:
        if isinstance(error, ActionError):
            run_log.write(VerdictReached(verdict="failed", first_broken=str(error)))
            run_log.write(RunEnded(status=1))
        else:
            run_log.write(RunEnded(status=128 + (self.interrupted[0] if self.interrupted else 0)))


def _refuse_pending(run_log: RunLog) -> None:
    """A rollback can be interrupted itself. Raises RollbackIncomplete."""
    if pending := pending_rollbacks(run_log.entries()):
        left = "; ".join(from_plain(ROLLBACKS, each.rollback).name for each in pending)
        raise RollbackIncomplete(f"left to do: {left}")


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
