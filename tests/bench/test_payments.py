"""Evaluation of a payment benchmark: kinds of work, CPU time of processes that end, and the table."""

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import psutil
import pytest
from rich.console import Console

from bench.paying import Answers
from bench.payments import Run, medians, ratio, table, whole_minutes
from bench.spending import Mark, Sample, Sampler, Spending, cores, kind_of, others, per_payment

FORK_SERVER = ["python", "-m", "localaws.services.lambda_.fork_server", "10"]


@pytest.mark.parametrize(
    ("name", "command", "folders", "kind"),
    [
        ("python", ["python", "-m", "localaws.server.main", "--port", "1"], [], "embedded AWS server"),
        ("postgres", ["postgres: walsender"], [], "PostgreSQL"),
        ("python", FORK_SERVER, ["common", "payments"], "Lambda payments"),
        ("python", FORK_SERVER, ["common", "ledger"], "Lambda ledger"),
        ("python", FORK_SERVER, ["components", "functions"], "Lambda fork server"),
        ("python", ["python", "-m", "localaws.front"], [], "localaws.front"),
        ("python", ["python", "-m", "localaws", "up"], ["payments"], "other"),
        ("python", ["python", "-I", "-S", "localaws/core/reaper.py"], [], "other"),
        ("python", ["python", "-m"], [], "other"),
        ("python", [], [], "other"),
    ],
)
def test_a_process_has_the_kind_of_its_work(name: str, command: list[str], folders: list[str], kind: str) -> None:
    assert kind_of(name, command, folders) == kind


def proc(pid: int, own: float, *, waited: float = 0.0, parent: int = 1, kind: str = "PostgreSQL") -> Sample:
    return Sample(pid=pid, created=float(pid), parent=parent, kind=kind, own=own, waited=waited)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([[proc(1, 1.0), proc(2, 2.0, kind="b")], [proc(1, 1.5), proc(2, 4.5, kind="b")]], id="running"),
        pytest.param([[proc(1, 1.0)], [proc(1, 1.0, waited=0.5)]], id="lived-between-two-samples"),
        pytest.param([[proc(1, 1.0)], [proc(1, 1.0), proc(2, 0.5)]], id="began"),
        pytest.param([[proc(1, 1.0), proc(2, 0.3)], [proc(1, 1.0, waited=0.8)]], id="spent-more-before-it-ended"),
        pytest.param([[proc(1, 1.0), proc(2, 0.3)], [proc(1, 1.0)], [proc(1, 1.0, waited=0.8)]], id="waited-for-later"),
        pytest.param([[proc(1, 1.0), proc(2, 0.3, waited=0.2)], [proc(1, 1.0, waited=1.0)]], id="with-its-children"),
        pytest.param([[proc(1, 1.0), proc(2, 0.3)], [proc(1, 1.5)]], id="not-waited-for"),
    ],
)
def test_the_time_of_a_process_counts_once_however_it_ends(samples: Sequence[Sequence[Sample]]) -> None:
    spending = Spending()
    spending.add(samples[0])
    before = spending.spent
    for each in samples[1:]:
        spending.add(each)

    assert spending.spent["PostgreSQL"] - before["PostgreSQL"] == pytest.approx(0.5)


def test_cpu_time_counts_for_the_kind_at_its_sample() -> None:
    spending = Spending()
    spending.add([proc(1, 1.0, kind="Lambda fork server")])
    spending.add([proc(1, 3.0, kind="Lambda payments")])

    assert spending.spent == {"Lambda fork server": 1.0, "Lambda payments": 2.0}


def test_a_reused_pid_is_another_process() -> None:
    spending = Spending()
    spending.add([proc(7, 5.0)])
    spending.add([Sample(pid=7, created=99.0, parent=1, kind="PostgreSQL", own=0.1)])

    assert spending.spent == {"PostgreSQL": pytest.approx(5.1)}


