"""CloudWatch's tables of how alarms treat missing data [CW-6], row by row."""

from typing import Any

import pytest

from localaws.services.cloudwatch.alarms import ALARM, INSUFFICIENT_DATA, OK, Rule, judge

RETAIN = None
THREE_OF_THREE = {
    "0 - X - X": (OK, OK, OK, OK),
    "- - - - 0": (OK, OK, OK, OK),
    "- - - - -": (INSUFFICIENT_DATA, RETAIN, ALARM, OK),
    "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
    "- - X - -": (ALARM, RETAIN, ALARM, OK),
}
TWO_OF_THREE = {
    "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
    "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (OK, OK, ALARM, OK),
    "- - - - 0": (OK, OK, ALARM, OK),
    "- - - X -": (ALARM, RETAIN, ALARM, OK),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
ROWS = [
    (datapoints, row, treatment, expected)
    for datapoints, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for row, states in table.items()
    for treatment, expected in zip(TREATMENTS, states, strict=True)
]


def rule(**settings: Any) -> Rule:
    given = {"comparison": "GreaterThanThreshold", "threshold": 0.5, "evaluation_periods": 3, "datapoints_to_alarm": 3}
    return Rule(**{**given, "missing": "missing", **settings})


def points(row: str) -> list[float | None]:
    return [{"0": 0.0, "X": 1.0, "-": None}[mark] for mark in row.split()]


@pytest.mark.parametrize(("datapoints", "row", "treatment", "expected"), ROWS)
def test_each_row_of_the_guide_gives_the_documented_state(
    datapoints: int, row: str, treatment: str, expected: str | None
) -> None:
    verdict = judge(rule(datapoints_to_alarm=datapoints, missing=treatment), points(row))

    assert verdict.state == expected, verdict.reason


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_a_fresh_breaching_datapoint_with_silence_before_it_is_no_alarm_yet(row: str) -> None:
    assert judge(rule(), points(row)).state == OK


def test_only_the_latest_periods_count_when_all_are_there() -> None:
    assert judge(rule(), points("X X 0 X X")).state == OK
    assert judge(rule(), points("0 0 X X X")).state == ALARM


@pytest.mark.parametrize(
    ("comparison", "at_threshold"),
    [
        ("GreaterThanThreshold", OK),
        ("GreaterThanOrEqualToThreshold", ALARM),
        ("LessThanThreshold", OK),
        ("LessThanOrEqualToThreshold", ALARM),
    ],
)
def test_the_comparison_decides_whether_the_threshold_itself_breaches(comparison: str, at_threshold: str) -> None:
    verdict = judge(rule(comparison=comparison, evaluation_periods=1, datapoints_to_alarm=1), [None, None, 0.5])

    assert verdict.state == at_threshold


def test_alarms_on_dynamodb_ignore_missing_data_with_any_setting() -> None:
    record = {
        "Namespace": "AWS/DynamoDB",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1.0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "breaching",
    }

    assert Rule.of(record).missing == "ignore"
    assert Rule.of(record | {"Namespace": "AWS/S3"}).missing == "breaching"


def test_a_comparison_with_a_band_is_refused_by_name() -> None:
    record = {"ComparisonOperator": "LessThanLowerThreshold", "Namespace": "N"}

    with pytest.raises(ValueError, match="LessThanLowerThreshold is not emulated"):
        Rule.of(record)
