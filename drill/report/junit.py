"""The report as JUnit XML, which every pipeline shows: a test case for each expectation.

There is no standard; this keeps to what Jenkins' schema and the common readers share (testsuites, testsuite, testcase,
failure, system-out).
"""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from drill.report.model import Report
from drill.verdict.check import CheckReport

# What XML 1.0 allows; anything else an answer may hold would make the file unreadable (XML §2.2).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    failures = sum(not each.met and not each.inconclusive for each in report.checks)
    skipped = str(sum(each.inconclusive for each in report.checks))
    seconds = f"{(report.finished_at - report.started_at).total_seconds():.3f}"
    counts = {"tests": str(len(report.checks)), "failures": str(failures), "errors": "0", "time": seconds}
    suites = Element("testsuites", {"name": "drill"} | counts)
    about = {
        "name": f"drill.{report.scenario}",
        "timestamp": report.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "skipped": skipped,
    }
    suite = SubElement(suites, "testsuite", about | counts)
    properties = SubElement(suite, "properties")
    for name, value in _properties(report).items():
        SubElement(properties, "property", name=name, value=_text(value))
    for check in report.checks:
        _case(suite, report, check)
    if report.payments.evidence:
        SubElement(suite, "system-out").text = _text("\n".join(report.payments.evidence))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Element, report: Report, check: CheckReport) -> None:
    case = SubElement(suite, "testcase", classname=f"drill.{report.scenario}.{check.kind}", name=_text(check.name))
    case.set("time", "0")
    if not check.met:
        sentence = _text(f"expected {check.expected}, found {check.measured}")
        if check.inconclusive:
            SubElement(case, "skipped", message=sentence)
        else:
            SubElement(case, "failure", type=check.kind, message=sentence).text = sentence


def _properties(report: Report) -> dict[str, str]:
    return {
        "environment": report.environment,
        "verdict": report.verdict,
        "first_broken": report.first_broken or "",
        "seed": str(report.seed),
        **{f"region.{place}": region for place, region in report.regions.items()},
    }


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
