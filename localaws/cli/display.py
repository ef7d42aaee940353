"""Output of the commands: progress of the start, tables of addresses and of the status."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from localaws.core import endpoints_file

_ACCELERATOR = ".awsglobalaccelerator.com"
_LOAD_BALANCER = re.compile(r"[\w-]+\.elb\.(?P<region>[a-z0-9-]+)\.amazonaws\.com:\d+")
_API = re.compile(r"https://(?P<id>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?P<path>/.*)")


class Display:
    """Progress for people: one moving line and the finished steps above it; with `plain`, one line after another."""

    def __init__(self, console: Console, *, plain: bool) -> None:
        self._console = console
        self._plain = plain or not console.is_terminal
        self._show = self.line
        self._last = ""

    @contextmanager
    def progress(self, first: str) -> Iterator[None]:
        """While inside, `now` changes the moving line."""
        if self._plain:
            self.line(first)
            yield
            return
        with self._console.status(Text(first)) as moving:
            self._show = lambda line: moving.update(Text(line))
            try:
                yield
            finally:
                self._show = self.line

    def now(self, line: str) -> None:
        """Show the current step; a repeated one is not shown again."""
        if line != self._last:
            self._last = line
            self._show(line)

    def line(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(Text(line), soft_wrap=True)

    def table(self, content: RenderableType, lines: list[str]) -> None:
        """A table, or its lines when plain."""
        if self._plain:
            for line in lines:
                self.line(line)
        else:
            self._console.print(content)


def addresses(content: Mapping[str, Any]) -> tuple[Table, list[str]]:
    """Every address of a deployed embedded AWS, as a table and as plain lines."""
    rows: list[tuple[str, ...]] = [
        ("AWS", "", content["aws"]),
        ("control", "", content["control"]),
        ("DNS", "", content["dns"]),
    ]
    labels = {region: f"{region} ({found['name']})" for region, found in content["regions"].items()}
    for text in endpoints_file.texts(content["outputs"]):
        if api := _API.fullmatch(text):
            region = labels.get(api["region"], api["region"])
            rows.append(("API", region, f"{content['aws']}/_aws/execute-api/{api['id']}{api['path']}"))
    for name, address in content["addresses"].items():
        if name.partition(":")[0].endswith(_ACCELERATOR):
            rows.append(("accelerator", name, f"https://{address}"))
        elif balancer := _LOAD_BALANCER.fullmatch(name):
            rows.append(("load balancer", labels.get(balancer["region"], balancer["region"]), address))
    rows += [
        ("PostgreSQL", labels[region], found["postgres"] or "none") for region, found in content["regions"].items()
    ]
    return _table(("", "for", "address"), rows), [" ".join(filter(None, row)) for row in rows]


def status(status: Mapping[str, Any], content: Mapping[str, Any]) -> Group:
    """The whole status as tables."""
    places = {region: found["name"] for region, found in content["regions"].items()}
    backlog = status["replication"]["backlog"]
    tables = [
        _table(
            ("region", "place", "state", "refused calls", "backlog"),
            [
                (region, places.get(region, ""), _outage(row["outage"]), _counts(row["refused"]), str(backlog[region]))
                for region, row in status["regions"].items()
            ],
        ),
        _rows("accelerator", status.get("accelerators", []), lambda row: _accelerator(row)),
        _rows("target of a load balancer", status.get("targets", []), lambda row: _target(row)),
        _rows("health check", status.get("health_checks", []), lambda row: _health_check(row)),
        _rows("database", status.get("databases", []), lambda row: _database(row)),
    ]
    return Group(*(table for table in tables if table.row_count))


def _accelerator(row: Mapping[str, Any]) -> tuple[str, str, str]:
    groups = ", ".join(
        f"{group['region']} {_health(group['healthy'])} at {group['dial']:g} %" for group in row["endpoint_groups"]
    )
    return str(row["address"]), groups, f"connections: {_counts(row['traffic'])}"


def _target(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{row['load_balancer'] or '-'} ({row['region']}) port {row['port']}", row["state"], row["reason"] or ""


def _health_check(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["fqdn"] or row["id"], _health(row["healthy"]), row["reason"] or ""


def _database(row: Mapping[str, Any]) -> tuple[str, str, str]:
    lag = "" if row["lag_bytes"] is None else f"{row['lag_bytes']} bytes behind"
    state = "running" if row["running"] else "not running"
    return f"{row['global_cluster']} ({row['region']})", f"{row['role']}, {state}", lag or row.get("problem") or ""


def _rows(title: str, found: list[Mapping[str, Any]], line: Any) -> Table:
    return _table((title, "state", ""), [line(row) for row in found])


def _outage(outage: Mapping[str, Any] | None) -> str:
    return f"lost ({outage['kind']})" if outage else "there"


def _health(healthy: bool) -> str:
    return "healthy" if healthy else "unhealthy"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items())) or "-"


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(str(cell), overflow="fold") for cell in row))
    return table
