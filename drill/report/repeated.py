"""Several runs of one scenario with different seeds: each duration that the runs measured, as a distribution.

`repeated.json` holds the model. Durations are AWS seconds; percentiles are nearest-rank, so each is a measured value.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from drill.report.model import Report, Rounded
from drill.verdict.check import StrictModel

RESTORED = "payments are accepted again"
Outcome = Literal["passed", "failed", "inconclusive", "no report"]


class Measurement(StrictModel):
    name: str
    aws_seconds: Rounded
    limit_aws_seconds: Rounded | None = None


class RepeatedRun(StrictModel):
    """One of the runs. `problem` is the first broken expectation, or why there is no report."""

    seed: int
    outcome: Outcome
    problem: str = ""
    speed: float | None = None  # AWS seconds in one of this machine
    rate: float | None = None  # payments a second
    seconds: Rounded  # that it took on this machine
    lost: int | None = None  # acknowledged payments
    duplicated: int | None = None
    report: str | None = None  # path of its report from here
    measurements: list[Measurement] = Field(default_factory=list)


class Distribution(StrictModel):
    """One duration over all runs that measured it. `above`: the runs whose value is above the limit of their own."""

    name: str
    count: int
    least: Rounded
    median: Rounded
    p95: Rounded
    most: Rounded
    limit_aws_seconds: Rounded | None  # the same in all runs, else None
    above: int


class Repeated(StrictModel):
    scenario: str
    title: str
    environment: str
    requested: int  # runs; fewer are listed after an interrupt
    runs: list[RepeatedRun]
    distributions: list[Distribution]

    @property
    def passed(self) -> int:
        return sum(run.outcome == "passed" for run in self.runs)


def measurements(report: Report) -> list[Measurement]:
    """The durations of one run, each from the loss: until payments were accepted again, and until each moment of the
    recovery. Of a moment that came several times, the first."""
    found: dict[str, Measurement] = {}
    if report.outage is not None and report.traffic.rto_aws_seconds is not None:
        limit = report.limits.rto_limit_aws_seconds
        value = report.traffic.rto_aws_seconds
        found[RESTORED] = Measurement(name=RESTORED, aws_seconds=value, limit_aws_seconds=limit)
    for moment in report.moments:
        if moment.aws_seconds > 0 and moment.name not in found:
            found[moment.name] = Measurement(
                name=moment.name, aws_seconds=moment.aws_seconds, limit_aws_seconds=moment.limit_aws_seconds
            )
    return list(found.values())


def repeated_run(report: Report | None, *, seed: int, seconds: float, problem: str, folder: Path) -> RepeatedRun:
    """`folder` is the report's, as a path from the summary."""
    if report is None:
        return RepeatedRun(seed=seed, outcome="no report", problem=problem, seconds=seconds)
    return RepeatedRun(
        seed=seed,
        outcome=report.verdict,
        problem=report.first_broken or "",
        speed=report.speed,
        rate=report.rate,
        seconds=seconds,
        lost=report.payments.lost,
        duplicated=report.payments.duplicated,
        report=(folder / "report.html").as_posix(),
        measurements=measurements(report),
    )


def repeated(*, scenario: str, title: str, environment: str, requested: int, runs: Sequence[RepeatedRun]) -> Repeated:
    return Repeated(
        scenario=scenario,
        title=title,
        environment=environment,
        requested=requested,
        runs=list(runs),
        distributions=_distributions(runs),
    )


def _distributions(runs: Sequence[RepeatedRun]) -> list[Distribution]:
    """Ordered by their medians, as the durations follow each other."""
    by_name: dict[str, list[Measurement]] = {}
    for run in runs:
        for each in run.measurements:
            by_name.setdefault(each.name, []).append(each)
    found = [_distribution(name, measured) for name, measured in by_name.items()]
    return sorted(found, key=lambda each: (each.median, each.name))


def _distribution(name: str, measured: Sequence[Measurement]) -> Distribution:
    values = sorted(each.aws_seconds for each in measured)
    limits = {each.limit_aws_seconds for each in measured}
    return Distribution(
        name=name,
        count=len(values),
        least=values[0],
        median=percentile(values, 50),
        p95=percentile(values, 95),
        most=values[-1],
        limit_aws_seconds=limits.pop() if len(limits) == 1 else None,
        above=sum(each.aws_seconds > (each.limit_aws_seconds or math.inf) for each in measured),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of the values, ordered from the least, that at least `percent` of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
