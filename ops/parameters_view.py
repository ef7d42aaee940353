"""Tables of what differs and of what was done about it. The function told no value, so none can be shown."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

Parts = Sequence[dict[str, Any]]


def differences(parts: Parts) -> Table:
    table = _table("parameter", "differs in", "stays as in", "gives way")
    for each in _all(parts, "differences"):
        table.add_row(each["name"], ", ".join(each["parts"]), each["kept"], each["lost"])
    return _with_failures(table, parts)


def outcomes(parts: Parts) -> Table:
    table = _table("parameter", "done", "as in", "gave way")
    for each in _all(parts, "outcomes"):
        table.add_row(each["name"], each["did"], each["source"], each["lost"])
    return _with_failures(table, parts)


def counted(parts: Parts, what: str) -> str:
    """In one line; a table may have been cut, this is not."""
    compared, found, failed = (sum(part[name] for part in parts) for name in ("compared", what, "failed"))
    return f"{compared} compared, {found} {what}, {failed} failed"


def _with_failures(table: Table, parts: Parts) -> Table:
    for part in parts:
        for name, reason in part["failures"].items():
            table.add_row(name, "not possible", "", reason)
        for name, seconds in part["later"].items():
            table.add_row(name, f"in {seconds} s at the earliest", "", "")
    return table


def _all(parts: Parts, key: str) -> list[dict[str, Any]]:
    return [each for part in parts for each in part[key]]


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    table.columns[0].overflow = "fold"  # a name is copied from here
    return table
