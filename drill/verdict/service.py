"""What clients noticed, judged."""

from collections.abc import Sequence

from drill.model.objectives import Objectives, Overload
from drill.verdict.interruptions import Interruption
from drill.verdict.model import CheckReport
from drill.verdict.result import Measured, objective, timed, unless_starved

HICCUP_SECONDS = 1.0
"""A request that fails and is told on the next try: with clients and servers on one machine it happens by itself."""


def rto(interruptions: Sequence[Interruption]) -> float | None:
    """Of the first interruption: 0 if there was none, None if it never ended."""
    return interruptions[0].seconds if interruptions else 0.0


def lines(objectives: Objectives, measured: Measured) -> list[CheckReport]:
    if objectives.overload is not None:
        return _after_overload(objectives.overload, measured)
    service = objectives.service
    found = [_restored(measured), _later(measured)] if service.interrupted else [_uninterrupted(measured)]
    whole = (measured.fault_at, measured.load_ended)
    if service.moves_to:
        region = measured.regions[service.moves_to]
        count = measured.answered_meanwhile.get(region, 0)
        moved = objective(
            "traffic moves to the other region by itself",
            f"answers from {region}",
            f"{count} answers from {region} meanwhile",
            met=count > 0,
        )
        found.append(unless_starved(measured, moved, whole))
    if service.serves_both:
        counts = {region: measured.answered_meanwhile.get(region, 0) for region in measured.regions.values()}
        both = objective(
            "both regions serve their clients",
            "answers from both",
            ", ".join(f"{count} from {region}" for region, count in counts.items()),
            met=all(counts.values()),
        )
        found.append(unless_starved(measured, both, whole))
    return [*found, _told(measured)]


def _told(measured: Measured) -> CheckReport:
    told = objective(
        "every client is told in the end",
        "0 gave up",
        f"{measured.given_up} gave up",
        met=measured.given_up == 0,
    )
    return unless_starved(measured, told, (0.0, measured.load_ended))


def _after_overload(expected: Overload, measured: Measured) -> list[CheckReport]:
    """Not excused by starvation: the storm is there to starve the machine, and afterwards it is offered what it can.

    What was offered during the storm may stay unanswered: there was more of it than the service can take.
    """
    found = measured.recovery
    seconds = None if found is None else found.seconds
    return [
        objective(
            "full goodput returns by itself after the storm",
            f"{expected.share:.0%} of what is offered, within {expected.within_seconds:g} s",
            f"{found.share:.0%} within {seconds:.1f} s"
            if found and seconds is not None
            else f"{found.share:.0%} at the end of the run"
            if found
            else "the storm did not end",
            met=seconds is not None and round(seconds, 2) <= expected.within_seconds,
        ),
        objective(
            "overload looks like overload, and not like a lost region",
            "targets stay healthy",
            f"unhealthy: {', '.join(measured.unhealthy)}" if measured.unhealthy else "targets stay healthy",
            met=not measured.unhealthy,
        ),
        objective(
            "every client that came after the storm is told in the end",
            "0 gave up",
            "the storm did not end" if found is None else f"{found.given_up} gave up",
            met=found is not None and found.given_up == 0,
        ),
    ]


def _restored(measured: Measured) -> CheckReport:
    seconds = rto(measured.interruptions)
    start = measured.interruptions[0].start if measured.interruptions else measured.fault_at
    return timed(
        measured,
        "payments are accepted again in time",
        f"at most {measured.rto_limit:.3f} s",
        "not restored before the load ended" if seconds is None else f"{seconds:.3f} s",
        seconds=seconds,
        limit=measured.rto_limit,
        span=(start, measured.load_ended if seconds is None else start + max(seconds, measured.rto_limit)),
    )


def _later(measured: Measured) -> CheckReport:
    """An interruption that the end of the load cut short counts as long as it was seen."""
    later = measured.interruptions[1:]
    longest = _longest(measured, later)
    return timed(
        measured,
        "service stays restored, also when the region returns",
        f"no later interruption above {measured.rto_limit:.2f} s",
        f"{len(later)} later, the longest {longest[1]:.2f} s" if later else "none",
        seconds=longest[1],
        limit=measured.rto_limit,
        span=(longest[0], longest[0] + longest[1]),
    )


def _uninterrupted(measured: Measured) -> CheckReport:
    found = measured.interruptions
    longest = _longest(measured, found)
    return timed(
        measured,
        "service goes on without an interruption",
        f"none above {HICCUP_SECONDS:.2f} s",
        f"{len(found)}, the longest {longest[1]:.2f} s" if found else "none",
        seconds=longest[1],
        limit=HICCUP_SECONDS,
        span=(longest[0], longest[0] + longest[1]),
    )


def _longest(measured: Measured, found: Sequence[Interruption]) -> tuple[float, float]:
    """Start and length of the longest interruption once starvation is left out; of length 0 if there is none."""
    spans = [(each.start, _length(measured, each)) for each in found]
    return max(spans, key=lambda span: span[1] - measured.starved(span[0], sum(span)), default=(0.0, 0.0))


def _length(measured: Measured, interruption: Interruption) -> float:
    return measured.load_ended - interruption.start if interruption.seconds is None else interruption.seconds
