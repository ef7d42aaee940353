"""What a run amounts to: each expectation against what was measured, the verdict, and the exit status."""

from collections.abc import Sequence
from dataclasses import dataclass

from drill.measures import Interruption
from drill.report.model import CheckKind, CheckReport, Verdict
from drill.verify import Verification


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that is judged. Seconds on this machine."""

    rto_limit: float
    interruptions: Sequence[Interruption]  # that ended after the region was lost
    load_ended: float
    failed_before_outage: int
    survivor: str
    answered_by_survivor: int  # while the other region was away
    calls_refused: int
    shed: int
    given_up: int
    verification: Verification
    not_restored: str | None
    left_behind: Sequence[str]
    blind: Sequence[str]


def rto(interruptions: Sequence[Interruption]) -> float | None:
    """Of the first interruption: 0 if there was none, None if it never ended."""
    return interruptions[0].seconds if interruptions else 0.0


def checks(measured: Measured) -> list[CheckReport]:
    """In the order of importance; the first one not met names a failed run."""
    return [*_objectives(measured), *_plan(measured), *_way_back(measured)]


def _objectives(measured: Measured) -> list[CheckReport]:
    verified = measured.verification
    return [
        _objective(
            "no acknowledged payment is lost",
            "0 lost",
            f"{len(verified.lost)} lost of {verified.acknowledged} acknowledged",
            met=not verified.lost and verified.acknowledged > 0,
        ),
        _objective(
            "no payment is made twice",
            "0 duplicated",
            f"{len(verified.duplicated)} duplicated",
            met=not verified.duplicated,
        ),
        _restored(measured),
        _later(measured),
        _objective(
            "traffic moves to the other region by itself",
            f"answers from {measured.survivor}",
            f"{measured.answered_by_survivor} answers from {measured.survivor} during the outage",
            met=measured.answered_by_survivor > 0,
        ),
        _objective(
            "every client is told in the end",
            "0 gave up",
            f"{measured.given_up} gave up",
            met=measured.given_up == 0,
        ),
    ]


def _restored(measured: Measured) -> CheckReport:
    seconds = rto(measured.interruptions)
    return _objective(
        "payments are accepted again in time",
        f"at most {measured.rto_limit:.3f} s",
        "not restored before the load ended" if seconds is None else f"{seconds:.3f} s",
        met=seconds is not None and round(seconds, 3) <= round(measured.rto_limit, 3),
    )


def _later(measured: Measured) -> CheckReport:
    """An interruption that the end of the load cut short counts as long as it was seen."""
    lengths = [
        measured.load_ended - later.start if later.seconds is None else later.seconds
        for later in measured.interruptions[1:]
    ]
    longest = max(lengths, default=0.0)
    return _objective(
        "service stays restored, also when the region returns",
        f"no later interruption above {measured.rto_limit:.2f} s",
        f"{len(lengths)} later, the longest {longest:.2f} s" if lengths else "none",
        met=longest <= measured.rto_limit,
    )


def _plan(measured: Measured) -> list[CheckReport]:
    return [
        _check(
            "plan",
            "nothing failed before the outage",
            "0 failed",
            f"{measured.failed_before_outage} failed",
            met=measured.failed_before_outage == 0,
        ),
        _check(
            "plan",
            "the region was really away",
            "calls refused",
            f"{measured.calls_refused} calls refused",
            met=measured.calls_refused > 0,
        ),
        _check(
            "plan",
            "the load kept its schedule",
            "0 payments shed",
            f"{measured.shed} payments shed",
            met=measured.shed == 0,
        ),
        _check(
            "plan",
            "the system could be watched throughout",
            "every look answered",
            f"{len(measured.blind)} looks failed, first {measured.blind[0]}"
            if measured.blind
            else "every look answered",
            met=not measured.blind,
        ),
    ]


def _way_back(measured: Measured) -> list[CheckReport]:
    return [
        _check(
            "way back",
            "the steady state returns",
            "as before the outage",
            measured.not_restored or "as before the outage",
            met=measured.not_restored is None,
        ),
        _check(
            "way back",
            "no process is left behind",
            "none",
            ", ".join(measured.left_behind) or "none",
            met=not measured.left_behind,
        ),
    ]


def _objective(name: str, expected: str, found: str, *, met: bool) -> CheckReport:
    return CheckReport(name=name, kind="objective", expected=expected, measured=found, met=met)


def _check(kind: CheckKind, name: str, expected: str, found: str, *, met: bool) -> CheckReport:
    return CheckReport(name=name, kind=kind, expected=expected, measured=found, met=met)


def verdict(found: Sequence[CheckReport]) -> tuple[Verdict, str | None]:
    """`failed` if an objective was missed, `deviated` if the plan was; and the first broken expectation, if any."""
    broken = [check for check in found if not check.met]
    if not broken:
        return "passed", None
    named = next((check for check in broken if check.kind == "objective"), broken[0])
    sentence = f"{named.name}: expected {named.expected}, found {named.measured}"
    return ("failed" if named.kind == "objective" else "deviated"), sentence


def exit_status(found: Sequence[CheckReport]) -> int:
    """0 all met; 1 missed; 3 the way back is incomplete, which somebody must look at first."""
    broken = {check.kind for check in found if not check.met}
    if "way back" in broken:
        return 3
    return 1 if broken else 0
