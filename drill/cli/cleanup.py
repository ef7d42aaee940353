"""`python -m drill cleanup`: restore an environment after a drill that died. Exit status 3 if something is left."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from drill.cli.options import ENDPOINTS, ROOT, EndpointsFile, Env, Local, Root, agree, end, found
from drill.engine.cleanup import Cleaned, ThroughActions, clean_up
from drill.engine.restore import come_home
from drill.model.change import Surroundings
from drill.model.faults import LocalFaults, OutageKind
from drill.model.target import Site
from drill.runlog import folders as runlog_folders
from drill.runlog import log
from drill.runlog.entries import RunStarted
from drill.runlog.folders import NoRun
from drill.runlog.log import JournalError
from shared.deployment import Deployment


def cleanup(
    run: Annotated[
        str | None, typer.Argument(help="Folder name of a run; every run with a pending rollback by default.")
    ] = None,
    env: Env = "dev",
    here: Local = False,
    endpoints: EndpointsFile = ENDPOINTS,
    root: Root = ROOT,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Roll back changes left by interrupted drills."""
    console = Console()
    try:
        folders = [runlog_folders.chosen(env, run, root=root)] if run else runlog_folders.owing(env, root=root)
        owed = {folder: log.pending_undos(log.read(folder)) for folder in folders}
    except (NoRun, JournalError, FileNotFoundError) as error:
        raise end(2, f"Not started: {error}") from error
    if run and not owed[folders[0]] and not log.is_cut_off(log.read(folders[0])):
        owed = {}
    if not owed:
        console.print(f"nothing is left to undo in {env}", highlight=False)
        return
    for folder, undos in owed.items():
        console.print(f"{folder.name} owes:", highlight=False)
        for each in undos:
            console.print(f"  {each.undo['change']} for: {each.name}", highlight=False, markup=False)
        if log.is_cut_off(log.read(folder)):
            console.print("  it was cut off: a failback, if a region is fenced now", highlight=False)
    if not yes:
        agree(f"Type the environment's name to undo this in {env}", env)
    deployment = found(env, here=here, endpoints=endpoints)
    for folder in owed:
        _refuse_other_regions(deployment, folder)
    try:
        cleaned = asyncio.run(_clean(deployment, list(owed)))
    except JournalError as error:
        raise end(2, f"Not started: {error}") from error
    for sentence in cleaned.done:
        console.print(f"done: {sentence}", style="green", highlight=False, markup=False)
    for sentence in cleaned.left:
        console.print(f"left: {sentence}", style="bold red", highlight=False, markup=False)
    raise typer.Exit(cleaned.status)


def _refuse_other_regions(deployment: Deployment, folder: Path) -> None:
    """A journal of another environment by the same name must not be undone here."""
    started = next((each.entry for each in log.read(folder) if isinstance(each.entry, RunStarted)), None)
    here = {place.value: region for place, region in deployment.regions.items()}
    if started is None:
        return
    told = (started.environment, started.local, dict(started.regions))
    if told != (deployment.environment, deployment.local is not None, here):
        one = _side(started.environment, started.regions, local=started.local)
        other = _side(deployment.environment, here, local=deployment.local is not None)
        raise end(2, f"Not started: {folder.name} was a drill of {one}, but found was {other}")


def _side(environment: str, regions: Mapping[str, str], *, local: bool) -> str:
    return f"{environment} in {' and '.join(regions.values())} {'on this machine' if local else 'on AWS'}"


async def _clean(deployment: Deployment, folders: list[Path]) -> Cleaned:
    control = deployment.local.control if deployment.local else ""  # on AWS nothing makes faults
    cleaned = Cleaned()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        around = Surroundings(faults=LocalFaults(client, control), site=Site.of(deployment), kind=OutageKind.ERROR)
        take_back = ThroughActions(around, makes_faults=deployment.local is not None)
        for folder in folders:
            one = await clean_up(folder, take_back, lambda: come_home(deployment))
            cleaned.done.extend(one.done)
            cleaned.left.extend(one.left)
    return cleaned
