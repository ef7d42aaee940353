"""The diagrams are what the programs register, always the same for the same programs, and can be read."""

import json
import random
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.diagrams import command as diagrams_command
from ops.diagrams import workflows
from ops.diagrams.model import Diagram, Line
from ops.diagrams.svg import place
from ops.environment import resource_graph
from shared.command_line import CouldNotStart
from tests.programs.profiles import ENVIRONMENTS
from tests.programs.profiles import registered as rows_of

NAMES = ("region", "global", "failover", "failback")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn() -> dict[str, Diagram]:
    return dict(diagrams_command.diagrams(rows_of(diagrams_command.ENVIRONMENT)))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return dict(diagrams_command.files(rows_of(diagrams_command.ENVIRONMENT)))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The command, with the graphs that the other tests have registered already."""
    monkeypatch.setattr(resource_graph, "rows", rows_of)
    return lambda *words: CliRunner().invoke(app, ["graph", *words, "--directory", str(tmp_path)])


def titles(found: Diagram) -> dict[str, str]:
    return {box.key: f"{box.title} {box.detail}".strip() for box in found.boxes()}


def arrows(found: Diagram) -> set[tuple[str, str]]:
    name = titles(found)
    return {(name[arrow.source], name[arrow.target]) for arrow in found.arrows}


def test_the_documents_show_what_the_programs_register(texts: dict[str, str]) -> None:
    there = {path.name: path.read_text() for path in diagrams_command.DIRECTORY.iterdir()}

    assert sorted(there) == sorted(texts)
    assert [name for name, text in texts.items() if there[name] != text] == [], "run `make graph`"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_can_be_drawn(environment: str) -> None:
    assert set(diagrams_command.diagrams(rows_of(environment))) == set(NAMES)


def test_the_order_in_which_resources_are_registered_changes_nothing(texts: dict[str, str]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rows = list(rows_of(diagrams_command.ENVIRONMENT))
    random.Random(seed).shuffle(rows)

    assert diagrams_command.files(rows) == texts


def test_a_region_shows_the_way_of_a_payment(drawn: dict[str, Diagram]) -> None:
    assert {
        ("Global Accelerator accelerator, global", "NLB front-door-nlb"),
        ("NLB front-door-nlb", "ALB (TLS) front-door-alb"),
        ("ALB (TLS) front-door-alb", "λ payments"),
        ("REST API api", "λ payments"),
        ("λ payments", "DynamoDB global table journal, global"),
        ("DynamoDB global table journal, global", "λ ledger"),
        ("λ sentinel", "workflow failover"),
        ("workflow failover", "λ recovery"),
    } <= arrows(drawn["region"])


def test_global_shows_what_it_puts_between_the_regions(drawn: dict[str, Diagram]) -> None:
    found = drawn["global"]
    columns = [column.title for column in found.columns]

    assert columns[0] == "stacks/primary"
    assert columns[-1] == "stacks/secondary"
    assert {
        ("Global Accelerator accelerator", "NLB front-door-nlb"),
        ("Aurora global database database-global", "Aurora cluster database-secondary"),
        ("health check dns-api-secondary", "REST API api"),
        ("backup plan backup", "backup vault vault"),
        ("bucket bucket", "bucket bucket"),
    } <= arrows(found)


def test_both_endpoints_of_a_region_lead_to_its_workload_and_to_health(drawn: dict[str, Diagram]) -> None:
    assert {
        ("ALB (TLS) front-door-alb", "λ payments"),
        ("ALB (TLS) front-door-alb", "λ health"),
        ("REST API api", "λ payments"),
        ("REST API api", "λ health"),
    } <= arrows(drawn["region"])


@pytest.mark.parametrize("name", ["failover", "failback"])
def test_a_workflow_shows_each_state_and_each_way_on(name: str, drawn: dict[str, Diagram]) -> None:
    machine = next(
        row
        for row in rows_of(diagrams_command.ENVIRONMENT)
        if row["type"] == workflows.MACHINE and row["name"].startswith(name)
    )
    states = json.loads(machine["inputs"]["definition"])["States"]
    ways = {(state, given["Next"]) for state, given in states.items() if "Next" in given}
    ways |= {(state, each["Next"]) for state, given in states.items() for each in given.get("Choices", [])}

    assert {box.key for box in drawn[name].boxes()} == set(states)
    assert ways <= {(arrow.source, arrow.target) for arrow in drawn[name].arrows}
    assert "Notify failure" in drawn[name].notes[0]


def test_a_loop_and_a_state_that_nothing_leads_to_are_drawn() -> None:
    states = {
        "Look": {"Type": "Task", "Next": "Good"},
        "Good": {"Type": "Choice", "Choices": [{"Next": "Done"}], "Default": "Wait"},
        "Wait": {"Type": "Wait", "Next": "Look"},
        "Done": {"Type": "Succeed"},
        "Lost": {"Type": "Fail"},
    }

    found = workflows.drawn("looping", {"StartAt": "Look", "States": states})

    ranks = {box.key: number for number, column in enumerate(found.columns) for box in column.boxes}
    assert ranks["Look"] < ranks["Good"] < ranks["Wait"]
    assert ("Wait", "Look", Line.NEXT) in {(arrow.source, arrow.target, arrow.line) for arrow in found.arrows}
    assert set(ranks) == set(states)


def test_a_workflow_that_is_not_registered_is_reported_as_missing() -> None:
    with pytest.raises(CouldNotStart, match="primary registers no state machine nothing"):
        workflows.machine(rows_of(diagrams_command.ENVIRONMENT), "nothing")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_on_anything_else(name: str, drawn: dict[str, Diagram]) -> None:
    """Neither boxes on each other nor arrows that pass on boxes: both have places of their own in a column."""
    placed = place(drawn[name])

    for column in placed.columns:
        assert all(above.start + above.size < below.start for above, below in pairwise(column))
    assert {slot.key for column in placed.columns for slot in column if not slot.key.startswith("~")} == {
        box.key for box in drawn[name].boxes()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_well_formed_and_holds_every_box_and_arrow(
    name: str, drawn: dict[str, Diagram], texts: dict[str, str]
) -> None:
    root = ElementTree.fromstring(texts[f"{name}.svg"])
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = root.findall(f".//{SVG}g/{SVG}rect")
    paths = [each for each in root.findall(f".//{SVG}g/{SVG}path") if "stroke-opacity" in each.attrib]

    assert len(boxes) == len(drawn[name].boxes())
    assert len(paths) == len(drawn[name].arrows)
    assert all(float(box.attrib["x"]) + float(box.attrib["width"]) <= width for box in boxes)
    assert all(float(box.attrib["y"]) + float(box.attrib["height"]) <= height for box in boxes)
    assert "script" not in {each.tag.removeprefix(SVG) for each in root.iter()}


def test_a_type_that_has_no_box_yet_is_counted_and_breaks_nothing() -> None:
    rows = list(rows_of(diagrams_command.ENVIRONMENT))
    new = {**rows[10], "stack": "primary", "type": "aws:quantum/device:Device", "urn": "urn:pulumi:x::dr-primary::q::q"}

    before, after = (diagrams_command.diagrams(each)["region"].notes[-1] for each in (rows, [*rows, new]))

    assert int(re.findall(r"\d+", after)[0]) == int(re.findall(r"\d+", before)[0]) + 1


def test_stale_files_fail_the_check_and_are_named(command: Any, tmp_path: Path) -> None:
    assert command("--check").exit_code == 1, "there is nothing yet"
    assert command().exit_code == 0
    assert command("--check").exit_code == 0

    (tmp_path / "region.svg").write_text("<svg/>")
    (tmp_path / "old.svg").write_text("")
    stale = command("--check")
    assert stale.exit_code == 1
    assert "region.svg, old.svg in" in stale.output
    assert (tmp_path / "region.svg").read_text() == "<svg/>", "a check writes nothing"

    assert command().exit_code == 0
    assert not (tmp_path / "old.svg").exists()
    assert command("--check").exit_code == 0
