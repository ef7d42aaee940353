"""`dr cost`: the monthly cost of an environment under a load, by stack and service, fixed and by use.

Computed from the registered resources (`ops.environment.resource_graph`) and one dated price table; it calls no AWS and
needs no account.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ops.cost import model, prices
from ops.cost.model import Estimate, Load
from ops.cost.pricers import PRICERS
from ops.environment import resource_graph
from shared.command_line import EnvOption, JsonOption, Refused

_DISCLAIMER = (
    "An estimate from the registered resources, not a bill: on demand, before free tiers, discounts, tax and support."
)
_LEAST = 0.005  # dollars; less is shown as nothing


def cost(
    env: EnvOption = "dev",
    compare: Annotated[list[str] | None, typer.Option(help="Another environment to compare; may be repeated.")] = None,
    payments_per_second: Annotated[float, typer.Option(min=0, help="Monthly average.")] = 1.0,
    reads_per_payment: Annotated[float, typer.Option(min=0, help="Status requests per payment.")] = 1.0,
    request_kb: Annotated[float, typer.Option(min=0.1, help="Size of one request and its response.")] = 2.0,
    function_ms: Annotated[float, typer.Option(min=0, help="Duration of one invocation.")] = 60.0,
    log_kb: Annotated[float, typer.Option(min=0, help="Size of one invocation's log lines.")] = 1.0,
    journal_gb: Annotated[float, typer.Option(min=0, help="Size of the journal table.")] = 10.0,
    database_gb: Annotated[float, typer.Option(min=0, help="Size of the database.")] = 10.0,
    database_acu: Annotated[
        float, typer.Option(min=0, help="Average capacity of a serverless writer; at least its minimum.")
    ] = 0.0,
    bucket_gb: Annotated[float, typer.Option(min=0, help="Size of the objects in the bucket.")] = 10.0,
    failovers: Annotated[float, typer.Option(min=0, help="Failovers per month, drills included.")] = 1.0,
    api_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of requests that use the API's own domain name.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Estimate the monthly cost of an environment.

    Computed from the resources that the programs register. Exits with 1 if the cost of one is unknown.
    """
    load = Load(
        payments_per_second=payments_per_second,
        reads_per_payment=reads_per_payment,
        request_kb=request_kb,
        function_ms=function_ms,
        log_kb=log_kb,
        journal_gb=journal_gb,
        database_gb=database_gb,
        database_acu=database_acu,
        bucket_gb=bucket_gb,
        failovers=failovers,
        api_share=api_share,
    )
    estimates = [estimate(each, resource_graph.rows(each), load) for each in dict.fromkeys([env, *(compare or [])])]
    if as_json:
        typer.echo(json.dumps(as_data(estimates), indent=2))
    else:
        console = Console()
        for part in (table(estimates), *notes(estimates)):
            console.print(part, highlight=False)
    if any(each.unknown or each.unpriced for each in estimates):
        raise Refused(
            "the estimate is incomplete: add a pricer (ops/cost/pricers.py), a price (ops/cost/prices.json) or the "
            "reason why a type is free (ops/cost/prices.py)"
        )


def estimate(environment: str, rows: resource_graph.Rows, load: Load) -> Estimate:
    """With all pricers and prices."""
    free = {**prices.FREE, **prices.NOT_ESTIMATED}
    return model.estimate(environment, rows, load, PRICERS, free, prices.table().by_key())


def table(estimates: Sequence[Estimate]) -> Table:
    """By stack and service, the fixed cost of each environment and the cost by use."""
    made = Table(title="US dollars a month", title_justify="left", show_footer=True, box=box.SIMPLE_HEAD)
    made.add_column("Stack", footer="all", no_wrap=True)
    made.add_column("Service", no_wrap=True)
    for each in estimates:
        made.add_column(f"{each.environment} fixed", justify="right", footer=_money(each.fixed))
        made.add_column("by use", justify="right", footer=_money(each.use))
    sums = [each.by("stack", "service") for each in estimates]
    last = ""
    for key in sorted({key for one in sums for key in one}, key=lambda key: (key[0] == "global", key)):
        cells = [one.get(key, (0.0, 0.0)) for one in sums]
        if max(max(each) for each in cells) >= _LEAST:
            stack, service = key
            made.add_row("" if stack == last else stack, service, *(_money(each) for cell in cells for each in cell))
            last = stack
    return made


def _money(dollars: float) -> str:
    return f"{dollars:,.2f}" if dollars >= _LEAST else "-"


def notes(estimates: Sequence[Estimate]) -> list[str]:
    """Totals, assumptions, and what the sums leave out."""
    lines = [f"{each.environment}: {_money(each.total)} in total" for each in estimates]
    load = asdict(estimates[0].load).items()
    lines += [_DISCLAIMER, "Assumed: " + ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in load)]
    if serverless := [each for each in estimates if any(line.price == "aurora-acu-hour" for line in each.lines)]:
        names = ", ".join(each.environment for each in serverless)
        lines.append(f"{names}: serverless databases are counted at their minimum capacity; see --database-acu.")
    for each in estimates:
        lines += [
            f"{each.environment}: {count} of {token}: unknown cost" for token, count in sorted(each.unknown.items())
        ]
        lines += [f"{each.environment}: no price for {price}" for price in sorted(each.unpriced)]
    lines += [f"Not estimated: {token.rpartition(':')[2]}: {why}" for token, why in prices.NOT_ESTIMATED.items()]
    every = prices.table().prices
    from_memory = sum(each.basis == "memory" for each in every)
    dates = sorted({str(each.as_of) for each in every})
    as_of = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    lines.append(f"{from_memory} of {len(every)} prices are from memory (as of {as_of}): see ops/cost/prices.json.")
    return lines


def as_data(estimates: Sequence[Estimate]) -> dict[str, Any]:
    """For programs: every line with its price, so that the sums can be recomputed."""
    found = prices.table()
    return {
        "currency": found.currency,
        "environments": {each.environment: _environment(each) for each in estimates},
        "not_estimated": dict(prices.NOT_ESTIMATED),
        "prices": [each.model_dump(mode="json") for each in found.prices],
    }


def _environment(one: Estimate) -> Mapping[str, Any]:
    return {
        "load": asdict(one.load),
        "fixed": round(one.fixed, 2),
        "by_use": round(one.use, 2),
        "total": round(one.total, 2),
        "lines": [asdict(line) for line in one.lines],
        "unknown_types": dict(sorted(one.unknown.items())),
        "missing_prices": dict(sorted(one.unpriced.items())),
    }
