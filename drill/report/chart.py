"""Geometry of the time line: where each bar, mark and label goes. The template draws it and knows the colours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drill.report.model import Report, StepReport, Timeline

MARGIN_LEFT = 44.0
MARGIN_RIGHT = 12.0
_MARGIN_TOP = 52.0
_MARGIN_BOTTOM = 40.0
_MARK_SPACE = 20.0  # between two step numbers
_MARK_ROW = 18.0
_MARK_ROWS = 2


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One block of a stacked column. `series` is a region, or an outcome of failed requests."""

    x: float
    y: float
    width: float
    height: float
    series: str
    failed: bool


@dataclass(frozen=True, kw_only=True)
class Tick:
    at: float  # pixels
    label: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The start of a step; `number` is its row in the table of steps."""

    x: float
    label_x: float
    label_y: float
    number: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Band:
    """A stretch of time."""

    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All of a time line, in pixels of a picture `width` by `height`."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    bars: list[Bar]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    marks: list[Mark]
    outage: Band | None
    interruption: Band | None


def timeline_chart(report: Report, *, width: float, height: float) -> Chart:
    """Requests a second by outcome and region, with the outage shaded and the steps marked."""
    timeline = report.traffic.timeline
    left, right = MARGIN_LEFT, width - MARGIN_RIGHT
    top, bottom = _MARGIN_TOP, height - _MARGIN_BOTTOM
    seconds = max(timeline.end - timeline.start, 1e-6)

    def x(at: float) -> float:
        return left + (min(max(at, timeline.start), timeline.end) - timeline.start) / seconds * (right - left)

    def band(start: float, end: float) -> Band:
        return Band(x=x(start), width=x(end) - x(start))

    highest = max((_total(bin_.ok) + _total(bin_.failed) for bin_ in timeline.bins), default=0) / timeline.bin_seconds
    step = nice_step(max(highest, report.rate), 5)
    ceiling = step * math.ceil(max(highest, report.rate) / step)
    scale = (bottom - top) / ceiling
    first = report.traffic.interruptions[0] if report.traffic.interruptions else None
    outage = report.outage
    x_step = nice_step(seconds, max(4, int(width / 110)))
    return Chart(
        width=width,
        height=height,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        bars=_bars(timeline, list(report.regions.values()), x, scale=scale, bottom=bottom),
        x_ticks=[
            Tick(at=x(timeline.start + index * x_step), label=f"{index * x_step:g}")
            for index in range(int(seconds / x_step) + 1)
        ],
        y_ticks=[
            Tick(at=bottom - value * step * scale, label=f"{value * step:g}")
            for value in range(round(ceiling / step) + 1)
        ],
        marks=_marks(report.steps, timeline, x, right),
        outage=band(outage.at, timeline.end if outage.healed_at is None else outage.healed_at) if outage else None,
        interruption=band(first.start, timeline.end if first.seconds is None else first.start + first.seconds)
        if first
        else None,
    )


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5, 10, 20, … that cuts `span` into at most `most` pieces."""
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough - 1e-9)


def _total(counts: dict[str, int]) -> int:
    return sum(counts.values())


def _bars(
    timeline: Timeline, regions: Sequence[str], x: Callable[[float], float], *, scale: float, bottom: float
) -> list[Bar]:
    bars = []
    for bin_ in timeline.bins:
        start, end = x(bin_.start), x(bin_.start + timeline.bin_seconds)
        others = sorted(set(bin_.ok) - set(regions))
        stack = [(name, bin_.ok.get(name, 0), False) for name in (*regions, *others)]
        stack += [(name, count, True) for name, count in sorted(bin_.failed.items())]
        y = bottom
        for series, count, failed in stack:
            if count:
                height = count / timeline.bin_seconds * scale
                y -= height
                bars.append(Bar(x=start, y=y, width=end - start, height=height, series=series, failed=failed))
    return bars


def _marks(steps: Sequence[StepReport], timeline: Timeline, x: Callable[[float], float], right: float) -> list[Mark]:
    """Numbers that would touch move to the second row, or along it."""
    free = [0.0] * _MARK_ROWS  # from where a row has room
    marks = []
    for number, step in enumerate(steps, start=1):
        if not timeline.start <= step.at <= timeline.end:
            continue
        at = x(step.at)
        row = next((row for row in range(_MARK_ROWS) if free[row] <= at), free.index(min(free)))
        label_x = min(max(at, free[row]), right)
        free[row] = label_x + _MARK_SPACE
        marks.append(Mark(x=at, label_x=label_x, label_y=12.0 + row * _MARK_ROW, number=number, name=step.name))
    return marks
