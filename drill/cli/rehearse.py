"""`dr rehearse`: runs a scenario, or all of them, on an embedded AWS on this machine, and writes the report.

A run that is inconclusive, or misses nothing but times, is repeated once at half the speed, unless a speed was given.
"""

import asyncio
import random
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from drill.cli import live_view
from drill.cli.interrupts import drill_errors, until_done
from drill.cli.options import SeedOption
from drill.cli.summary import distribution_table, outcome_table, repetition, summary
from drill.engine.rehearse import Outcome, worst
from drill.engine.rehearse import rehearse as run_rehearsal
from drill.engine.rehearse import rehearse_all as run_all
from drill.model import errors
from drill.model.faults import OutageMode
from drill.observe.progress import Progress
from drill.report import repeated_files
from drill.report.model import Report
from drill.scenarios.settings import RehearsalSettings, SettingsError
from drill.scenarios.simulated import LONG, SCENARIOS
from drill.verdict import verdict
from shared.command_line import CouldNotStart, EnvOption, NlbTailOption, OutageModeOption
from shared.local_aws import Engine

_DEFAULT = "region-loss"


def rehearse(
    scenario: Annotated[
        str, typer.Argument(help=f"Name of the scenario (see `dr drill list`); {_DEFAULT} by default.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Rehearse every scenario but those of --hours and print a summary table.")
    ] = False,
    hours: Annotated[
        bool, typer.Option("--hours", help=f"Rehearse every scenario that takes AWS hours: {', '.join(LONG)}.")
    ] = False,
    speed: Annotated[
        float | None, typer.Option(help="AWS seconds per second on this machine; chosen by calibration if omitted.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Payments per second; chosen by calibration if omitted.")] = None,
    duration: Annotated[
        float | None, typer.Option(help="Seconds of load, not counting waits; the shortest possible by default.")
    ] = None,
    seed: SeedOption = None,
    outage_mode: OutageModeOption = OutageMode.RESET.value,
    nlb_tail: NlbTailOption = 0.0,
    engine: Annotated[
        str, typer.Option(help=f"What deploys the stacks: {' or '.join(Engine)}, which needs the Pulumi CLI.")
    ] = Engine.LOCALAWS.value,
    repeat: Annotated[
        int, typer.Option(min=1, help="Run the scenario so many times, with seeds from --seed on, and compare.")
    ] = 1,
    env: EnvOption = "dev",
    output: Annotated[Path, typer.Option(help="Directory of the reports.")] = Path("build/rehearsal"),
) -> None:
    """Rehearse a scenario on this machine and write the report.

    Deploys the stacks on an embedded AWS and injects the failure under load.
    """
    console = Console()
    given: dict[str, Any] = {
        "speed": speed, "rate": rate, "duration": duration, "outage_mode": outage_mode, "environment": env,
        "output": output, "nlb_tail": nlb_tail, "engine": engine,
    }  # fmt: skip
    first_seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    if repeat > 1:
        if every or hours:
            raise CouldNotStart("--repeat runs one scenario; leave out --all and --hours")
        seeds = range(first_seed, first_seed + repeat)
        name = scenario or _DEFAULT
        chosen = [_settings(scenario=name, seed=seed, is_repeated=True, **given) for seed in seeds]
        raise typer.Exit(_repeat(console, chosen))
    if not (every or hours):
        settings = _settings(scenario=scenario or _DEFAULT, seed=first_seed, **given)
        raise typer.Exit(_one(console, settings))
    if scenario or duration is not None:
        raise CouldNotStart(
            "--all and --hours rehearse every scenario as briefly as possible; name no scenario and no --duration"
        )
    names = [name for name in SCENARIOS if (name in LONG and hours) or (name not in LONG and every)]
    chosen = [_settings(scenario=name, seed=first_seed + number, **given) for number, name in enumerate(names)]
    raise typer.Exit(_all(console, chosen, output))


