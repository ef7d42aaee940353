"""Figures computed from the attempts of a run."""

import pytest

from drill.model.attempts import Attempt, Outcome
from drill.verdict import interruptions as verdict_interruptions
from drill.verdict.interruptions import SteadyRun, interruptions

STEADY = SteadyRun(count=5, seconds=1.0)


def attempts(*stretches: tuple[float, float, str], every: float = 0.1) -> list[Attempt]:
    """Attempts at a steady pace: each stretch is from, to, and `ok` or an outcome of failure."""
    found = []
    for start, end, outcome in stretches:
        count = round((end - start) / every)
        found += [
            Attempt(intent=0, sent=start + index * every, seconds=0.01, outcome=Outcome(outcome), region="r")
            for index in range(count)
        ]
    return found


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        pytest.param([(0, 5, "ok")], [], id="nothing failed"),
        pytest.param([(0, 2, "ok"), (2, 4, "error"), (4, 6, "ok")], [(2.0, 4.01)], id="one interruption"),
        pytest.param(
            [(0, 2, "ok"), (2, 3, "error"), (3, 3.6, "ok"), (3.6, 4, "reset"), (4, 6, "ok")],
            [(2.0, 4.01)],
            id="successes for less than a steady run do not end it",
        ),
        pytest.param(
            [(0, 2, "ok"), (2, 3, "error"), (3, 5, "ok"), (5, 5.5, "timeout"), (5.5, 8, "ok")],
            [(2.0, 3.01), (5.0, 5.51)],
            id="two interruptions",
        ),
        pytest.param([(0, 2, "ok"), (2, 4, "error")], [(2.0, None)], id="never restored"),
        pytest.param([(0, 2, "ok"), (2, 4, "error"), (4, 4.9, "ok")], [(2.0, None)], id="too short to be steady"),
        pytest.param([(0, 1, "error"), (1, 3, "ok")], [(0.0, 1.01)], id="down from the first request"),
        pytest.param([], [], id="no request at all"),
    ],
)
def test_an_interruption_lasts_until_the_first_of_a_steady_run(
    stretches: list[tuple[float, float, str]], expected: list[tuple[float, float | None]]
) -> None:
    found = interruptions(attempts(*stretches), STEADY)

    assert [each.start for each in found] == pytest.approx([start for start, _ in expected])
    assert [each.end for each in found] == pytest.approx([end for _, end in expected])


def test_attempts_count_by_when_they_were_sent_not_by_when_they_ended() -> None:
    hung = Attempt(intent=1, sent=1.0, seconds=2.0, outcome=Outcome.TIMEOUT)
    others = attempts((0, 1, "ok"), (1.1, 4, "ok"))

    [found] = interruptions([*others, hung], STEADY)

    assert found.end == pytest.approx(1.11), "an answer to a later request shows that service was there already"


def test_service_is_there_with_the_first_answer_though_an_earlier_request_still_waits() -> None:
    slow = Attempt(intent=1, sent=3.0, seconds=2.0, outcome=Outcome.OK)

    [found] = interruptions([*attempts((0, 1, "ok"), (1, 3, "error")), slow, *attempts((3.1, 6, "ok"))], STEADY)

    assert found.end == pytest.approx(3.11)


def test_a_burst_of_retries_alone_is_not_a_steady_run() -> None:
    burst = attempts((3.0, 3.1, "ok"), every=0.01)
    found = interruptions([*attempts((2, 3, "error")), *burst, *attempts((3.2, 4, "error"))], STEADY)

    assert [each.end for each in found] == [None]


def test_two_lucky_answers_far_apart_are_not_a_steady_run() -> None:
    lucky = attempts((3, 5, "ok"), every=1.0)

    [found] = interruptions([*attempts((2, 3, "error")), *lucky, *attempts((5, 6, "error"), (6, 8, "ok"))], STEADY)

    assert found.end == pytest.approx(6.01)


@pytest.mark.parametrize(("rate", "count", "seconds"), [(50, 25, 1.0), (1, 3, 2.0), (500, 250, 1.0)])
def test_a_steady_run_is_measured_in_requests_and_in_time(rate: float, count: int, seconds: float) -> None:
    assert SteadyRun.of(rate) == SteadyRun(count=count, seconds=seconds)


def test_the_longest_gap_also_counts_before_the_first_and_after_the_last_answer() -> None:
    record = attempts((2, 3, "ok"), (3, 4, "error"))

    assert verdict_interruptions.longest_gap(record, start=0, end=10) == pytest.approx(7.09)
    assert verdict_interruptions.longest_gap(record, start=0, end=3) == pytest.approx(2.01)
    assert verdict_interruptions.longest_gap([], start=1, end=4) == 3


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7.0], 0.99, 7.0), ([3.0, 1.0, 2.0], 0.5, 2.0), (list(map(float, range(1, 101))), 0.99, 99.0)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float | None) -> None:
    assert verdict_interruptions.percentile(values, share) == expected


def test_the_time_line_keeps_every_request() -> None:
    record = attempts((0, 2, "ok"), (2, 3, "error"))

    bins = verdict_interruptions.timeline(record, start=0, end=3, width=0.7)

    assert len(bins) == 5
    assert sum(each.ok.get("r", 0) for each in bins) == 20
    assert sum(each.failed.get("error", 0) for each in bins) == 10
    assert bins[0].ok == {"r": 7}
