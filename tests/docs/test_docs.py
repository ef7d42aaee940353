"""The documentation refers to commands, files, anchors, messages and quotas that exist."""

import importlib
import re
import shlex
import subprocess
import sys

import pytest

from shared.settings import SECRETS, SECTIONS
from shared.settings_example import MODELS
from tests.docs import quota_table
from tests.docs.commands import fault
from tests.docs.messages import HOLE, texts
from tests.docs.pages import ROOT, Command, Page, pages
from tests.programs.profiles import registered

PAGES = pages()
COMMANDS = [command for page in PAGES for command in page.commands]
WITH_MESSAGES = [ROOT / "docs" / name for name in ("troubleshooting.md", "runbooks/failback.md")]
# First column of tables of messages. The other tables of these pages are about responses, AWS's errors and steps.
_MESSAGES = ("Message", "Dead letter", "Dead letter or log line", "`reason` in the log")
_OTHERS = ("Response", "Error from AWS", "Step")


def test_every_documented_command_is_valid() -> None:
    assert len(COMMANDS) > 40, "the pages were not parsed"
    faults = [f"{command}\n    {problem}" for command in COMMANDS if (problem := fault(command.text))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        "make deploi ENV=dev",
        "make deploy EVN=dev",
        "make rehearse SCENARIO=earthquake",
        "make deploy-global SURVIVOR=secondary",
        "dr drill look",
        "dr drill check --environment dev",
        "dr deploy moon",
        "dr local outage",
        "python -m drill list",
        "python -m nothing",
        "aws dynamodb drop-table --table-name journal",
        "aws kms enable-key --region us-east-1",
        "aws kms enable-key --key-id x --force",
        "pulumi stack forget",
        "pulumi config set x --cwd stacks/moon",
        "make test && make nothing",
        "terraform apply",
    ],
)
def test_an_invalid_command_is_found(text: str) -> None:
    assert fault(text)


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.run], ids=str)
def test_commands_marked_run_succeed(command: Command) -> None:
    program, *arguments = shlex.split(command.text)
    started = {"python": [sys.executable], "dr": [sys.executable, "-m", "ops"]}
    words = [*started.get(program.rpartition("/")[2], [program]), *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}"
    assert done.stdout.strip(), f"{command} printed nothing"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_resolves(page: Page) -> None:
    broken = []
    for link in page.links:
        name, _, anchor = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        if not target.exists():
            broken.append(f"{link}: {target} does not exist")
        elif anchor and anchor not in Page(target).anchors:
            broken.append(f"{link}: {target.name} has no such heading")
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Page) -> None:
    assert not [path for path in page.paths if not any(ROOT.glob(path))]


def test_every_page_of_docs_has_a_date() -> None:
    dated = re.compile(r"\b20\d\d-\d\d-\d\d\b")
    undated = [page.name for page in PAGES if page.name.startswith("docs/") and not dated.search(page.text[:400])]
    assert not undated


def test_every_runbook_has_its_occasion_verification_and_rollback() -> None:
    parts = {
        "when": r"\*\*When\*\*|^## When",
        "verification": r"[Vv]erif",
        "rollback": r"[Rr]oll(ed)? back|[Rr]ollback",
    }
    runbooks = [page for page in PAGES if page.name.startswith("docs/runbooks/")]
    missing = [
        f"{page.name}: {part}"
        for page in runbooks
        for part, pattern in parts.items()
        if not re.search(pattern, page.text, re.MULTILINE)
    ]

    assert len(runbooks) > 10
    assert not missing


def test_every_documented_message_is_in_the_source() -> None:
    rows = [line for path in WITH_MESSAGES for line in path.read_text().splitlines() if line.startswith("|")]
    is_message_table, found = False, []
    for row in rows:
        head, *_ = row.strip("| ").split(" | ")
        if head in _MESSAGES:
            is_message_table = True
        elif head in _OTHERS:
            is_message_table = False
        elif is_message_table:
            found += [re.sub("<[a-z]+>", HOLE, message) for message in re.findall(r"`([^`]+)`", head)]
    assert len(found) > 40, "the tables were not parsed"
    unknown = [message for message in found if not _is_in_the_source(message)]
    assert not unknown, f"not in the source: {unknown}"


def _is_in_the_source(message: str) -> bool:
    """Whether its parts occur in order in one text; … matches one value or several words."""
    parts = [re.escape(part) for part in message.split(HOLE) if part.strip()]
    return re.search("[^\n]*".join(parts), texts()) is not None


def test_documented_settings_are_settings() -> None:
    known = {field.alias for model in MODELS.values() for field in model.model_fields.values()} | set(SECRETS)
    key = re.compile(rf"(?:{'|'.join(sorted(SECTIONS))}):[a-zA-Z]+\b")
    spans = [span for page in PAGES if "decisions" not in page.name for span in page.spans]
    named = {found[0] for span in spans if (found := key.match(span))}
    assert len(named) > 10, "the pages were not parsed"
    assert sorted(named - known) == []


def test_documented_alarms_are_registered() -> None:
    registered_names = [
        row["inputs"]["name"] for row in registered("dev") if row["type"] == "aws:cloudwatch/metricAlarm:MetricAlarm"
    ]
    lists = [found for page in PAGES for found in re.findall(r"alarms? ((?:`[a-z0-9-]+`(?:, | and )?)+)", page.text)]
    names = {name for found in lists for name in re.findall(r"`([^`]+)`", found)}
    assert len(names) > 8, "the pages were not parsed"
    assert not [name for name in names if not any(f"-{name}" in each for each in registered_names)]


def test_the_documented_control_rules_are_those_of_the_code() -> None:
    # Imported by its path in the repository; the functions' own tests import it by its path in the archive.
    rules = importlib.import_module("functions.common.control.rules")
    wanted = [(False, False), *((row.healthy, row.may_post) for row in rules.TABLE)]
    _, _, table = (ROOT / "docs" / "architecture.md").read_text().partition("| Observation |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    documented = [tuple("yes" in cell for cell in row.strip("| ").split(" | ")[-2:]) for row in rows]
    assert documented == wanted


def test_the_quota_table_is_up_to_date() -> None:
    assert quota_table.written() == quota_table.table(), "run python -m tests.docs.quota_table"
