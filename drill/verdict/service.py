"""Checks of the service as its clients experienced it."""

from collections.abc import Sequence

from drill.model.objectives import Objectives, Overload
from drill.verdict.check import CheckReport, as_timed, objective, timed, unless_starved
from drill.verdict.interruptions import Interruption
from drill.verdict.result import RunResult

HICCUP_SECONDS = 1.0
"""A request that fails and succeeds on the next try: with clients and servers on one machine it happens by itself."""


def rto(interruptions: Sequence[Interruption]) -> float | None:
    """Of the first interruption: 0 if there was none, None if it never ended."""
    return interruptions[0].seconds if interruptions else 0.0


def lines(objectives: Objectives, result: RunResult) -> list[CheckReport]:
    if objectives.overload is not None:
        return _after_overload(objectives.overload, result)
    service = objectives.service
    found = []
    if objectives.timed:
        found = [_restored(result), _later(result)] if service.interrupted else [_uninterrupted(result)]
    whole = (result.fault_at, result.load_ended)
    if service.moves_to:
        region = result.regions[service.moves_to]
        count = result.answered_meanwhile.get(region, 0)
        moved = objective(
            "traffic moves to the other region by itself",
            f"answers from {region}",
            f"{count} answers from {region} meanwhile",
            met=count > 0,
        )
        found.append(unless_starved(result, moved, whole))
    if service.serves_both:
        counts = {region: result.answered_meanwhile.get(region, 0) for region in result.regions.values()}
        both = objective(
            "both regions serve their clients",
            "answers from both",
            ", ".join(f"{count} from {region}" for region, count in counts.items()),
            met=all(counts.values()),
        )
        found.append(unless_starved(result, both, whole))
    return [*found, _acknowledged(result)]


def _acknowledged(result: RunResult) -> CheckReport:
    acknowledged = objective(
        "every client gets an answer in the end",
        "0 gave up",
        f"{result.given_up} gave up",
        met=result.given_up == 0,
    )
    return unless_starved(result, acknowledged, (0.0, result.load_ended))


def _after_overload(expected: Overload, result: RunResult) -> list[CheckReport]:
    """Not excused by starvation: the storm is meant to starve the machine, and the load after it is below capacity.
    Health checks time out by the clock, though, which the storm leaves more time at a lower speed.

    Payments of the storm itself may stay unanswered: there were more than the service can process.
    """
    found = result.recovery
    seconds = None if found is None else found.seconds
    rejected = objective(
        "the flood exceeds what the region accepts",
        "requests are rejected",
        f"{result.rejected_flood} rejected",
        met=result.rejected_flood > 0,
    )
    return [
        *([rejected] if expected.rejects else []),
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
        as_timed(
            objective(
                "overload is not mistaken for a lost region",
                "targets stay healthy",
                f"unhealthy: {', '.join(result.unhealthy)}" if result.unhealthy else "targets stay healthy",
                met=not result.unhealthy,
            )
        ),
        objective(
            "every client that came after the storm gets an answer in the end",
            "0 gave up",
            "the storm did not end" if found is None else f"{found.given_up} gave up",
            met=found is not None and found.given_up == 0,
        ),
    ]


def _restored(result: RunResult) -> CheckReport:
    seconds = rto(result.interruptions)
    start = result.interruptions[0].start if result.interruptions else result.fault_at
    return timed(
        result,
        "payments are accepted again in time",
        f"at most {result.limits.rto_limit_seconds:.3f} s",
        "not restored before the load ended" if seconds is None else f"{seconds:.3f} s",
        seconds=seconds,
        limit=result.limits.rto_limit_seconds,
        span=(start, result.load_ended if seconds is None else start + max(seconds, result.limits.rto_limit_seconds)),
    )


def _later(result: RunResult) -> CheckReport:
    """An interruption that the end of the load cut short counts as long as it was seen."""
    later = result.interruptions[1:]
    longest = _longest(result, later)
    return timed(
        result,
        "service stays restored, also when the region returns",
        f"no later interruption above {result.limits.rto_limit_seconds:.2f} s",
        f"{len(later)} later, the longest {longest[1]:.2f} s" if later else "none",
        seconds=longest[1],
        limit=result.limits.rto_limit_seconds,
        span=(longest[0], longest[0] + longest[1]),
    )


def _uninterrupted(result: RunResult) -> CheckReport:
    found = result.interruptions
    longest = _longest(result, found)
    return timed(
        result,
        "service continues without an interruption",
        f"none above {HICCUP_SECONDS:.2f} s",
        f"{len(found)}, the longest {longest[1]:.2f} s" if found else "none",
        seconds=longest[1],
        limit=HICCUP_SECONDS,
        span=(longest[0], longest[0] + longest[1]),
    )


def _longest(result: RunResult, found: Sequence[Interruption]) -> tuple[float, float]:
    """Start and length of the longest interruption once starvation is left out; of length 0 if there is none."""
    spans = [(each.start, _length(result, each)) for each in found]
    return max(spans, key=lambda span: span[1] - result.starved(span[0], sum(span)), default=(0.0, 0.0))


def _length(result: RunResult, interruption: Interruption) -> float:
    return result.load_ended - interruption.start if interruption.seconds is None else interruption.seconds
