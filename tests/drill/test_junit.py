"""The report as JUnit XML, read back as a pipeline would."""

from xml.etree import ElementTree

from drill.report.junit import render
from tests.drill.reports import report
from tests.drill.test_markdown import failed, missed


def test_each_expectation_is_a_test_case_and_a_missed_one_fails() -> None:
    checks = [*report().checks, missed()]
    suites = ElementTree.fromstring(render(failed().model_copy(update={"checks": checks})))
    [suite] = suites
    failures = {case.attrib["name"]: [each.attrib["message"] for each in case] for case in suite.iter("testcase")}

    assert failures == {"nothing is lost": [], "no payment is lost": ["expected 0 lost, found 3 lost"]}
    for counted in (suites, suite):
        assert (counted.attrib["tests"], counted.attrib["failures"], counted.attrib["errors"]) == ("2", "1", "0")
        assert counted.attrib["time"] == "50.000"
    assert suite.attrib["timestamp"] == "2026-01-02T03:04:05"


def test_the_run_reports_where_it_ran_and_what_failed_first() -> None:
    suites = ElementTree.fromstring(render(failed()))
    reported = {each.attrib["name"]: each.attrib["value"] for each in suites.iter("property")}

    assert reported["environment"] == "dev"
    assert reported["region.secondary"] == "us-east-2"
    assert reported["first_broken"] == "no payment is lost: expected 0 lost, found 3 lost"


def test_whatever_was_answered_the_file_can_be_read() -> None:
    odd = 'a "quoted" <b> & \x00\x1b[31m \ud800 end'
    suites = ElementTree.fromstring(render(report(checks=[missed(odd)])).encode())
    [failure] = suites.iter("failure")

    assert failure.text is not None
    assert '"quoted" <b> & ' in failure.text
    assert failure.text.endswith(" end")
    assert not set("\x00\x1b\ud800") & set(failure.text)
