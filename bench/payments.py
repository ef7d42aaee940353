"""`python -m bench.payments`: CPU time of the embedded AWS, idle and for each accepted payment.

Compare CPU time: other programs on the machine change it hardly, in contrast to time by the clock. Exits with 2 if an
environment does not start, accepts no payment, or does not end.
"""

import asyncio
import math
import signal
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.checkouts import Checkout, Environment, EnvironmentFailed
from bench.paying import Answers, pay
from bench.spending import Sampler, cores, others, per_payment

_ENVIRONMENT = "dev"
_AFTERWARDS = 2.0  # seconds for the work that follows a payment: streams, the ledger
_TOTAL = "all"
_MEGABYTE = 1 << 20
_CORES, _EACH, _REST = "base load, cores", "CPU ms per accepted payment", "the run"

Figures = dict[tuple[str, str], float]  # by section of the table and name

console = Console()


@dataclass(frozen=True, kw_only=True)
class Run:
    """One environment. `base` is in cores, `each` in CPU milliseconds for an accepted payment, by kind of work."""

    base: dict[str, float]
    each: dict[str, float]
    answers: Answers
    memory: int  # peak megabytes (proportional set size) of the whole process tree
    others: float  # cores that other processes on the machine used meanwhile
    seconds: float  # from start to ready

    @property
    def figures(self) -> Figures:
        refused = self.answers.refused.total()
        rest = {
            "payments accepted": self.answers.accepted,
            "payments refused": refused,
            "latency p50, ms": self.answers.quantile(0.5),
            "latency p99, ms": self.answers.quantile(0.99),
            "peak memory (PSS), MB": self.memory,
            "others on the machine, % of a core": 100 * self.others,
            "ready after, s": self.seconds,
        }
        sections = {_CORES: with_total(self.base), _EACH: with_total(self.each), _REST: rest}
        return {(section, name): value for section, values in sections.items() for name, value in values.items()}

    def __str__(self) -> str:
        refused = ", ".join(f"{count} with {why}" for why, count in self.answers.refused.most_common()) or "none"
        return (
            f"{sum(self.base.values()):.3f} cores idle, {sum(self.each.values()):.1f} CPU ms per payment, "
            f"{self.memory} MB; {self.answers.accepted} accepted, refused: {refused}; other processes used "
            f"{self.others:.2f} cores"
        )


def main(
    rate: Annotated[float, typer.Option(help="payments a second", min=0.1)] = 30,
    seconds: Annotated[float, typer.Option(help="duration of the load", min=1)] = 15,
    speed: Annotated[float, typer.Option(help="AWS seconds per second", min=0.1, max=100)] = 6,
    runs: Annotated[int, typer.Option(help="runs of each checkout; medians are shown", min=1)] = 3,
    against: Annotated[Path | None, typer.Option(help="another checkout with its .venv, measured alternately")] = None,
) -> None:
    """Measure an environment that is started for each run and stopped afterwards."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # so that the environment is stopped
    try:
        checkouts = [*([Checkout.at(against)] if against else []), Checkout.here()]
        measured: list[list[Run]] = [[] for _ in checkouts]
        for number in range(runs):
            for checkout, made in zip(checkouts, measured, strict=True):
                made.append(_run(checkout, rate=rate, seconds=seconds, speed=speed))
                console.print(
                    f"run {number + 1} of {runs}, {checkout.name}: {made[-1]}", highlight=False, soft_wrap=True
                )
    except EnvironmentFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    title = f"{rate:g} payments a second at speed {speed:g}, medians of {runs} runs"
    console.print(table(title, [(each.name, medians(made)) for each, made in zip(checkouts, measured, strict=True)]))


def _run(checkout: Checkout, *, rate: float, seconds: float, speed: float) -> Run:
    with checkout.running(environment=_ENVIRONMENT, speed=speed) as environment:
        sampler = Sampler(environment.process)
        sampler.start()
        try:
            return _measure(environment, sampler, rate=rate, seconds=seconds, speed=speed)
        finally:
            sampler.stop()


def _measure(environment: Environment, sampler: Sampler, *, rate: float, seconds: float, speed: float) -> Run:
    """Measure base load and payments over equally long periods, after a warm-up of at least one AWS minute."""
    stretch = whole_minutes(seconds + _AFTERWARDS, speed)
    asyncio.run(pay(environment.endpoints, rate=rate, seconds=max(5.0, 60 / speed)))
    time.sleep(_AFTERWARDS)
    start = sampler.mark()
    time.sleep(stretch)
    rested = sampler.mark()
    answers = asyncio.run(pay(environment.endpoints, rate=rate, seconds=seconds))
    time.sleep(max(_AFTERWARDS, rested.at + stretch - time.monotonic()))
    paid = sampler.mark()
    if not answers.accepted:
        raise EnvironmentFailed(f"no payment was accepted: {dict(answers.refused)}")
    base = cores(start, rested)
    return Run(
        base=base,
        each=per_payment(rested, paid, base, answers.accepted),
        answers=answers,
        memory=sampler.peak_bytes // _MEGABYTE,
        others=others(start, paid),
        seconds=environment.seconds,
    )


def whole_minutes(seconds: float, speed: float) -> float:
    """`seconds` rounded up to whole AWS minutes: schedules run once a minute and belong to the base load."""
    return math.ceil(seconds * speed / 60) * 60 / speed


def with_total(by_kind: Mapping[str, float]) -> dict[str, float]:
    return {**dict(sorted(by_kind.items())), _TOTAL: sum(by_kind.values())}


def medians(runs: Sequence[Run]) -> Figures:
    """The median of each figure; a kind of work that a run did not have counts as zero."""
    figures = [run.figures for run in runs]
    names = dict.fromkeys(name for each in figures for name in each)
    return {name: statistics.median(each.get(name, 0.0) for each in figures) for name in names}


def ratio(before: float, after: float) -> str:
    """`after` divided by `before`; empty where both are noise."""
    return f"{after / before:.2f}" if before >= 0.001 and after >= 0 else ""


def table(title: str, checkouts: Sequence[tuple[str, Figures]]) -> Table:
    """One column for each checkout, and the ratio if there are two."""
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for name in (*(name for name, _ in checkouts), *(["ratio"] if len(checkouts) == 2 else [])):
        made.add_column(name, justify="right")
    for section, form in {_CORES: ".3f", _EACH: ".2f", _REST: ".0f"}.items():
        made.add_section()
        made.add_row(f"[bold]{section}[/bold]")
        every = dict.fromkeys(name for _, each in checkouts for of, name in each if of == section)
        for name in every if section == _REST else sorted(every, key=lambda name: (name == _TOTAL, name)):
            values = [figures.get((section, name), 0.0) for _, figures in checkouts]
            compared = [ratio(*values)] if len(values) == 2 else []
            made.add_row(f"  {name}", *(f"{value:{form}}" for value in values), *compared)
    return made


if __name__ == "__main__":
    typer.run(main)
