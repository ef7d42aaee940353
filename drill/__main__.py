"""The drill's command line: `python -m drill rehearse …`. Exit status: 0 objectives met, 1 missed, 2 could not start,
3 way back incomplete; 130 and 143 when it was interrupted (everything is brought back and stopped first)."""

import asyncio
import random
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drill import verdict, view
from drill.progress import Progress
from drill.rehearse import rehearse as run_rehearsal
from drill.report.model import Report
from drill.runner import CouldNotStart, WayBackIncomplete
from drill.settings import RehearsalSettings, SettingsError
from drill.summary import summary

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def drill() -> None:
    """Disaster recovery drills: take something away, measure what clients saw, prove that nothing was lost."""


@app.command()
def rehearse(
    scenario: Annotated[str, typer.Option(help="What is lost, and how it comes back.")] = "region-loss",
    speed: Annotated[float, typer.Option(help="AWS seconds that pass in one second on this machine.")] = 5.0,
    rate: Annotated[float, typer.Option(help="Payments offered each second.")] = 50.0,
    duration: Annotated[float, typer.Option(help="How long payments are sent, in seconds on this machine.")] = 40.0,
    seed: Annotated[int | None, typer.Option(help="Makes the payments; chosen and told if left out.")] = None,
    kind: Annotated[str, typer.Option(help="How the lost region fails: error, reset or hang.")] = "error",
    env: Annotated[str, typer.Option(help="The environment whose settings are deployed.")] = "dev",
    output: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("build/rehearsal"),
) -> None:
    """Rehearse a scenario on an embedded AWS on this machine, under load, and report."""
    console = Console()
    try:
        settings = RehearsalSettings.checked(
            scenario=scenario,
            environment=env,
            speed=speed,
            rate=rate,
            duration=duration,
            seed=random.SystemRandom().randrange(1_000_000) if seed is None else seed,
            kind=kind,
            output=output,
        )
    except SettingsError as error:
        raise _end(console, 2, f"Not started: {error}") from error
    progress = Progress(title=settings.scenario.title)
    console.print(
        f"Rehearsal {settings.scenario.name}: {settings.environment}, {settings.rate:g} payments/s for "
        f"{settings.duration:g} s at speed {settings.speed:g}, outage kind {settings.kind}, seed {settings.seed}",
        highlight=False,
        soft_wrap=True,
    )
    interrupted: list[int] = []
    try:
        with view.view(progress, console):
            report = asyncio.run(_until_done(settings, progress, interrupted))
    except CouldNotStart as error:
        raise _end(console, 2, f"Could not start: {error}") from error
    except WayBackIncomplete as error:
        raise _end(console, 3, f"The way back is incomplete: {error}") from error
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        number = interrupted[0] if interrupted else signal.SIGINT
        raise _end(console, 128 + number, "Interrupted; the outage was undone and everything stopped.") from error
    console.print(summary(report, settings.folder))
    raise typer.Exit(verdict.exit_status(report.checks))


async def _until_done(settings: RehearsalSettings, progress: Progress, interrupted: list[int]) -> Report:
    """Ctrl-C and SIGTERM cancel the run once, so that it can go its way back; further ones wait for that."""
    task = asyncio.current_task()
    assert task is not None

    def interrupt(number: int) -> None:
        if not interrupted:
            interrupted.append(number)
            progress.line("interrupted: going the way back")
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    return await run_rehearsal(settings, progress)


def _end(console: Console, status: int, message: str) -> typer.Exit:
    console.print(message, style="bold red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(status)


if __name__ == "__main__":
    app()
