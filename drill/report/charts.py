"""Geometry of the time line: where each bar, mark and label goes. The template draws it and has the colours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from drill.report.model import FaultReport, LagReport, Report, StepReport, Timeline, WorkflowReport

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


# Geometry of the lanes under the time line: what was done, what the workflows did, which database wrote, how far the
# reader was behind. Same time axis as the time line, so that one is under the other.


_LABEL = 16.0  # above a lane
_BAR = 16.0
_CURVE = 44.0
_GAP = 12.0
_AXIS = 34.0
_LETTER = 6.6  # of a label, at most
_LAG_SHOWN = 2.0  # AWS seconds; below, there is nothing to see
_UNMEASURED = 2.0  # seconds without a figure
_TOUCH = 3.0  # bars narrower than this are drawn this wide


@dataclass(frozen=True, kw_only=True)
class Block:
    """A stretch of a lane. `text` is written into it where there is room."""

    x: float
    width: float
    style: str
    title: str
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Lane:
    label: str
    y: float  # of the top of the blocks
    height: float
    blocks: list[Block]
    areas: list[str] = field(default_factory=list)  # outlines of a lag, one for each stretch that was measured


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """All lanes, in pixels of a picture `width` by `height`."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    lanes: list[Lane]
    x_ticks: list[Tick]


def recovery_lanes(report: Report, *, width: float) -> Lanes | None:
    """None for a report that has nothing to show in them."""
    timeline = report.traffic.timeline
    left, right = MARGIN_LEFT, width - MARGIN_RIGHT
    seconds = max(timeline.end - timeline.start, 1e-6)

    def x(at: float) -> float:
        return left + (min(max(at, timeline.start), timeline.end) - timeline.start) / seconds * (right - left)

    def block(start: float, end: float | None, style: str, title: str, text: str = "") -> Block:
        begin, until = x(start), x(timeline.end if end is None else end)
        wide = max(until - begin, _TOUCH)
        return Block(
            x=begin, width=wide, style=style, title=title, text=text if len(text) * _LETTER + 8 <= wide else ""
        )

    named: list[tuple[str, list[Block]]] = []
    for number, faults in enumerate(_apart(report.faults)):
        blocks = [block(each.at, each.ended_at, "fault", each.name, each.kind) for each in faults]
        named.append(("faults" if number == 0 else "more faults", blocks))
    for workflow in report.workflows:
        if workflow.held_because is None:
            named.append((f"{workflow.machine} in {workflow.region}", _steps(workflow, block)))
    if report.database and report.database.writers:
        styles = {region: f"place-{place}" for place, region in report.regions.items()}
        writers = [
            block(each.at, each.until, styles[each.region], f"{each.region} accepts writes", each.region)
            for each in report.database.writers
        ]
        named.append(("database that accepts writes", writers))
    if not named:
        return None
    y, lanes = 0.0, []
    for label, blocks in named:
        lanes.append(Lane(label=label, y=y + _LABEL, height=_BAR, blocks=blocks))
        y += _LABEL + _BAR + _GAP
    lags = (
        [each for each in report.database.lags if timeline.start <= each.at <= timeline.end] if report.database else []
    )
    if max((each.aws_seconds for each in lags), default=0.0) > _LAG_SHOWN:
        lanes.append(_lag_lane(lags, x, y + _LABEL))
        y += _LABEL + _CURVE + _GAP
    step = nice_step(seconds, max(4, int(width / 110)))
    return Lanes(
        width=width,
        height=y + _AXIS,
        left=left,
        right=right,
        bottom=y,
        lanes=lanes,
        x_ticks=[
            Tick(at=x(timeline.start + index * step), label=f"{index * step:g}")
            for index in range(int(seconds / step) + 1)
        ],
    )


def _apart(faults: Sequence[FaultReport]) -> list[list[FaultReport]]:
    """In as few lanes as it takes for none to cover another."""
    lanes: list[list[FaultReport]] = []
    for fault in sorted(faults, key=lambda each: each.at):
        free = (lane for lane in lanes if lane[-1].ended_at is not None and lane[-1].ended_at <= fault.at)
        lane = next(free, None)
        if lane is None:
            lanes.append([fault])
        else:
            lane.append(fault)
    return lanes


def _steps(workflow: WorkflowReport, block: Callable[..., Block]) -> list[Block]:
    """Neighbours in two shades, so that one ends where the next begins."""
    work = [step for step in workflow.steps if step.seconds > 0]
    return [
        block(
            step.at,
            step.at + step.seconds,
            f"step-{number % 2}",
            f"{step.name}, {step.seconds:.2f} s",
            step.name,
        )
        for number, step in enumerate(work)
    ]


def _lag_lane(lags: Sequence[LagReport], x: Callable[[float], float], y: float) -> Lane:
    highest = max(each.aws_seconds for each in lags)
    bottom = y + _CURVE

    def area(stretch: Sequence[LagReport]) -> str:
        line = " ".join(f"{x(each.at):.1f},{bottom - each.aws_seconds / highest * _CURVE:.1f}" for each in stretch)
        return f"{x(stretch[0].at):.1f},{bottom:.1f} {line} {x(stretch[-1].at):.1f},{bottom:.1f}"

    return Lane(
        label=f"reader's lag, at most {highest:.1f} AWS s",
        y=y,
        height=_CURVE,
        blocks=[],
        areas=[area(stretch) for stretch in _stretches(lags)],
    )


def _stretches(lags: Sequence[LagReport]) -> list[list[LagReport]]:
    """While there is no reader, nothing is measured, and nothing is to be drawn."""
    usual = (lags[-1].at - lags[0].at) / len(lags)
    stretches = [[lags[0]]]
    for earlier, later in pairwise(lags):
        if later.at - earlier.at > max(_UNMEASURED, 4 * usual):
            stretches.append([])
        stretches[-1].append(later)
    return stretches
