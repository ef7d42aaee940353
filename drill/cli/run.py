"""`dr drill run SCENARIO`: shows the plan, runs the preflight check, asks for confirmation, and runs the drill."""

import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console

from drill.cli import live_view
from drill.cli.check import conclusion
from drill.cli.check import table as checked
from drill.cli.interrupts import RollbackIncomplete, drill_errors, until_done
from drill.cli.options import (
    ENDPOINTS,
    LOCAL,
    ROOT,
    EndpointsOption,
    EnvOrLocalOption,
    RootOption,
    SeedOption,
    find_deployment,
)
from drill.cli.plan import shown
from drill.cli.summary import summary
from drill.engine.deployed_run import DeployedRun
from drill.model.faults import OutageMode
from drill.model.scenario import Scenario
from drill.observe.progress import Progress
from drill.preflight.finding import Severity
from drill.preflight.run import check_readiness
from drill.runlog import folders
from drill.scenarios.deployed import GAME_DAY
from drill.scenarios.settings import SettingsError, chosen, settings
from drill.verdict import verdict
from shared.command_line import (
    CommandError,
    CouldNotStart,
    LocalOption,
    OutageModeOption,
    YesOption,
    confirm,
    print_error,
)
from shared.deployment import Deployment

_KEY = "DRILL_CLIENT_KEY"


def run(
    scenario: Annotated[
        str, typer.Argument(help=f"Name of a scenario (see `dr drill list`); {GAME_DAY} runs all that AWS allows.")
    ] = GAME_DAY,
    env: EnvOrLocalOption = "dev",
    local: LocalOption = False,
    endpoints: EndpointsOption = ENDPOINTS,
    root: RootOption = ROOT,
    yes: YesOption = False,
    force: Annotated[bool, typer.Option("--force", help="Continue despite critical preflight findings.")] = False,
    rate: Annotated[float, typer.Option(help="Payments per second. They are real payments.")] = 5.0,
    seed: SeedOption = None,
    outage_mode: OutageModeOption = OutageMode.RESET.value,
    client_key: Annotated[
        str,
        typer.Option(
            envvar=_KEY, show_default=False, help="API key of the load generator; prefer the environment variable."
        ),
    ] = "",
) -> None:
    """Run a scenario against a deployed environment.

    Sends a light load of real payments, and writes the report.
    """
    console = Console()
    try:
        scenarios = chosen(scenario, local=local or env == LOCAL)
    except SettingsError as error:
        raise CouldNotStart(str(error)) from error
    console.print(shown(scenarios), highlight=False, markup=False, soft_wrap=True)
    deployment = find_deployment(env, on_this_machine=local, endpoints=endpoints)
    key = _client_key(deployment, client_key)
    _refuse_unready(console, deployment, force=force)
    regions = " and ".join(deployment.regions.values())
    confirm(
        f"Runs {scenario} against {deployment.environment} in {regions}, with {rate:g} payments per second.",
        env,
        deployment.environment,
        yes=yes,
    )
    series = _Series(
        env=env, local=local, endpoints=endpoints, root=root, rate=rate, outage_mode=outage_mode, seed=seed
    )
    statuses = []
    for each in scenarios:
        statuses.append(series.run(console, each, deployment, key))
        if statuses[-1] not in (0, 1):
            break  # the environment may not be as it was: nothing more is done to it
    if len(scenarios) > 1:
        console.print(_outcomes(scenarios, statuses), highlight=False)
    raise typer.Exit(_status(statuses))


def _client_key(deployment: Deployment, given: str) -> SecretStr:
    if given:
        return SecretStr(given)
    if deployment.local is None:
        raise CouldNotStart(f"the load needs a client's API key; set {_KEY} (docs/runbooks/rotate-keys.md)")
    return deployment.local.client_key


def _refuse_unready(console: Console, deployment: Deployment, *, force: bool) -> None:
    readiness = check_readiness(deployment, datetime.now(UTC))
    worse = readiness.model_copy(
        update={"findings": [each for each in readiness.findings if each.severity is not Severity.OK]}
    )
    console.print(checked(worse), conclusion(readiness), highlight=False)
    if not readiness.ready and not force:
        raise CouldNotStart("the preflight check found something critical; fix it, or pass --force")


@dataclass(frozen=True, kw_only=True)
class _Series:
    """Options that the scenarios of one command share."""

    env: str
    local: bool
    endpoints: Path
    root: Path
    rate: float
    outage_mode: str
    seed: int | None

    def run(self, console: Console, scenario: Scenario, deployment: Deployment, key: SecretStr) -> int:
        """The exit code of this scenario alone."""
        folder = folders.new_folder(self.env, scenario.name, root=self.root)
        try:
            made = settings(scenario, deployment, folder, rate=self.rate, outage_mode=self.outage_mode, seed=self.seed)
        except SettingsError as error:
            raise CouldNotStart(str(error)) from error
        interrupted: list[int] = []
        one = DeployedRun(
            settings=made,
            deployment=deployment,
            endpoints_file=self.endpoints,
            client_key=key,
            interrupted=interrupted,
        )
        progress = Progress(title=scenario.title)
        console.print(f"\n{scenario.name} on {deployment.environment}, seed {made.seed}: {folder}", highlight=False)
        try:
            with drill_errors(interrupted), live_view.view(progress, console):
                report = asyncio.run(until_done(one.perform(progress), interrupted, progress.line))
        except RollbackIncomplete as error:
            return print_error(RollbackIncomplete(f"{error}\nThen: {self._cleanup(folder)}"))
        except CommandError as error:
            return print_error(error)
        console.print(summary(report, folder))
        return verdict.exit_status(report.checks)

    def _cleanup(self, folder: Path) -> str:
        """The command that rolls back the rest, to be run in this directory."""
        python = Path(sys.executable)
        if python.is_relative_to(Path.cwd()):
            python = python.relative_to(Path.cwd())
        # A checkout whose environment was installed before `dr` existed must be able to clean up too.
        script = python.with_name("dr")
        start = [str(script), "drill"] if script.exists() else [str(python), "-m", "drill"]
        words = [*start, "cleanup", folder.name, "--env", self.env]
        if self.local:
            words.append("--local")
        if (self.local or self.env == LOCAL) and self.endpoints != ENDPOINTS:
            words += ["--endpoints", str(self.endpoints)]
        if self.root != ROOT:
            words += ["--root", str(self.root)]
        return shlex.join(words)


def _status(statuses: Sequence[int]) -> int:
    """Of scenarios in a row. An inconclusive one does not hide that another one failed."""
    judged = max(status for status in (0, *statuses) if status != verdict.INCONCLUSIVE)
    return judged or max(statuses)


def _outcomes(scenarios: Sequence[Scenario], statuses: Sequence[int]) -> str:
    names = {0: "passed", 1: "failed", 2: "could not start", 3: "rollback incomplete", 4: "inconclusive"}
    outcomes = [*(names.get(status, "interrupted") for status in statuses), *["not run"] * len(scenarios)]
    return "\n".join(["", *(f"{name:>20}  {each.name}" for name, each in zip(outcomes, scenarios, strict=False))])
