"""The report as a file: self-contained, complete, and drawn where it should be."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from drill.report import files, model
from drill.report.charts import nice_step, timeline_chart
from drill.report.html import render
from tests.drill.reports import report

_VOID = {"meta"}


class Balanced(HTMLParser):
    """Fails on an element that is closed by another; collects what a reader sees and what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: str) -> Balanced:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_the_page_needs_nothing_from_anywhere() -> None:
    page = render(report())

    assert parsed(page).fetched == []
    assert "<script" not in page
    assert not re.search(r"@import|https?://|url\((?!#)", page)


def test_the_page_is_well_formed_and_every_id_is_its_own() -> None:
    ids = parsed(render(report())).ids

    assert len(ids) == len(set(ids)) > 0


def test_verdict_figures_limits_and_what_was_not_exercised_are_on_the_page() -> None:
    text = " ".join(" ".join(parsed(render(report())).text).split())

    for phrase in ("Passed", "4.00 s", "limit 4.40 s", "50.0/s", "Database failover", "One machine", "us-east-2"):
        assert phrase in text


def test_a_failed_run_names_the_first_broken_expectation_first() -> None:
    page = render(report(verdict="failed", first_broken="nothing is lost: expected 0 lost, found 1 lost"))

    assert "First broken expectation: nothing is lost: expected 0 lost, found 1 lost" in page
    assert page.index("First broken expectation") < page.index("What clients saw")


def test_output_of_the_system_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script>"
    payments = report().payments.model_copy(update={"evidence": [evil]})

    page = render(report(payments=payments, title=evil))

    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 2


def test_the_page_suits_dark_and_light_and_narrow_screens() -> None:
    page = render(report())

    assert "prefers-color-scheme: dark" in page
    assert "max-width: 640px" in page
    assert 'name="viewport"' in page


def test_a_run_without_any_outage_or_answer_can_be_drawn() -> None:
    traffic = report().traffic.model_copy(
        update={
            "interruptions": [],
            "timeline": model.Timeline(start=0, end=0, bin_seconds=1, bins=[]),
            "rto_seconds": None,
            "p50_ms": None,
        }
    )

    parsed(render(report(traffic=traffic, outage=None)))


@pytest.mark.parametrize(("width", "height"), [(1040.0, 360.0), (400.0, 320.0)])
def test_everything_of_the_chart_lies_inside_its_frame(width: float, height: float) -> None:
    chart = timeline_chart(report(), width=width, height=height)

    assert len(chart.bars) == 40
    for bar in chart.bars:
        assert chart.left <= bar.x
        assert bar.x + bar.width <= chart.right + 0.01
        assert chart.top <= bar.y
        assert bar.y + bar.height <= chart.bottom + 0.01
    assert all(chart.left <= mark.label_x <= chart.right for mark in chart.marks)


def test_the_outage_is_shaded_where_requests_failed() -> None:
    chart = timeline_chart(report(), width=1040, height=360)

    assert chart.outage is not None
    assert chart.interruption is not None
    failed = [bar for bar in chart.bars if bar.failed]
    assert failed[0].x == pytest.approx(chart.outage.x) == pytest.approx(chart.interruption.x)
    assert failed[-1].x + failed[-1].width == pytest.approx(chart.interruption.x + chart.interruption.width)
    assert chart.outage.width == pytest.approx(5 * chart.interruption.width)


def test_a_bar_is_as_high_as_its_rate() -> None:
    chart = timeline_chart(report(), width=1040, height=360)
    ok = next(bar for bar in chart.bars if not bar.failed)
    failed = next(bar for bar in chart.bars if bar.failed)

    assert failed.height / ok.height == pytest.approx(70 / 50)
    labels = {tick.label: tick.at for tick in chart.y_ticks}
    assert chart.bottom - ok.height == pytest.approx((labels["40"] + labels["60"]) / 2)


def test_the_numbers_of_steps_at_the_same_moment_do_not_cover_each_other() -> None:
    chart = timeline_chart(report(), width=400, height=320)

    assert [mark.number for mark in chart.marks] == [2, 3, 4, 5], "the first step was before the first payment"
    for one, other in pairwise(chart.marks):
        assert abs(one.label_x - other.label_x) >= 16 or one.label_y != other.label_y


@pytest.mark.parametrize(("span", "most", "step"), [(19, 9, 5), (40, 9, 5), (152, 5, 50), (50, 5, 10), (1, 5, 0.2)])
def test_ticks_are_at_round_numbers(span: float, most: int, step: float) -> None:
    assert nice_step(span, most) == pytest.approx(step)


def test_the_json_holds_the_whole_report(tmp_path: Path) -> None:
    made = report()

    files.write(made, tmp_path / "run")

    written = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert written == ["junit.xml", "report.html", "report.json", "report.md"]
    assert model.Report.model_validate_json((tmp_path / "run/report.json").read_text()) == made


def test_an_earlier_report_is_taken_away(tmp_path: Path) -> None:
    files.write(report(), tmp_path)

    files.remove(tmp_path)

    assert list(tmp_path.iterdir()) == []
