"""`python -m drill run SCENARIO`: shows the plan, checks, asks, and does it to a deployed environment.

Exit status: 0 objectives met, 1 missed, 2 could not start, 3 rollback incomplete, 4 inconclusive; 130 and 143 when
interrupted.
"""

import asyncio
import shlex
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console

from drill.cli import live_view
from drill.cli.check import conclusion
from drill.cli.check import table as checked
from drill.cli.interrupts import until_done
from drill.cli.options import ENDPOINTS, LOCAL, ROOT, EndpointsFile, Env, Local, Root, agree, end, found, print_error
from drill.cli.plan import shown
from drill.cli.summary import summary
from drill.engine.deployed_run import Run
from drill.model.errors import ActionError, CouldNotStart, Inconclusive, WayBackIncomplete
from drill.model.faults import OutageKind
from drill.model.scenario import Scenario
from drill.observe.progress import Progress
from drill.preflight.finding import Severity
from drill.preflight.run import look
from drill.runlog import folders
from drill.scenarios.settings import SettingsError, chosen, settings
from drill.verdict import verdict
from shared.deployment import Deployment

_KEY = "DRILL_CLIENT_KEY"


def run(
    scenario: Annotated[str, typer.Argument(help="Name of a scenario (see `list`), or game-day for all.")],
    env: Env = "dev",
    here: Local = False,
    endpoints: EndpointsFile = ENDPOINTS,
    root: Root = ROOT,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Continue despite critical preflight findings.")] = False,
    rate: Annotated[float, typer.Option(help="Payments per second. They are real payments.")] = 5.0,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the generated payments; random, and printed, by default.")
    ] = None,
    kind: Annotated[
        str, typer.Option(help="How a lost region fails on the embedded AWS: error, reset or hang.")
    ] = OutageKind.RESET.value,
    client_key: Annotated[
        str,
        typer.Option(
            envvar=_KEY, show_default=False, help="API key of the load generator; prefer the environment variable."
        ),
    ] = "",
) -> None:
    """Run a scenario against a deployed environment under light load and write the report."""
    console = Console()
    try:
        scenarios = chosen(scenario, local=here or env == LOCAL)
    except SettingsError as error:
        raise end(2, f"Not started: {error}") from error
    console.print(shown(scenarios), highlight=False, markup=False, soft_wrap=True)
    deployment = found(env, here=here, endpoints=endpoints)
    key = _client_key(deployment, client_key)
    _refuse_unready(console, deployment, force=force)
    if not yes:
        agree(f"Type the environment's name to do this to {env}", env, deployment.environment)
    one = partial(_one, here=here, env=env, endpoints=endpoints, root=root, rate=rate, kind=kind, seed=seed)
    statuses = []
    for each in scenarios:
        statuses.append(one(console, each, deployment, key))
        if statuses[-1] not in (0, 1):
            break  # nothing more is done to an environment that is not as it was
    if len(scenarios) > 1:
        console.print(_series(scenarios, statuses), highlight=False)
    raise typer.Exit(_status(statuses))


def _client_key(deployment: Deployment, given: str) -> SecretStr:
    if given:
        return SecretStr(given)
    if deployment.local is None:
        raise end(2, f"Not started: the load needs a client's key; give it in {_KEY} (docs/runbooks/rotate-keys.md)")
    return deployment.local.client_key


def _refuse_unready(console: Console, deployment: Deployment, *, force: bool) -> None:
    readiness = look(deployment, datetime.now(UTC))
    worse = readiness.model_copy(
        update={"findings": [each for each in readiness.findings if each.severity is not Severity.OK]}
    )
    console.print(checked(worse), conclusion(readiness), highlight=False)
    if not readiness.ready and not force:
        raise end(2, "Not started: the preflight check found something critical; fix it, or pass --force")


def _one(
    console: Console,
    scenario: Scenario,
    deployment: Deployment,
    key: SecretStr,
    *,
    here: bool,
    env: str,
    endpoints: Path,
    root: Path,
    rate: float,
    kind: str,
    seed: int | None,
) -> int:
    """Exit status of this scenario alone."""
    try:
        made = settings(
            scenario, deployment, folders.new_folder(env, scenario.name, root=root), rate=rate, kind=kind, seed=seed
        )
    except SettingsError as error:
        raise end(2, f"Not started: {error}") from error
    interrupted: list[int] = []
    one = Run(settings=made, deployment=deployment, endpoints_file=endpoints, client_key=key, interrupted=interrupted)
    progress = Progress(title=scenario.title)
    console.print(f"\n{scenario.name} on {deployment.environment}, seed {made.seed}: {made.folder}", highlight=False)
    try:
        with live_view.view(progress, console):
            report = asyncio.run(until_done(one.perform(progress), interrupted, progress.line))
    except CouldNotStart as error:
        print_error(f"Could not start: {error}")
        return 2
    except Inconclusive as error:
        print_error(f"Inconclusive: {error}")
        return verdict.INCONCLUSIVE
    except WayBackIncomplete as error:
        then = _cleanup(made.folder, here=here, env=env, endpoints=endpoints, root=root)
        print_error(f"Rollback incomplete: {error}\nThen: {then}")
        return 3
    except ActionError as error:
        print_error(f"FAILED, and everything was taken back: {error}")
        return 1
    except (asyncio.CancelledError, KeyboardInterrupt):
        status = 128 + (interrupted[0] if interrupted else signal.SIGINT)
        print_error("Interrupted; what was changed was changed back.")
        return status
    console.print(summary(report, made.folder))
    return verdict.exit_status(report.checks)


def _cleanup(folder: Path, *, here: bool, env: str, endpoints: Path, root: Path) -> str:
    """What restores the rest, to be typed in this directory."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    words = [str(python), "-m", "drill", "cleanup", folder.name, "--env", env]
    if here:
        words.append("--local")
    if (here or env == LOCAL) and endpoints != ENDPOINTS:
        words += ["--endpoints", str(endpoints)]
    if root != ROOT:
        words += ["--root", str(root)]
    return shlex.join(words)


def _status(statuses: list[int]) -> int:
    """Of scenarios in a row. An inconclusive one does not hide that another one failed."""
    judged = max(status for status in (0, *statuses) if status != verdict.INCONCLUSIVE)
    return judged or max(statuses)


def _series(scenarios: list[Scenario], statuses: list[int]) -> str:
    words = {0: "passed", 1: "failed", 2: "could not start", 3: "rollback incomplete", 4: "inconclusive"}
    told = [*(words.get(status, "interrupted") for status in statuses), *["not run"] * len(scenarios)]
    return "\n".join(["", *(f"{word:>20}  {each.name}" for word, each in zip(told, scenarios, strict=False))])
