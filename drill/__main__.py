"""The drill's command line: `python -m drill rehearse …`. Exit status: 0 objectives met, 1 missed, 2 could not start,
3 rollback incomplete, 4 inconclusive, as this machine is too slow; 130 and 143 when it was interrupted (everything is
brought back and stopped first)."""

import asyncio
import random
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from drill import cli
from drill.cli import live_view
from drill.cli.interrupts import until_done
from drill.cli.summary import outcome_table, summary
from drill.engine.rehearse import rehearse as run_rehearsal
from drill.engine.rehearse import rehearse_all as run_all
from drill.engine.rehearse import worst
from drill.model.errors import CouldNotStart, Inconclusive, WayBackIncomplete
from drill.model.faults import OutageKind
from drill.observe.progress import Progress
from drill.report.model import Report
from drill.scenarios.settings import RehearsalSettings, SettingsError
from drill.scenarios.simulated import SCENARIOS
from drill.verdict import verdict

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


cli.register(app)


@app.callback()
def drill() -> None:
    """Disaster recovery drills: inject a failure under load, measure what clients saw, verify that nothing was lost."""


Speed = Annotated[
    float | None,
    typer.Option(help="AWS seconds per second of this machine; chosen by calibration if omitted."),
]
Rate = Annotated[float | None, typer.Option(help="Payments per second; chosen by calibration if omitted.")]
Duration = Annotated[
    float | None, typer.Option(help="Seconds of load, apart from waits; as short as possible by default.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of the generated payments; random, and printed, by default.")]
Kind = Annotated[str, typer.Option(help="How a lost region fails: error, reset or hang.")]
Env = Annotated[str, typer.Option(help="Environment whose settings are deployed.")]
Output = Annotated[Path, typer.Option(help="Directory of the reports.")]


@app.command()
def rehearse(
    scenario: Annotated[str, typer.Option(help="Name of the scenario.")] = "region-loss",
    speed: Speed = None,
    rate: Rate = None,
    duration: Duration = None,
    seed: Seed = None,
    kind: Kind = OutageKind.RESET.value,
    env: Env = "dev",
    output: Output = Path("build/rehearsal"),
) -> None:
    """Rehearse a scenario on an embedded AWS on this machine, under load, and write the report."""
    console = Console()
    settings = _settings(
        console, scenario, speed=speed, rate=rate, duration=duration, seed=_drawn(seed), kind=kind, env=env,
        output=output,
    )  # fmt: skip
    _announce(console, f"Rehearsal {settings.scenario.name}", settings)
    report = _rehearse(console, settings)
    if report.verdict == "inconclusive" and settings.may_slow_down and not report.first_try:
        console.print(summary(report, settings.folder))
        report = _rehearse(console, _slower(console, settings, report.speed, report.first_broken or ""))
    console.print(summary(report, settings.folder))
    raise typer.Exit(verdict.exit_status(report.checks))


def _rehearse(console: Console, settings: RehearsalSettings) -> Report:
    """The report of one run, or of a second one at half the speed where the first did not reach its fault."""
    progress = Progress(title=settings.scenario.title)
    interrupted: list[int] = []
    try:
        with live_view.view(progress, console):
            return asyncio.run(until_done(run_rehearsal(settings, progress), interrupted, progress.line))
    except Inconclusive as error:
        if not (error.may_pass_slower and settings.may_slow_down):
            raise _end(console, verdict.INCONCLUSIVE, f"Inconclusive: {error}") from error
        console.print(f"Inconclusive: {error}", highlight=False, markup=False, soft_wrap=True)
        return _rehearse(console, _slower(console, settings, progress.speed or settings.speed, str(error)))
    except CouldNotStart as error:
        raise _end(console, 2, f"Could not start: {error}") from error
    except WayBackIncomplete as error:
        raise _end(console, 3, f"Rollback incomplete: {error}") from error
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        number = interrupted[0] if interrupted else signal.SIGINT
        raise _end(console, 128 + number, "Interrupted; the outage was undone and everything stopped.") from error


def _slower(console: Console, settings: RehearsalSettings, speed: float, why: str) -> RehearsalSettings:
    again = settings.at_half_speed(speed, why)
    console.print(
        f"\nThe run at speed {speed:g} was inconclusive; once more, at speed {again.speed:g} at the most.",
        highlight=False,
    )
    return again


@app.command("rehearse-all")
def rehearse_all(
    speed: Speed = None,
    rate: Rate = None,
    seed: Seed = None,
    kind: Kind = OutageKind.RESET.value,
    env: Env = "dev",
    output: Output = Path("build/rehearsal"),
) -> None:
    """Rehearse all scenarios one after the other and print a summary table."""
    console = Console()
    first = _drawn(seed)
    chosen = [
        _settings(
            console, name, speed=speed, rate=rate, duration=None, seed=first + number, kind=kind, env=env, output=output
        )
        for number, name in enumerate(SCENARIOS)
    ]
    _announce(console, f"Rehearsal of {len(chosen)} scenarios", chosen[0])
    interrupted: list[int] = []
    try:
        outcomes = asyncio.run(
            until_done(run_all(chosen, lambda progress: live_view.view(progress, console)), interrupted, console.print)
        )
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        number = interrupted[0] if interrupted else signal.SIGINT
        raise _end(console, 128 + number, "Interrupted; the outage was undone and everything stopped.") from error
    console.print(outcome_table(outcomes, output))
    raise typer.Exit(worst(outcome.status for outcome in outcomes))


def _drawn(seed: int | None) -> int:
    return random.SystemRandom().randrange(1_000_000) if seed is None else seed


def _settings(console: Console, scenario: str, *, env: str, **asked: Any) -> RehearsalSettings:
    try:
        return RehearsalSettings.checked(scenario=scenario, environment=env, **asked)
    except SettingsError as error:
        raise _end(console, 2, f"Not started: {error}") from error


def _announce(console: Console, what: str, settings: RehearsalSettings) -> None:
    chosen = "chosen by what this machine sustains"
    rate = f"rate {chosen}" if settings.given_rate is None else f"{settings.rate:g} payments/s"
    speed = f"speed {chosen}" if settings.given_speed is None else f"speed {settings.speed:g}"
    if settings.given_rate is settings.given_speed is None:
        rate, speed = "rate and speed", chosen
    console.print(
        f"{what}: {settings.environment}, {rate} {'' if rate == 'rate and speed' else 'at '}{speed}, outage kind "
        f"{settings.kind}, seed {settings.seed}",
        highlight=False,
        soft_wrap=True,
    )


def _end(console: Console, status: int, message: str) -> typer.Exit:
    console.print(message, style="bold red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(status)


if __name__ == "__main__":
    app()
