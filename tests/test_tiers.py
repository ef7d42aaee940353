"""The tier of each test, and the end of all tiers as one test run."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import __main__ as command
from tests.__main__ import Result, arguments, closing_line, table, workers
from tests.tiers import DEFAULT, TIERS, is_server, tier

pytest_plugins = ["pytester"]

PLUGIN = """
import pytest
from tests.tiers import TIERS, Tiers, starts

def pytest_addoption(parser):
    parser.addoption("--results")
    parser.addoption("--tier-files")

def pytest_configure(config):
    for tier in TIERS:
        config.addinivalue_line("markers", tier)
    config.pluginmanager.register(Tiers(), "tiers")

@pytest.fixture(scope="session")
@starts("emulator")
def server():
    pass

@pytest.fixture
def client(server):
    pass

@pytest.fixture
@starts("stack")
def environment(server):
    pass
"""


@pytest.mark.parametrize(
    ("named", "started", "expected"),
    [
        ([], [], "unit"),
        ([], ["emulator"], "emulator"),
        ([], ["stack", "emulator"], "stack"),
        (["nightly"], ["stack"], "nightly"),
        (["emulator"], [], "emulator"),
        (["stack", "stack"], [], "stack"),
    ],
)
def test_the_heaviest_started_thing_decides_unless_a_marker_is_heavier(
    named: list[str], started: list[str], expected: str
) -> None:
    assert tier(named, started) == expected


@pytest.mark.parametrize(
    ("named", "started", "message"),
    [
        (["unit"], ["emulator"], "is marked unit, but uses a fixture of the tier emulator"),
        (["emulator"], ["stack"], "is marked emulator, but uses a fixture of the tier stack"),
        (["stack", "nightly"], [], "is marked nightly and stack; one tier is enough"),
    ],
)
def test_a_contradiction_is_refused(named: list[str], started: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tier(named, started)


def test_the_files_of_each_tier_are_written(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PLUGIN)
    one = pytester.makepyfile(test_one="def test_plain(): pass\ndef test_served(client): pass")
    other = pytester.makepyfile(test_other="def test_plain(): pass\ndef test_also_plain(): pass")

    pytester.inline_run("--collect-only", "-m", "unit", "--tier-files", "files.json", "-p", "no:cacheprovider")

    found = json.loads((pytester.path / "files.json").read_text())
    assert found == {"unit": [str(one), str(other)], "emulator": [str(one)], "stack": [], "engine": [], "nightly": []}


def test_a_test_that_uses_a_server_is_in_no_selection_of_unit_tests(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile("""
        import pytest

        def test_plain(): pass
        def test_server(client): pass
        def test_environment(environment): pass
        @pytest.mark.nightly
        def test_night(environment): pass
        @pytest.mark.parametrize("name", ["a", pytest.param("b", marks=pytest.mark.nightly)])
        def test_some(name, server): pass
    """)

    def selected(expression: str) -> list[str]:
        done = pytester.inline_run("-m", expression, "-p", "no:cacheprovider")
        return [
            each.nodeid.partition("::")[2]
            for each in done.getreports("pytest_runtest_logreport")
            if each.when == "call"
        ]

    assert selected("unit") == ["test_plain"]
    assert selected("emulator") == ["test_server", "test_some[a]"]
    assert selected("stack") == ["test_environment"]
    assert selected("nightly") == ["test_night", "test_some[b]"]


def test_a_unit_test_that_uses_a_server_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile("""
        import pytest

        @pytest.mark.unit
        def test_server(client): pass
    """)

    done = pytester.runpytest("-p", "no:cacheprovider")

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "is marked unit, but uses a fixture of the tier emulator" in str(done.stderr)


def test_a_unit_test_cannot_start_a_server() -> None:
    with pytest.raises(RuntimeError, match="a unit test starts an embedded AWS"):
        subprocess.Popen([sys.executable, "-m", "localaws.server.main", "--no-such-option"])


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        (["python", "-m", "localaws.server.main", "--speed", "1"], True),
        (["python", "-m", "shared.local_aws", "up"], True),
        ("python -m shared.local_aws up --speed 5", True),
        (["python", "-m", "shared.local_aws", "status"], False),
        ([Path("make"), "policy"], False),
    ],
)
def test_a_servers_command_line_is_recognized(command_line: object, expected: bool) -> None:
    assert is_server(command_line) == expected


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        (1, {"unit": 0, "emulator": 0, "stack": 0, "engine": 0, "nightly": 0}),
        (2, {"unit": 2, "emulator": 2, "stack": 0, "engine": 0, "nightly": 0}),
        (8, {"unit": 8, "emulator": 2, "stack": 0, "engine": 0, "nightly": 0}),
    ],
)
def test_only_what_measures_no_time_runs_in_parallel(cores: int, expected: dict[str, int]) -> None:
    assert {each: workers(each, cores) for each in TIERS} == expected
    for each, count in expected.items():
        words = arguments(each, cores, Path("results"))
        assert words[:3] == ["-m", each, "--results=results"]
        assert ("-n" in words) == (count > 0)


def test_a_file_that_exists_is_not_taken_for_a_path_to_tests(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the file of one tier does when the processes of another one start."""
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile("def test_plain(): pass")
    results = tmp_path_factory.mktemp("run") / "unit.json"
    results.touch()
    monkeypatch.setenv("PYTHONPATH", str(Path(command.__file__).parents[1]))

    done = pytester.runpytest_subprocess(*arguments("unit", 2, results), "-p", "no:cacheprovider")

    assert done.ret == pytest.ExitCode.OK


