"""`dr drill plan SCENARIO`: the steps of a run and its objectives; `dr drill list`: the scenarios. No AWS calls."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from drill.model.objectives import NoTakeOver, Objectives, Planned
from drill.model.scenario import Scenario, Step, WaitFor
from drill.scenarios.deployed import DEPLOYED_SCENARIOS, GAME_DAY, GAME_DAY_TITLE
from drill.scenarios.settings import SettingsError, chosen
from drill.scenarios.simulated import SCENARIOS
from shared.command_line import CouldNotStart, JsonOption


def plan(scenario: Annotated[str, typer.Argument(help="Name of a scenario (see `dr drill list`).")]) -> None:
    """Show a scenario's steps, rollback and objectives. Read-only."""
    try:
        scenarios = chosen(scenario, local=True)
    except SettingsError as error:
        raise CouldNotStart(str(error)) from error
    Console().print(shown(scenarios), highlight=False, markup=False, soft_wrap=True)


def shown(scenarios: Sequence[Scenario]) -> str:
    """The plans, one after the other."""
    return "\n\n\n".join("\n".join(described(each)) for each in scenarios)


def described(scenario: Scenario) -> list[str]:
    """The plan, a line each."""
    lines = [f"{scenario.name}: {scenario.title}", "", "Must hold before and after"]
    lines += [f"  {each.statement}" for each in scenario.hypothesis.until]
    for title, steps in (("Method", scenario.method), ("Rollback, always", scenario.rollback)):
        lines += ["", title]
        for number, step in enumerate(steps, start=1):
            lines += [f"  {number}. {step.name}", *(f"     {detail}" for detail in _details(step))]
    lines += ["", "Must show", *(f"  {each}" for each in must_show(scenario.objectives))]
    if scenario.not_exercised:
        lines += ["", "Not exercised", *(f"  {each}" for each in scenario.not_exercised)]
    return lines


def _details(step: Step) -> Iterator[str]:
    if isinstance(step, WaitFor):
        yield from (f"until {each.statement}" for each in step.until)
        return
    rollback = getattr(step, "rollback", None)
    if rollback is not None:
        yield f"rolled back by: {rollback.name}"


def must_show(objectives: Objectives) -> Iterator[str]:
    """Objectives in words; `drill.verdict.verdict` holds a run against them."""
    service, take_over = objectives.service, objectives.take_over
    yield "no acknowledged payment is lost"
    yield "no payment is made twice"
    if overload := objectives.overload:
        yield f"full goodput returns by itself within {overload.within_seconds:g} s of the storm's end"
        if overload.rejects:
            yield "the flood exceeds what the region accepts"
        yield "targets stay healthy"
    elif objectives.timed:
        yield "payments are accepted again in time" if service.interrupted else "no payment is interrupted"
    if service.moves_to:
        yield f"traffic moves to the {service.moves_to} region by itself"
    if service.serves_both:
        yield "both regions serve while the fault lasts"
    if isinstance(take_over, NoTakeOver):
        yield "no failover starts"
        return
    if isinstance(take_over, Planned):
        wanted = {"failover": take_over.failovers, "failback": take_over.failbacks}
        for machine, count in wanted.items():
            if count:
                yield f"{count} planned {machine}, succeeded within {take_over.aws_seconds:g} AWS s"
        yield "a payment verifies each of them end to end"
        return
    who = "the sentinel" if take_over.by_sentinel else "an operator"
    yield f"one failover from the {take_over.lost} region, started by {who}"
    if take_over.promotes:
        yield f"the writer moves to the {take_over.lost.other} region"
    if take_over.failbacks:
        yield "the failback succeeds"


def list_scenarios(as_json: JsonOption = False) -> None:
    """List the available scenarios."""
    if as_json:
        typer.echo(json.dumps([{"name": name, "title": title, "runs on": where} for name, title, where in every()]))
        return
    table = Table(show_edge=False, pad_edge=False, header_style="dim", box=None)
    table.add_column("Scenario", no_wrap=True)
    table.add_column("What it does", overflow="fold")
    table.add_column("Runs on", no_wrap=True)
    for row in every():
        table.add_row(*row)
    Console().print(table)


def every() -> list[tuple[str, str, str]]:
    """Name, title, and where it runs. Scenarios that need the fault injector run on the embedded AWS only."""
    anywhere = {name: each.title for name, each in DEPLOYED_SCENARIOS.items()} | {GAME_DAY: GAME_DAY_TITLE}
    return [
        *((name, title, "AWS, local") for name, title in anywhere.items()),
        *((each.name, each.title, "local") for each in SCENARIOS.values()),
    ]