def test_processes_that_end_between_samples_are_in_the_time_of_the_tree() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    tree = f"import subprocess, sys\ninput()\nsubprocess.run([sys.executable, '-c', {burn!r}])\nprint()\ninput()"
    with subprocess.Popen([sys.executable, "-c", tree], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        sampler = Sampler(psutil.Process(process.pid))
        start = sampler.mark()
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        end = sampler.mark()
        process.communicate(b"\n")

    assert end.spent["other"] - start.spent["other"] >= 0.28  # the kernel counts in hundredths


def test_the_cost_of_a_payment_excludes_the_base_load() -> None:
    marks = [
        Mark(at=0, spent={"a": 1.0}),
        Mark(at=10, spent={"a": 2.0}),
        Mark(at=30, spent={"a": 8.0, "b": 1.0}),
    ]
    base = cores(marks[0], marks[1])

    assert base == {"a": pytest.approx(0.1)}
    assert per_payment(marks[1], marks[2], base, 100) == {"a": pytest.approx(40), "b": pytest.approx(10)}


def test_cores_of_other_processes_are_cpu_time_per_second() -> None:
    assert others(Mark(at=10, spent={}, others=100), Mark(at=30, spent={}, others=125)) == pytest.approx(1.25)


@pytest.mark.parametrize(("seconds", "speed", "whole"), [(17, 6, 20), (20, 6, 20), (5, 1, 60), (61, 1, 120)])
def test_a_period_has_whole_aws_minutes(seconds: float, speed: float, whole: float) -> None:
    assert whole_minutes(seconds, speed) == pytest.approx(whole)


def run(base: float, each: float, *, refused: int = 0) -> Run:
    answers = Answers(latencies=[0.010, 0.020, 0.030], refused=Counter({"503": refused}))
    each_kind = {"server": each, "ledger": 1.0}
    return Run(base={"server": base}, each=each_kind, answers=answers, memory=500, others=0.25, seconds=12)


def test_medians_are_of_each_figure_and_totals_of_each_run() -> None:
    figures = medians([run(0.3, 30), run(0.1, 10, refused=2), run(0.2, 20)])

    assert figures["base load, cores", "all"] == pytest.approx(0.2)
    assert figures["CPU ms per accepted payment", "all"] == pytest.approx(21)
    assert figures["the run", "payments refused"] == 0
    assert figures["the run", "latency p50, ms"] == pytest.approx(20)
    assert figures["the run", "latency p99, ms"] == pytest.approx(30)


@pytest.mark.parametrize(
    ("before", "after", "shown"), [(20, 10, "0.50"), (0, 10, ""), (0.0001, 0.0002, ""), (-1, 2, ""), (1, -2, "")]
)
def test_a_ratio_of_noise_is_not_shown(before: float, after: float, shown: str) -> None:
    assert ratio(before, after) == shown


def shown(*checkouts: tuple[str, list[Run]]) -> list[list[str]]:
    console = Console(file=StringIO(), width=120)
    console.print(table("A bench", [(name, medians(runs)) for name, runs in checkouts]))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().replace("┃", "│").splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]


def test_the_table_compares_two_checkouts() -> None:
    rows = shown(("old", [run(0.2, 20)]), ("new", [run(0.1, 5)]))

    assert rows[0] == ["", "old", "new", "ratio"]
    assert ["server", "0.200", "0.100", "0.50"] in rows
    assert ["all", "21.00", "6.00", "0.29"] in rows
    assert ["peak memory (PSS), MB", "500", "500", "1.00"] in rows


def test_a_kind_of_work_of_one_checkout_has_its_row() -> None:
    more = replace(run(0.1, 5), base={"server": 0.1, "a new one": 0.2})
    rows = shown(("old", [run(0.2, 20)]), ("new", [more]))

    assert [row[0] for row in rows[2:5]] == ["a new one", "server", "all"]


def test_a_checkout_can_be_compared_with_itself() -> None:
    rows = shown(("same", [run(0.2, 20)]), ("same", [run(0.2, 20)]))

    assert ["server", "0.200", "0.200", "1.00"] in rows


def test_the_table_of_one_checkout_has_no_ratio() -> None:
    assert ["server", "0.200"] in shown(("new", [run(0.2, 20)]))
