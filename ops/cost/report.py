"""An estimate, or several side by side, for people and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table as RichTable

from ops.cost.free import NOT_ESTIMATED
from ops.cost.model import Estimate
from ops.cost.prices import Table

HOW = "An estimate from what the programs register, not a bill: on demand, before free tiers, discounts, tax, support."
_LEAST = 0.005  # dollars; less is shown as nothing


def table(estimates: Sequence[Estimate]) -> RichTable:
    """By stack and service; of each environment what it costs whatever the load is, and because of it."""
    found = RichTable(title="US dollars a month", title_justify="left", show_footer=True, box=box.SIMPLE_HEAD)
    found.add_column("Stack", footer="all", no_wrap=True)
    found.add_column("Service", no_wrap=True)
    for each in estimates:
        found.add_column(f"{each.environment} fixed", justify="right", footer=_money(each.fixed))
        found.add_column("by use", justify="right", footer=_money(each.use))
    sums = [each.by("stack", "service") for each in estimates]
    last = ""
    for key in sorted({key for one in sums for key in one}, key=_order):
        cells = [one.get(key, (0.0, 0.0)) for one in sums]
        if max(max(each) for each in cells) >= _LEAST:
            stack, service = key
            found.add_row("" if stack == last else stack, service, *(_money(each) for cell in cells for each in cell))
            last = stack
    return found


def _order(key: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    return key[0] == "global", key


def _money(dollars: float) -> str:
    return f"{dollars:,.2f}" if dollars >= _LEAST else "-"


def notes(estimates: Sequence[Estimate], prices: Table) -> list[str]:
    """What the sums leave out, and what they rest on."""
    said = [f"{each.environment}: {_money(each.total)} in all" for each in estimates]
    said += [HOW, _assumed(estimates[0])]
    if extra := [each for each in estimates if _serverless(each)]:
        names = ", ".join(each.environment for each in extra)
        said.append(f"{names}: serverless databases are counted at their least capacity; see --database-acu.")
    for each in estimates:
        said += [
            f"{each.environment}: {count} of {token}: unknown cost" for token, count in sorted(each.unknown.items())
        ]
        said += [f"{each.environment}: no price for {price}" for price in sorted(each.unpriced)]
    said += [f"Not estimated: {token.rpartition(':')[2]}: {why}" for token, why in NOT_ESTIMATED.items()]
    believed = sum(each.basis == "memory" for each in prices.prices)
    counted = f"{believed} of {len(prices.prices)} prices"
    said.append(f"{counted} are from memory ({_dates(prices)}): see ops/cost/prices.json.")
    return said


def _assumed(one: Estimate) -> str:
    return "Assumed: " + ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in asdict(one.load).items())


def _serverless(one: Estimate) -> bool:
    return any(line.price == "aurora-acu-hour" for line in one.lines)


def _dates(prices: Table) -> str:
    dates = sorted({each.as_of for each in prices.prices})
    return f"as of {dates[0]}" if len(dates) == 1 else f"as of {dates[0]} to {dates[-1]}"


def as_data(estimates: Sequence[Estimate], prices: Table) -> dict[str, Any]:
    """For programs: each line with its price, so that any sum can be made again."""
    return {
        "currency": prices.currency,
        "environments": {each.environment: _data(each) for each in estimates},
        "not_estimated": dict(NOT_ESTIMATED),
        "prices": [each.model_dump(mode="json") for each in prices.prices],
    }


def _data(one: Estimate) -> Mapping[str, Any]:
    return {
        "load": asdict(one.load),
        "fixed": round(one.fixed, 2),
        "by_use": round(one.use, 2),
        "total": round(one.total, 2),
        "lines": [asdict(line) for line in one.lines],
        "unknown_types": dict(sorted(one.unknown.items())),
        "missing_prices": dict(sorted(one.unpriced.items())),
    }


def show(estimates: Sequence[Estimate], prices: Table, console: Console) -> None:
    found: list[RenderableType] = [table(estimates), *notes(estimates, prices)]
    for each in found:
        console.print(each, highlight=False)
