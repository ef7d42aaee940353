"""What clients noticed, judged."""

from collections.abc import Sequence

from drill.measured import Measured
from drill.measures import Interruption
from drill.objectives import Objectives
from drill.report.model import CheckReport
from drill.verdict_lines import objective

HICCUP_SECONDS = 1.0
"""A request that fails and is told on the next try: with clients and servers on one machine it happens by itself."""


def rto(interruptions: Sequence[Interruption]) -> float | None:
    """Of the first interruption: 0 if there was none, None if it never ended."""
    return interruptions[0].seconds if interruptions else 0.0


def lines(objectives: Objectives, measured: Measured) -> list[CheckReport]:
    service = objectives.service
    found = [_restored(measured), _later(measured)] if service.interrupted else [_uninterrupted(measured)]
    if service.moves_to:
        region = measured.regions[service.moves_to]
        count = measured.answered_meanwhile.get(region, 0)
        found.append(
            objective(
                "traffic moves to the other region by itself",
                f"answers from {region}",
                f"{count} answers from {region} meanwhile",
                met=count > 0,
            )
        )
    if service.serves_both:
        counts = {region: measured.answered_meanwhile.get(region, 0) for region in measured.regions.values()}
        found.append(
            objective(
                "both regions serve their clients",
                "answers from both",
                ", ".join(f"{count} from {region}" for region, count in counts.items()),
                met=all(counts.values()),
            )
        )
    found.append(
        objective(
            "every client is told in the end",
            "0 gave up",
            f"{measured.given_up} gave up",
            met=measured.given_up == 0,
        )
    )
    return found


def _restored(measured: Measured) -> CheckReport:
    seconds = rto(measured.interruptions)
    return objective(
        "payments are accepted again in time",
        f"at most {measured.rto_limit:.3f} s",
        "not restored before the load ended" if seconds is None else f"{seconds:.3f} s",
        met=seconds is not None and round(seconds, 3) <= round(measured.rto_limit, 3),
    )


def _later(measured: Measured) -> CheckReport:
    """An interruption that the end of the load cut short counts as long as it was seen."""
    lengths = [_length(measured, later) for later in measured.interruptions[1:]]
    longest = max(lengths, default=0.0)
    return objective(
        "service stays restored, also when the region returns",
        f"no later interruption above {measured.rto_limit:.2f} s",
        f"{len(lengths)} later, the longest {longest:.2f} s" if lengths else "none",
        met=longest <= measured.rto_limit,
    )


def _uninterrupted(measured: Measured) -> CheckReport:
    lengths = [_length(measured, each) for each in measured.interruptions]
    return objective(
        "service goes on without an interruption",
        f"none above {HICCUP_SECONDS:.2f} s",
        f"{len(lengths)}, the longest {max(lengths):.2f} s" if lengths else "none",
        met=max(lengths, default=0.0) <= HICCUP_SECONDS,
    )


def _length(measured: Measured, interruption: Interruption) -> float:
    return measured.load_ended - interruption.start if interruption.seconds is None else interruption.seconds