def _settings(**given: Any) -> RehearsalSettings:
    try:
        return RehearsalSettings.checked(**given)
    except SettingsError as error:
        raise CouldNotStart(str(error)) from error


def _one(console: Console, settings: RehearsalSettings) -> int:
    _announce(console, f"Rehearsal {settings.scenario.name}", settings)
    report = _rehearse(console, settings)
    if verdict.may_pass_slower(report.checks) and settings.may_slow_down and not report.first_try:
        console.print(summary(report, settings.folder))
        report = _rehearse(console, _slower(console, settings, report.speed, report.first_broken or ""))
    console.print(summary(report, settings.folder))
    return verdict.exit_status(report.checks)


def _rehearse(console: Console, settings: RehearsalSettings) -> Report:
    """The report of one run, or of a second one at half the speed if the first ended before its fault."""
    progress = Progress(title=settings.scenario.title)
    interrupted: list[int] = []
    with drill_errors(interrupted):
        try:
            with live_view.view(progress, console):
                return asyncio.run(until_done(run_rehearsal(settings, progress), interrupted, progress.line))
        except errors.Inconclusive as error:
            if not (error.may_pass_slower and settings.may_slow_down):
                raise
            console.print(f"Inconclusive: {error}", highlight=False, markup=False, soft_wrap=True)
            slower = _slower(console, settings, progress.speed or settings.speed, str(error))
    return _rehearse(console, slower)


def _slower(console: Console, settings: RehearsalSettings, speed: float, why: str) -> RehearsalSettings:
    again = settings.at_half_speed(speed, why)
    console.print(
        f"\nThe run at speed {speed:g} may have been too fast for this machine; it is repeated at speed "
        f"{again.speed:g} or less.",
        highlight=False,
    )
    return again


def _all(console: Console, chosen: list[RehearsalSettings], output: Path) -> int:
    _announce(console, f"Rehearsal of {len(chosen)} scenarios", chosen[0])
    if minutes := sum(each.shortest_minutes for each in chosen if each.scenario.takes_hours):
        console.print(f"Those that take AWS hours need {minutes:.0f} minutes and more.", highlight=False)
    interrupted: list[int] = []
    with drill_errors(interrupted):
        work = run_all(chosen, lambda progress: live_view.view(progress, console))
        outcomes = asyncio.run(until_done(work, interrupted, console.print))
    console.print(outcome_table(outcomes, output))
    return worst(outcome.status for outcome in outcomes)


def _repeat(console: Console, chosen: list[RehearsalSettings]) -> int:
    """Reports also on the runs before an interrupt."""
    first, last = chosen[0], chosen[-1]
    _announce(console, f"{len(chosen)} rehearsals of {first.scenario.name}", first)
    console.print(f"Seeds {first.seed} to {last.seed}", highlight=False)
    outcomes: list[Outcome] = []
    interrupted: list[int] = []
    try:
        with drill_errors(interrupted):
            work = run_all(chosen, lambda progress: live_view.view(progress, console), outcomes=outcomes, is_fresh=True)
            asyncio.run(until_done(work, interrupted, console.print))
    finally:
        if outcomes:
            folder = first.output / first.scenario.name
            summarized = repetition(first, outcomes, requested=len(chosen))
            repeated_files.write(summarized, folder)
            console.print(distribution_table(summarized, folder))
    return worst(outcome.status for outcome in outcomes)


def _announce(console: Console, title: str, settings: RehearsalSettings) -> None:
    calibrated = "chosen by calibration"
    if settings.given_rate is settings.given_speed is None:
        pace = f"rate and speed {calibrated}"
    else:
        rate = f"rate {calibrated}" if settings.given_rate is None else f"{settings.rate:g} payments/s"
        speed = f"speed {calibrated}" if settings.given_speed is None else f"speed {settings.speed:g}"
        pace = f"{rate} at {speed}"
    console.print(
        f"{title}: {settings.environment}, {pace}, outage mode {settings.outage_mode}, seed {settings.seed}",
        highlight=False,
        soft_wrap=True,
    )
