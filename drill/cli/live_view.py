"""Progress of a run: a live screen on a terminal, plain lines elsewhere (pipes, CI=true)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from drill.observe.progress import Progress, Stage
from drill.verdict.interruptions import SteadyRun, interruptions

_PLAIN_SECONDS = 5.0
_LINES = 3
_OTHER_LINES = 14  # of a screen: regions, rates, workflows, and details of steps
_FEWEST_STAGES = 4
_MARKS = {"done": ("✓", "green"), "failed": ("✗", "red")}


@contextmanager
def view(progress: Progress, console: Console) -> Iterator[None]:
    """Show `progress` while the block runs."""
    live = console.is_terminal and os.environ.get("CI", "").lower() not in ("1", "true")
    with _live(progress, console) if live else _plain(progress, console):
        yield


@contextmanager
def _live(progress: Progress, console: Console) -> Iterator[None]:
    screen = _Screen(progress, console)
    with Live(screen, console=console, refresh_per_second=4, vertical_overflow="visible"):
        yield


@contextmanager
def _plain(progress: Progress, console: Console) -> Iterator[None]:
    """One line for each stage that ends, each line of the environment, and the rates every few seconds."""

    def print_line(text: str) -> None:
        console.print(f"{progress.now():6.1f} s  {text}", highlight=False, markup=False, soft_wrap=True)

    def on_stage(stage: Stage) -> None:
        where = f" ({stage.region})" if stage.region else ""
        if stage.seconds is None:
            print_line(f"{stage.name}{where} …")
        else:
            detail = f": {stage.detail}" if stage.detail else ""
            print_line(f"{stage.name}{where} {stage.outcome} in {stage.seconds:.1f} s{detail}")

    stopping = threading.Event()

    def tick() -> None:
        while not stopping.wait(_PLAIN_SECONDS):
            if progress.load and progress.load.started is not None and progress.load.stopped is None:
                print_line("  " + "; ".join([rates(progress), *regions(progress), *workflows(progress)]))

    progress.on_stage = on_stage
    progress.on_line = lambda line: print_line(f"  {line}")
    ticker = threading.Thread(target=tick, name="plain-view", daemon=True)
    ticker.start()
    try:
        yield
    finally:
        stopping.set()
        ticker.join()


class _Screen:
    """The live screen, rendered from the current progress at each refresh."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._spinner = Spinner("dots")

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self._progress.chosen, style="dim")] if self._progress.chosen else []
        parts.append(self._stages())
        if self._progress.load:
            parts += [Text(), self._regions(), Text(rates(self._progress)), self._recovery()]
            parts += [Text(line, style="cyan") for line in workflows(self._progress)]
        elif lines := list(self._progress.lines)[-_LINES:]:
            parts += [Text(f"  {line}", style="dim", no_wrap=True, overflow="ellipsis") for line in lines]
        return Group(*parts)

    def _stages(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
        table.add_column(width=2)
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        stages = list(self._progress.stages)
        room = max(_FEWEST_STAGES, self._console.height - _OTHER_LINES)
        if len(stages) > room:
            table.add_row("", f"[dim]{len(stages) - room} earlier steps[/dim]", "")
        for stage in stages[-room:]:
            if stage.seconds is None:
                mark: RenderableType = self._spinner
                seconds = self._progress.now() - stage.at
            else:
                mark, seconds = Text(*_MARKS[stage.outcome]), stage.seconds
            name = f"{escape(stage.name)} [dim]{escape(stage.region or '')}[/dim]"
            if (stage.seconds is None and stage.detail) or stage.outcome == "failed":
                name += f"\n[dim]{escape(stage.detail)}[/dim]"
            table.add_row(mark, name, f"{seconds:.1f} s")
        return table

    def _regions(self) -> RenderableType:
        progress = self._progress
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("Region", "Place", "State", "Targets", "Database", "Answers/s", "Waiting writes"):
            right = heading in ("Answers/s", "Waiting writes")
            table.add_column(heading, justify="right" if right else "left", overflow="fold")
        recent = _recent(progress)
        for place, region in progress.regions.items():
            known = progress.status.regions.get(region)
            outage = known.outage if known else None
            states = [target.state for target in progress.status.targets_in(region)]
            healthy = bool(states) and set(states) == {"healthy"}
            table.add_row(
                region,
                place.value,
                Text(f"lost ({outage.get('kind', '?')})", style="red") if outage else Text("up", style="green"),
                Text(", ".join(states) or "none", style="green" if healthy else "yellow"),
                _database(progress, region),
                f"{recent.get(region, 0.0):.1f}",
                str(progress.status.replication.backlog.get(region, 0)),
            )
        return table

    def _recovery(self) -> RenderableType:
        elapsed, limit = interrupted(self._progress), self._progress.rto_limit
        if elapsed is None or not limit:
            return Text("Service: uninterrupted", style="green")
        seconds, over = elapsed
        style = "green" if seconds <= limit else "bold red"
        word = "restored after" if over else "interrupted for"
        line = Text(f"Service: {word} {seconds:.1f} s of {limit:.1f} s allowed ", style=style)
        bar = ProgressBar(total=limit, completed=min(seconds, limit), width=24, complete_style=style)
        table = Table.grid()
        table.add_row(line, bar)
        return table


def _database(progress: Progress, region: str) -> Text:
    member = next((each for each in progress.status.databases if each.region == region), None)
    if member is None:
        return Text("none", style="dim")
    if member.switching or not member.running:
        return Text(member.switching or f"{member.role}, down", style="yellow")
    lag = "" if member.lag_seconds is None else f", {member.lag_seconds:.1f} s behind"
    return Text(f"{member.role}{lag}", style="green")


def workflows(progress: Progress) -> list[str]:
    """The running workflows, one phrase each."""
    now = progress.started_at + progress.now()
    return [
        f"{run.kind.capitalize()} in {run.region}: {run.name}, for {max(0.0, now - (run.started or now)):.0f} s"
        for run in progress.status.workflows
        if run.is_running
    ]


def _recent(progress: Progress) -> dict[str, float]:
    return progress.load.record.recent(progress.now(), progress.window).by_region if progress.load else {}


def rates(progress: Progress) -> str:
    """Payments per second offered, accepted and failed, and how many are still open."""
    load = progress.load
    if load is None:
        return ""
    recent = load.record.recent(progress.now(), progress.window)
    return (
        f"Payments: {load.rate:g}/s offered, {recent.ok:.1f}/s accepted, {recent.failed:.1f}/s failed, "
        f"{load.unsettled} open, {len(load.record.acknowledged)} acknowledged"
    )


def regions(progress: Progress) -> list[str]:
    """One phrase per region: whether it is lost, and the states of its targets."""
    phrases = []
    for region in progress.regions.values():
        known = progress.status.regions.get(region)
        states = ",".join(target.state for target in progress.status.targets_in(region)) or "no target"
        phrases.append(f"{region} {'lost' if known and known.outage else 'up'}, {states}")
    return phrases


def interrupted(progress: Progress) -> tuple[float, bool] | None:
    """The duration of the first interruption after the outage so far, and whether it is over."""
    if progress.load is None or progress.disturbed is None:
        return None
    at = progress.disturbed.at
    after = [attempt for attempt in progress.load.record.attempts if attempt.ended >= at]
    found = interruptions(after, SteadyRun.of(progress.load.rate))
    if not found:
        return None
    first = found[0]
    return (progress.now() - first.start, False) if first.seconds is None else (first.seconds, True)
