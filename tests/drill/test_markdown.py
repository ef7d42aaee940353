"""The report as Markdown."""

from drill.report import model as report_model
from drill.report.markdown import render
from drill.verdict import check as model
from tests.drill.reports import report


def missed(measured: str = "3 lost") -> model.CheckReport:
    return model.CheckReport(
        name="no payment is lost", kind="objective", expected="0 lost", measured=measured, met=False
    )


def failed(**changes: object) -> report_model.Report:
    return report(
        verdict="failed", first_broken="no payment is lost: expected 0 lost, found 3 lost", checks=[missed()], **changes
    )


def test_a_failed_run_names_the_first_broken_expectation_before_anything_else() -> None:
    lines = render(failed()).splitlines()

    assert lines[0] == "# FAILED: Lose the primary region under load, and fail back to it" or lines[0].startswith(
        "# FAILED:"
    )
    assert "**First broken expectation:** no payment is lost: expected 0 lost, found 3 lost" in lines[3]
    assert "| **missed** | no payment is lost | 0 lost | 3 lost |" in lines


def test_a_passed_run_breaks_nothing() -> None:
    text = render(report())

    assert text.startswith("# PASSED: ")
    assert "First broken" not in text
    assert "missed" not in text


def test_steps_moments_evidence_and_limits_are_reported() -> None:
    payments = report().payments.model_copy(update={"evidence": ["p-1 was acknowledged, but is absent in us-east-2"]})
    moment = report_model.MomentReport(name="the writer moved", at=20.0, aws_seconds=25.0, limit_aws_seconds=60.0)
    text = render(failed(payments=payments, moments=[moment], trouble=["no log"]))

    assert "| 15.0 s | 20.0 s | load without the primary region | done |  |" in text
    assert "| 20.0 s | 25 AWS s | 60 AWS s | the writer moved |" in text
    for sentence in ("- p-1 was acknowledged, but is absent in us-east-2", "- no log", "- Database failover"):
        assert sentence in text.splitlines()


def test_what_a_server_answered_cannot_break_the_table_or_become_markup() -> None:
    text = render(report(checks=[missed("<img src=x> a|b\n| met | `*`")]))
    [row] = [line for line in text.splitlines() if "no payment is lost" in line]

    assert row.count("|") - row.count("\\|") == 5, "four cells"
    assert "<img" not in text
    assert "`*`" not in row
