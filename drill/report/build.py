"""The report of a run, from its result, settings and progress. Judges nothing itself.

Fields that a result or its settings hold under the same name need no line here.
"""

import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from drill.model.attempts import Attempt
from drill.model.objectives import NoTakeOver
from drill.observe.host_usage import DRILL, EMBEDDED_AWS, bounded_by
from drill.observe.progress import FaultPeriod, Progress
from drill.report import model
from drill.report.budget import link_reports
from drill.report.recovery import database_report, moment_reports, workflow_reports
from drill.scenarios.settings import RehearsalSettings
from drill.verdict import interruptions as measures
from drill.verdict import verdict
from drill.verdict.result import RunResult

_EVIDENCE = 20  # sentences of each kind; the counts are whole
_BINS = 100


def report(settings: RehearsalSettings, progress: Progress, result: RunResult) -> model.Report:
    objectives, loss = settings.scenario.objectives, progress.loss
    checks = verdict.checks(objectives, result)
    word, first_broken = verdict.verdict(checks)
    traffic = _traffic(settings, progress, result)
    moments = moment_reports(settings, progress, result)
    computed: dict[str, Any] = {
        "scenario": settings.scenario.name,
        "title": settings.scenario.title,
        "not_exercised": settings.scenario.not_exercised,
        "verdict": word,
        "first_broken": first_broken,
        "checks": checks,
        "started_at": datetime.fromtimestamp(progress.started_at, UTC),
        "finished_at": datetime.now(UTC),
        "duration": (result.load_stopped or result.load_ended) - result.load_started,
        "outage": _outage(loss, result),
        "traffic": traffic,
        "payments": _payments(result),
        "steps": progress.stages,
        "faults": progress.faults,
        "bounded_by": bounded_by(
            result.usage,
            rate=settings.rate,
            accepted=traffic.steady_accepted_per_second,
            latest=result.record.latest,
            shed=result.record.shed,
        ),
        "resources": _resources(result, progress),
        "moments": moments,
        "links": link_reports(moments, result.limits),
        "workflows": workflow_reports(progress, result),
        "database": database_report(progress, result),
        "control_calls": model.ControlCallsReport(
            counted=result.calls_counted,
            total=sum(call.count for call in result.control_calls),
            calls=[call.sentence for call in result.control_calls],
        )
        if loss and not isinstance(objectives.take_over, NoTakeOver)
        else None,
        "decisions": [
            model.DecisionReport(
                region=each.region,
                at=progress.at(each.at),
                verdict=each.verdict,
                reason=each.reason,
                times=each.times,
            )
            for each in result.decisions
        ],
    }
    taken_over = {
        name: getattr(source, name)
        for name in model.Report.model_fields
        for source in (settings, result)
        if hasattr(source, name)
    }
    return model.Report.model_validate(taken_over | computed)


def _outage(loss: FaultPeriod | None, result: RunResult) -> model.OutageReport | None:
    if loss is None or loss.region is None:
        return None
    return model.OutageReport(
        region=loss.region,
        kind=loss.kind,
        at=loss.at,
        healed_at=loss.ended_at,
        calls_refused=result.calls_refused,
        calls_refused_by=dict(result.calls_refused_by),
    )


def _payments(result: RunResult) -> model.PaymentsReport:
    record, verified = result.record, result.verification
    given_up = [f"{intent.reference}: {intent.given_up}" for intent in record.given_up]
    sentences = (
        *(verified.lost, verified.duplicated, verified.missing_in_ledger),
        *(verified.journals_differ, verified.ledgers_differ, verified.unannounced, given_up, result.two_writers),
    )
    return model.PaymentsReport(
        acknowledged=verified.acknowledged,
        in_journal=verified.in_journal,
        lost=verified.acknowledged - verified.in_journal,
        duplicated=len(verified.duplicated),
        offered=len(record.intents),
        given_up=len(record.given_up),
        in_journal_by_region=verified.in_journal_by_region,
        unconfirmed=verified.unconfirmed,
        by_durability=dict(Counter(intent.durability or "unspecified" for intent in record.acknowledged)),
        evidence=[sentence for kind in sentences for sentence in kind[:_EVIDENCE]],
        in_ledger_by_region=verified.in_ledger_by_region,
        missing_in_ledger=len(verified.missing_in_ledger),
        unannounced=len(verified.unannounced),
        journals_differ=len(verified.journals_differ),
        ledgers_differ=len(verified.ledgers_differ),
        synthetic=verified.synthetic,
    )


def _resources(result: RunResult, progress: Progress) -> model.ResourcesReport:
    ends = progress.now()
    return model.ResourcesReport(
        cores=result.usage.cores,
        machine_cores_busy=result.usage.machine,
        processor_share={DRILL: result.usage.drill, EMBEDDED_AWS: result.usage.embedded_aws},
        starved_seconds=result.starved(0.0, ends),
        starved_share=result.starved_share(0.0, ends),
        peak_memory_bytes=result.peak_memory_bytes,
        peak_processes=result.peak_processes,
    )


def _traffic(settings: RehearsalSettings, progress: Progress, result: RunResult) -> model.TrafficReport:
    record, started, ended, fault_at = result.record, result.load_started, result.load_ended, result.fault_at
    stopped = result.load_stopped or ended
    ok = [attempt for attempt in record.attempts if attempt.ok]
    first = verdict.rto(result.interruptions)
    latencies = [attempt.seconds * 1000 for attempt in ok]
    steady = result.steady_at(progress, settings.scenario.method[0].name)

    def per_second(attempts: list[Attempt]) -> float:
        """Between the steady state and the fault."""
        return sum(steady <= each.ended < fault_at for each in attempts) / max(fault_at - steady, 1e-6)

    # A whole number of payments a slice, or the steps between two numbers would show as ripples.
    width = math.ceil(max(0.25, (ended - started) / _BINS) * settings.rate) / settings.rate
    return model.TrafficReport(
        sent=len(record.attempts),
        ok=len(ok),
        failed=len(record.attempts) - len(ok),
        rto_seconds=first,
        rto_aws_seconds=None if first is None else first * settings.speed,
        longest_gap_seconds=measures.longest_gap(record.attempts, start=started, end=stopped),
        p50_ms=measures.percentile(latencies, 0.5),
        p99_ms=measures.percentile(latencies, 0.99),
        by_region=measures.by_region(record.attempts),
        failed_by_outcome=dict(Counter(each.outcome.value for each in record.attempts if not each.ok)),
        failed_before_outage=result.failed_before_fault,
        interruptions=[model.InterruptionReport.model_validate(each) for each in result.interruptions],
        shed=record.shed,
        latest_arrival_seconds=record.latest,
        offered_per_second=(len(record.intents) + record.shed) / max(stopped - started, 1e-6),
        accepted_per_second=len(record.acknowledged) / max(ended - started, 1e-6),
        steady_accepted_per_second=per_second(ok),
        steady_retries_per_second=per_second([each for each in record.attempts if each.is_retry]),
        retries=sum(each.is_retry for each in record.attempts),
        timeline=model.Timeline(
            start=started,
            end=ended,
            bin_seconds=width,
            bins=[
                model.TimelineBin.model_validate(each)
                for each in measures.timeline(record.attempts, start=started, end=ended, width=width)
            ],
        ),
    )
