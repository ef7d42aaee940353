"""Evaluation of the ledger's benchmarks: rates, ratios, and the items that calls read."""

import sys
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench import journal
from bench.counted import is_control, items_read
from bench.ledger import Posted, result, table
from bench.replay import Replayed, is_even
from bench.spending import Mark

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))  # as in the function's archive

from common.payment_record import JournalEntry


def posted(factor: int, *, seconds: float, each: float) -> Posted:
    return Posted(factor=factor, payments=100, seconds=seconds, each={"PostgreSQL": each}, cores=1.0, others=0.0)


def test_a_measurement_counts_the_cpu_time_of_all_processes() -> None:
    start = Mark(at=10.0, spent={"PostgreSQL": 1.0, "Lambda ledger": 2.0})
    end = Mark(at=14.0, spent={"PostgreSQL": 2.0, "Lambda ledger": 5.0}, others=2.0)

    made = result(start, end, factor=2, payments=1000, seconds=4.0)

    assert made.per_second == 250
    assert made.each == {"PostgreSQL": 1.0, "Lambda ledger": 3.0}
    assert made.per_core == 250, "1,000 payments took 4 s of CPU"
    assert (made.cores, made.others) == (1.0, 0.5)


def test_the_table_compares_checkouts_by_the_median_of_their_runs() -> None:
    before = [posted(1, seconds=seconds, each=2.0) for seconds in (1.0, 2.0, 50.0)]
    after = [posted(1, seconds=0.5, each=0.5)]
    console = Console(file=StringIO(), width=120)

    console.print(table({"before": before, "after": after}, "title"))

    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert [line.replace("│", " ").split() for line in written.splitlines() if "│" in line] == [
        ["1", "before", "50", "500", "0.00", "1.00", "1.00"],
        ["1", "after", "200", "2000", "0.00", "4.00", "4.00"],
    ]


@pytest.mark.parametrize(
    ("operation", "answer", "items"),
    [
        ("Query", {"Count": 1, "ScannedCount": 7}, 7),
        ("Scan", {"Count": 0, "ScannedCount": 1000}, 1000),
        ("GetItem", {}, 1),
        ("BatchGetItem", {"Responses": {"a": [{}, {}], "b": [{}]}}, 3),
        ("TransactGetItems", {"Responses": [{}, {}]}, 2),
        ("PutItem", {}, 0),
    ],
)
def test_items_that_were_filtered_out_count_as_read(operation: str, answer: Any, items: int) -> None:
    assert items_read(operation, answer) == items


@pytest.mark.parametrize(
    ("parameters", "control"),
    [
        ({"TableName": "journal", "Key": {"pk": {"S": "control#writer"}}}, True),
        ({"RequestItems": {"journal": {"Keys": [{"pk": {"S": "control#us-east-1"}}]}}}, True),
        ({"TableName": "journal", "Item": {"pk": {"S": "memory#us-east-1"}}}, True),
        ({"RequestItems": {"journal": {"Keys": [{"pk": {"S": "payment#a"}}]}}}, False),
        ({"TableName": "journal"}, False),
        ({"TableName": "backlog", "Item": {"pk": {"S": "batches"}}}, False),
    ],
)
def test_reads_of_control_records_do_not_count_as_those_of_a_replay(parameters: Any, control: bool) -> None:
    assert is_control(parameters, "journal") is control


def replayed(old: int, *, calls: int, items: int) -> Replayed:
    return Replayed(
        old=old, fill=0, seconds=1, invocations=1, calls={"Query": calls}, control=9, items=items, statements=1
    )


@pytest.mark.parametrize(
    ("calls", "items", "even"), [(104, 1000, True), (100, 1049, True), (106, 1000, False), (100, 1060, False)]
)
def test_calls_and_items_may_differ_by_five_percent(calls: int, items: int, even: bool) -> None:
    assert is_even([replayed(10, calls=100, items=1000), replayed(1000, calls=calls, items=items)]) is even


def test_a_filled_item_is_as_the_payments_function_writes_it() -> None:
    (item,) = journal.items(1, run="run", region="us-east-1")

    entry = JournalEntry.from_item(item)

    content = {
        name: getattr(entry, name) for name in ("payment_id", "amount", "currency", "debtor", "creditor", "reference")
    }
    assert (entry.payment_id, entry.reference) == ("run-00000000", "run")
    at = datetime.fromisoformat(entry.accepted_at)
    assert JournalEntry.accept(content, at=at, region="us-east-1").to_item() == item