def result(tier: str, status: int = 0, **counts: int) -> Result:
    return Result(tier=tier, status=status, counts=Counter(counts), wall=10.0, cpu=20.4)


def test_all_tiers_together_end_with_one_line() -> None:
    line = closing_line([result("unit", passed=30, skipped=1), result("stack", status=1, passed=4, failed=1)], 12.0)

    assert line.strip("= ") == "1 failed, 34 passed, 1 skipped in 12.00s"


def test_a_tier_that_could_not_run_is_in_the_closing_line() -> None:
    line = closing_line([result("unit", passed=30), result("emulator", status=4)], 20.0)

    assert line.strip("= ") == "30 passed, emulator did not end well in 20.00s"


def test_the_figures_are_listed_by_tier() -> None:
    assert table([result("unit", passed=30, skipped=1)]).split("\n")[1].split() == ["unit", "31", "10", "20", "0"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], DEFAULT), (["--all"], TIERS), (["stack", "unit"], ("unit", "stack"))],
)
def test_the_tiers_are_chosen_and_the_first_failure_is_the_status(
    words: list[str], expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(chosen: Sequence[str], _folder: Path, _aside: str | None) -> list[Result]:
        ran.extend(chosen)
        return [result(tier, status=number, passed=1) for number, tier in enumerate(chosen)]

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setenv("TESTS_MADE_ONCE", "")

    assert command.main(words) == 1
    assert tuple(ran) == expected
    output = capsys.readouterr().out
    assert all(f"{each:<10}in " in output for each in expected)
    assert ("left out: " in output) == (expected != TIERS)
    assert output.splitlines()[-1].startswith("===")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder, with a test of each tier. That of `unit` passes and writes its priority; the others fail."""
    programs = dict.fromkeys(TIERS, "def test_it(): assert not 'a failure'")
    programs["unit"] = "import os, pathlib\ndef test_it(): pathlib.Path('nice').write_text(str(os.nice(0)))"
    files = {each: tmp_path / f"test_{each}.py" for each in TIERS}
    for each, file in files.items():
        file.write_text(programs[each])
    (tmp_path / "files.json").write_text(json.dumps({each: [str(file)] for each, file in files.items()}))
    monkeypatch.setattr(command, "_ROOT", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    here = ["-c", str(tmp_path / "pytest.ini"), "-p", "no:cacheprovider"]
    monkeypatch.setattr(command, "arguments", lambda _tier, _cores, _results: here)
    return tmp_path


@pytest.mark.parametrize(("words", "expected"), [([], "unit"), (["--in-turn"], None)])
def test_no_tier_runs_beside_others_where_they_run_in_turn(
    words: list[str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str | None] = []

    def run(chosen: Sequence[str], _folder: Path, aside: str | None) -> list[Result]:
        found.append(aside)
        return [result(tier, passed=1) for tier in chosen]

    monkeypatch.setattr(command, "cores", lambda: 2)
    monkeypatch.setattr(command, "run", run)
    monkeypatch.setenv("TESTS_MADE_ONCE", "")

    assert command.main(words) == 0
    assert found == [expected]


@pytest.mark.parametrize(
    ("cores", "order", "nice"),
    [(1, ["unit", "emulator", "stack"], os.nice(0)), (2, ["emulator", "stack", "unit"], min(os.nice(0) + 10, 19))],
)
def test_unit_tests_run_beside_the_others_where_there_is_another_core(
    cores: int,
    order: list[str],
    nice: int,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "cores", lambda: cores)

    results = command.run(DEFAULT, folder, command.beside(DEFAULT, cores))

    failed = pytest.ExitCode.TESTS_FAILED
    assert [(each.tier, each.status) for each in results] == [("unit", 0), ("emulator", failed), ("stack", failed)]
    assert (folder / "nice").read_text() == str(nice)
    assert all(each.wall > 0 and each.cpu > 0 for each in results)
    output = capfd.readouterr().out
    assert re.findall(r"^#+ (\w+) #+$", output, re.MULTILINE) == order
    assert sorted(order, key=lambda tier: output.index(f"test_{tier}.py")) == order


def test_a_terminated_run_ends_when_what_its_tests_started_has_ended(folder: Path) -> None:
    began, torn_down = folder / "began", folder / "torn-down"
    (folder / "test_stack.py").write_text(f"""
import pathlib, pytest, time

@pytest.fixture
def server():
    pathlib.Path({str(began)!r}).touch()
    yield
    time.sleep(1)
    pathlib.Path({str(torn_down)!r}).touch()

def test_it(server):
    time.sleep(600)
""")

    def terminate() -> None:
        while not began.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, command._end)
    try:
        threading.Thread(target=terminate).start()
        with pytest.raises(SystemExit) as ended:
            command.run(["stack"], folder, None)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert ended.value.code == 143
    assert torn_down.exists()


def test_an_unknown_tier_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["integration"])

    assert "no such tier: integration" in capsys.readouterr().err
