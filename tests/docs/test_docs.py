"""What the documents say is there is there: commands, files, anchors, messages, quotas."""

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
# What a table of messages is headed by. The others of these pages are about answers of ours and of AWS.
_MESSAGES = ("Message", "Letter", "Letter or log line", "`reason` in the log", "Says")
_OTHERS = ("Answer", "AWS says", "Step")


def test_every_documented_command_would_be_understood() -> None:
    assert len(COMMANDS) > 40, "the pages were not taken apart"
    faults = [f"{command}\n    {problem}" for command in COMMANDS if (problem := fault(command.text))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        "make deploi ENV=dev",
        "make deploy EVN=dev",
        "make rehearse SCENARIO=earthquake",
        "python -m drill look",
        "python -m drill check --environment dev",
        "python -m ops deploy moon",
        "python -m localaws outage",
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
def test_a_command_that_would_not_be_understood_is_found(text: str) -> None:
    assert fault(text)


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.run], ids=str)
def test_commands_that_cost_nothing_are_carried_out(command: Command) -> None:
    program, *arguments = shlex.split(command.text)
    words = [sys.executable if program.endswith("python") else program, *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}"
    assert done.stdout.strip(), f"{command} said nothing"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page: Page) -> None:
    broken = []
    for link in page.links:
        name, _, anchor = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        if not target.exists():
            broken.append(f"{link}: there is no {target}")
        elif anchor and anchor not in Page(target).anchors:
            broken.append(f"{link}: {target.name} has no such heading")
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_file_that_is_not_there(page: Page) -> None:
    assert not [path for path in page.paths if not any(ROOT.glob(path))]


def test_every_page_of_docs_says_when_it_was_true() -> None:
    dated = re.compile(r"\b20\d\d-\d\d-\d\d\b")
    undated = [page.name for page in PAGES if page.name.startswith("docs/") and not dated.search(page.text[:400])]
    assert not undated


def test_documented_messages_are_those_of_the_code() -> None:
    rows = [line for path in WITH_MESSAGES for line in path.read_text().splitlines() if line.startswith("|")]
    asked, found = False, []
    for row in rows:
        head, *_ = row.strip("| ").split(" | ")
        if head in _MESSAGES:
            asked = True
        elif head in _OTHERS:
            asked = False
        elif asked:
            found += [re.sub("<[a-z]+>", HOLE, message) for message in re.findall(r"`([^`]+)`", head)]
    assert len(found) > 40, "the page's tables were not taken apart"
    unknown = [message for message in found if not _is_said(message)]
    assert not unknown, f"no code says {unknown}"


def _is_said(message: str) -> bool:
    """Its parts in order, in one text; a hole may stand for one value or for several words."""
    parts = [re.escape(part) for part in message.split(HOLE) if part.strip()]
    return re.search("[^\n]*".join(parts), texts()) is not None


def test_documented_settings_are_settings() -> None:
    known = {field.alias for model in MODELS.values() for field in model.model_fields.values()} | set(SECRETS)
    key = re.compile(rf"(?:{'|'.join(sorted(SECTIONS))}):[a-zA-Z]+\b")
    spans = [span for page in PAGES if "decisions" not in page.name for span in page.spans]
    named = {found[0] for span in spans if (found := key.match(span))}
    assert len(named) > 10, "the pages were not taken apart"
    assert sorted(named - known) == []


def test_documented_alarms_are_registered() -> None:
    registered_names = [
        row["inputs"]["name"] for row in registered("dev") if row["type"] == "aws:cloudwatch/metricAlarm:MetricAlarm"
    ]
    lists = [found for page in PAGES for found in re.findall(r"alarms? ((?:`[a-z0-9-]+`(?:, | and )?)+)", page.text)]
    names = {name for found in lists for name in re.findall(r"`([^`]+)`", found)}
    assert len(names) > 8, "the pages were not taken apart"
    assert not [name for name in names if not any(f"-{name}" in each for each in registered_names)]


def test_the_control_rules_are_told_as_they_are() -> None:
    # As a module of the repository: the functions' own tests import it as an archive holds it.
    rules = importlib.import_module("functions.common.control.rules")
    wanted = [(False, False), *((row.healthy, row.may_post) for row in rules.TABLE)]
    _, _, table = (ROOT / "docs" / "architecture.md").read_text().partition("| What the cell sees |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    told = [tuple("yes" in cell for cell in row.strip("| ").split(" | ")[-2:]) for row in rows]
    assert told == wanted


def test_quotas_are_those_of_what_is_registered() -> None:
    now = quota_table.table()
    assert quota_table.written() == now, "write it anew: python -m tests.docs.quota_table"
