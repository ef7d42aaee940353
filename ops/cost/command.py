"""`python -m ops cost`: what an environment costs in a month under a load, by stack and service, fixed and by use.

From what the programs register (`ops.environment.resource_graph`) and one dated table of prices; it asks no AWS and
needs no account.
"""

import json
from typing import Annotated

import typer
from rich.console import Console

from ops.cli.errors import Refused, said
from ops.cost import free as cost_free
from ops.cost import model, report
from ops.cost import pricers as cost_pricers
from ops.cost import prices as cost_prices
from ops.cost.model import Load
from ops.environment import resource_graph

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Amount = Annotated[float, typer.Option(min=0)]
Share = Annotated[float, typer.Option(min=0, max=1, help="Share of requests that use the API's own domain name.")]


@app.command("cost")
def cost(
    env: Annotated[str, typer.Option("--env", help="Environment, as in Pulumi.<env>.yaml.")] = "dev",
    compare: Annotated[list[str] | None, typer.Option(help="Another environment to compare; may be repeated.")] = None,
    payments_per_second: Annotated[float, typer.Option(min=0, help="Monthly average.")] = 1.0,
    reads_per_payment: Amount = 1.0,
    request_kb: Annotated[float, typer.Option(min=0.1, help="Size of one request and its response.")] = 2.0,
    function_ms: Amount = 60.0,
    log_kb: Amount = 1.0,
    journal_gb: Amount = 10.0,
    database_gb: Amount = 10.0,
    database_acu: Annotated[
        float, typer.Option(min=0, help="Average capacity of a serverless writer; at least its minimum.")
    ] = 0.0,
    bucket_gb: Amount = 10.0,
    failovers: Amount = 1.0,
    api_share: Share = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print every line as JSON.")] = False,
) -> None:
    """Estimate the monthly cost of the registered resources. Exits with 1 if the cost of one is unknown."""
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
    with said():
        prices = cost_prices.table()
        estimates = [estimate(each, resource_graph.rows(each), load) for each in dict.fromkeys([env, *(compare or [])])]
        if as_json:
            typer.echo(json.dumps(report.as_data(estimates, prices), indent=2))
        else:
            report.show(estimates, prices, Console())
        if any(each.unknown or each.unpriced for each in estimates):
            raise Refused(
                "something is not in the sums: price it (ops/cost/pricers.py, ops/cost/prices.json) or list it as free"
            )


def estimate(environment: str, rows: resource_graph.Rows, load: Load) -> model.Estimate:
    """With all pricers and prices there are."""
    free = {**cost_free.FREE, **cost_free.NOT_ESTIMATED}
    return model.estimate(environment, rows, load, cost_pricers.PRICERS, free, cost_prices.table().by_key())
