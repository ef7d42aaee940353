"""`dr drill cleanup`: rolls back what interrupted drills left. Exits with 3 if something remains."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from drill.cli.options import ENDPOINTS, ROOT, EndpointsOption, EnvOrLocalOption, RootOption, find_deployment
from drill.engine.cleanup import ActionRollback, Cleaned, clean_up, restore_baseline
from drill.model.context import DrillContext
from drill.model.faults import LocalFaults, OutageMode
from drill.runlog import folders as runlog_folders
from drill.runlog import log
from drill.runlog.entries import RunStarted
from drill.runlog.folders import NoRun
from drill.runlog.log import RunLogError
from shared.command_line import CouldNotStart, LocalOption, YesOption, confirm
from shared.deployment import Deployment


def cleanup(
    run: Annotated[
        str | None, typer.Argument(help="Folder name of a run; every run with a pending rollback by default.")
    ] = None,
    env: EnvOrLocalOption = "dev",
    local: LocalOption = False,
    endpoints: EndpointsOption = ENDPOINTS,
    root: RootOption = ROOT,
    yes: YesOption = False,
) -> None:
    """Roll back changes left by interrupted drills."""
    console = Console()
    try:
        folders = (
            [runlog_folders.chosen(env, run, root=root)]
            if run
            else runlog_folders.with_pending_rollbacks(env, root=root)
        )
        pending = {folder: log.pending_rollbacks(log.read(folder)) for folder in folders}
    except (NoRun, RunLogError, FileNotFoundError) as error:
        raise CouldNotStart(str(error)) from error
    if run and not pending[folders[0]] and not log.is_cut_off(log.read(folders[0])):
        pending = {}
    if not pending:
        console.print(f"nothing is left to roll back in {env}", highlight=False)
        return
    for folder, rollbacks in pending.items():
        console.print(f"pending rollback of {folder.name}:", highlight=False)
        for each in rollbacks:
            console.print(f"  {each.rollback['change']} for: {each.name}", highlight=False, markup=False)
        if log.is_cut_off(log.read(folder)):
            console.print("  the run was cut off: a failback, if a region is fenced now", highlight=False)
    confirm(f"Rolls this back in {env}.", env, yes=yes)
    deployment = find_deployment(env, on_this_machine=local, endpoints=endpoints)
    for folder in pending:
        _refuse_other_regions(deployment, folder)
    try:
        cleaned = asyncio.run(_clean(deployment, list(pending)))
    except RunLogError as error:
        raise CouldNotStart(str(error)) from error
    for sentence in cleaned.done:
        console.print(f"done: {sentence}", style="green", highlight=False, markup=False)
    for sentence in cleaned.left:
        console.print(f"left: {sentence}", style="bold red", highlight=False, markup=False)
    raise typer.Exit(cleaned.status)


def _refuse_other_regions(deployment: Deployment, folder: Path) -> None:
    """Refuses the run log of another environment by the same name."""
    started = next((each.entry for each in log.read(folder) if isinstance(each.entry, RunStarted)), None)
    if started is None:
        return
    regions = {place.value: region for place, region in deployment.regions.items()}
    logged = (started.environment, started.local, dict(started.regions))
    if logged != (deployment.environment, deployment.local is not None, regions):
        one = _described(started.environment, started.regions, local=started.local)
        other = _described(deployment.environment, regions, local=deployment.local is not None)
        raise CouldNotStart(f"{folder.name} was a drill of {one}, but found was {other}")


def _described(environment: str, regions: Mapping[str, str], *, local: bool) -> str:
    return f"{environment} in {' and '.join(regions.values())} {'on this machine' if local else 'on AWS'}"


async def _clean(deployment: Deployment, folders: list[Path]) -> Cleaned:
    control = deployment.local.control if deployment.local else ""  # AWS has no fault injector
    cleaned = Cleaned()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        ctx = DrillContext(deployment=deployment, faults=LocalFaults(client, control), outage_mode=OutageMode.ERROR)
        roll_back = ActionRollback(ctx, makes_faults=deployment.local is not None)
        for folder in folders:
            one = await clean_up(folder, roll_back, lambda: restore_baseline(deployment))
            cleaned.done.extend(one.done)
            cleaned.left.extend(one.left)
    return cleaned
