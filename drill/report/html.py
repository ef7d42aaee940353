"""The report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from drill.report.charts import recovery_lanes, timeline_chart
from drill.report.model import MomentReport, Report
from drill.report.recovery import BEGUN, DRAINED

_SHAPES = {"wide": (1040.0, 360.0), "narrow": (400.0, 320.0)}
"""A picture that only shrinks has unreadable labels on a phone, so there are two and the style sheet shows one."""


def render(report: Report) -> str:
    environment = Environment(
        loader=PackageLoader("drill.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": _seconds,
        "moment": _moment,
        "share": _share,
        "number": _number,
        "sentence": _sentence,
    }
    charts = {name: timeline_chart(report, width=width, height=height) for name, (width, height) in _SHAPES.items()}
    lanes = {name: recovery_lanes(report, width=width) for name, (width, _) in _SHAPES.items()}
    return environment.get_template("report.html.j2").render(
        report=report,
        charts=charts,
        lanes=lanes,
        series=_series(report),
        begun=_moment_named(report, BEGUN),
        drained=_moment_named(report, DRAINED),
    )


def _moment_named(report: Report, name: str) -> MomentReport | None:
    return next((moment for moment in report.moments if moment.name == name), None)


def _series(report: Report) -> dict[str, str]:
    """The style class of each series in the chart: regions by place, whatever their names are."""
    classes = {region: f"place-{place}" for place, region in report.regions.items()}
    seen = {name for bin_ in report.traffic.timeline.bins for name in bin_.ok}
    return classes | dict.fromkeys(sorted(seen - set(classes)), "place-unknown")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC")


def _share(value: float) -> str:
    return f"{value:.0%}"


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
