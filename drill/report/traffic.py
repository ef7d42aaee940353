"""The traffic of a run as its report has it: requests, interruptions, latencies, and the time line."""

import math
from collections import Counter
from collections.abc import Sequence

from drill.observe.progress import Progress
from drill.report import model
from drill.scenarios.settings import RehearsalSettings
from drill.verdict import interruptions as verdict_interruptions
from drill.verdict.interruptions import Interruption
from drill.verdict.result import Found
from drill.verdict.service import rto

_BINS = 100


def traffic_report(
    settings: RehearsalSettings,
    progress: Progress,
    found: Found,
    interruptions: Sequence[Interruption],
    *,
    disturbed: float,
    ended: float,
) -> model.TrafficReport:
    record = found.load.record
    started = found.load.started or 0.0
    stopped = found.load.stopped or ended
    ok = [attempt for attempt in record.attempts if attempt.ok]
    first = rto(interruptions)
    latencies = [attempt.seconds * 1000 for attempt in ok]
    p50, p99 = verdict_interruptions.percentile(latencies, 0.5), verdict_interruptions.percentile(latencies, 0.99)
    steady = next(stage for stage in progress.stages if stage.name == settings.scenario.method[0].name)
    # A whole number of payments a slice, or the steps between two numbers would show as ripples.
    width = math.ceil(max(0.25, (ended - started) / _BINS) * settings.rate) / settings.rate
    bins = verdict_interruptions.timeline(record.attempts, start=started, end=ended, width=width)
    return model.TrafficReport(
        sent=len(record.attempts),
        ok=len(ok),
        failed=len(record.attempts) - len(ok),
        rto_seconds=None if first is None else rounded(first),
        rto_aws_seconds=None if first is None else rounded(first * settings.speed),
        longest_gap_seconds=rounded(verdict_interruptions.longest_gap(record.attempts, start=started, end=stopped)),
        p50_ms=None if p50 is None else rounded(p50),
        p99_ms=None if p99 is None else rounded(p99),
        by_region=verdict_interruptions.by_region(record.attempts),
        failed_by_outcome=dict(Counter(each.outcome.value for each in record.attempts if not each.ok)),
        # Until there was a steady state, functions were still starting.
        failed_before_outage=sum(
            not each.ok and steady.at <= each.sent and each.ended < disturbed for each in record.attempts
        ),
        interruptions=[
            model.InterruptionReport(
                start=rounded(each.start), seconds=None if each.seconds is None else rounded(each.seconds)
            )
            for each in interruptions
        ],
        shed=record.shed,
        latest_arrival_seconds=rounded(record.latest),
        offered_per_second=rounded((len(record.intents) + record.shed) / max(stopped - started, 1e-6)),
        accepted_per_second=rounded(len(record.acknowledged) / max(ended - started, 1e-6)),
        steady_accepted_per_second=rounded(
            sum(steady.at <= each.ended < disturbed for each in ok) / max(disturbed - steady.at, 1e-6)
        ),
        steady_retries_per_second=rounded(
            sum(each.is_retry and steady.at <= each.ended < disturbed for each in record.attempts)
            / max(disturbed - steady.at, 1e-6)
        ),
        retries=sum(each.is_retry for each in record.attempts),
        timeline=model.Timeline(
            start=rounded(started),
            end=rounded(ended),
            bin_seconds=rounded(width),
            bins=[model.TimelineBin(start=rounded(each.start), ok=each.ok, failed=each.failed) for each in bins],
        ),
    )


def rounded(value: float) -> float:
    """To the thousandth: no measurement here is finer."""
    return round(value, 3)
