"""From what a run found to its report. Rounds for reading; judges nothing itself."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

from drill.model.attempts import Attempt, Record
from drill.model.objectives import NoTakeOver, Objectives
from drill.observe.host_usage import bounded_by
from drill.observe.progress import Fault, Progress, Stage
from drill.report import model
from drill.report.recovery import database_report, decision_reports, moment_reports, promoted_at, workflow_reports
from drill.report.traffic import rounded, traffic_report
from drill.scenarios.settings import RehearsalSettings
from drill.verdict import interruptions as verdict_interruptions
from drill.verdict import verdict
from drill.verdict.interruptions import SteadyRun
from drill.verdict.limits import Limits
from drill.verdict.result import Found, Measured
from shared.places import Place

_EVIDENCE = 20  # sentences of each kind; the counts are whole

KNOWN_LIMITS = (
    "This is a rehearsal on one machine: the three stack programs, the functions, the state machines and the health "
    "checks are the real ones, the AWS services under them are emulated. It proves the design and the code, not AWS's "
    "own times.",
    "The accelerator acts on target health at once; AWS does not publish how long Global Accelerator takes "
    "(users commonly see less than 30 s).",
    "A promotion is PostgreSQL's own and takes the time that AWS names as typical for Aurora, about a minute.",
    "Clients and servers share the processors of this machine, so latencies are upper bounds and the accepted rate is "
    "this machine's, not a region's.",
    "Latencies are not sped up: at a speed above 1, a fixed piece of computing weighs more against the limits.",
)


class Where(Protocol):
    """What a report says of the environment itself."""

    @property
    def deploy_seconds(self) -> dict[str, float]: ...

    def region(self, place: Place) -> str: ...


def report(
    settings: RehearsalSettings,
    progress: Progress,
    endpoints: Where,
    found: Found,
    *,
    started_at: datetime,
    left_behind: Sequence[str],
    known_limits: Sequence[str] = KNOWN_LIMITS,
) -> model.Report:
    disturbed = progress.disturbed
    assert disturbed is not None, "a run in which nothing was done has nothing to report"
    record = found.load.record
    ended = max((attempt.ended for attempt in record.attempts), default=progress.now())
    after = [attempt for attempt in record.attempts if attempt.ended >= disturbed.at]
    interruptions = verdict_interruptions.interruptions(after, SteadyRun.of(settings.rate))
    outage = _outage(progress.loss, found)
    loss = progress.loss
    traffic = traffic_report(settings, progress, found, interruptions, disturbed=disturbed.at, ended=ended)
    checks = verdict.checks(
        settings.scenario.objectives,
        Measured(
            speed=settings.speed,
            rto_limit=found.limits.rto_seconds,
            interruptions=interruptions,
            load_ended=ended,
            failed_before_fault=traffic.failed_before_outage,
            answered_meanwhile=_answered(after, until=disturbed.ended_at or ended),
            calls_refused=outage.calls_refused if outage else 0,
            shed=record.shed,
            given_up=len(record.given_up),
            verification=found.verification,
            not_restored=found.not_restored,
            left_behind=left_behind,
            blind=found.blind,
            regions={place: endpoints.region(place) for place in Place},
            started_at=progress.started_at,
            lost_at=None if loss is None else progress.started_at + loss.at,
            runs=found.runs,
            awaited=found.awaited,
            two_writers=found.two_writers,
            control_calls=found.control_calls,
            calls_counted=found.calls_counted,
            decisions=found.decisions,
            promotion_loss=found.promotion_loss,
            promoted_at=promoted_at(found),
            second_runs=found.second_runs,
            reported_poison=found.reported_poison,
            fault_at=disturbed.at,
            recovery=_recovery(settings.scenario.objectives, record, disturbed, ended),
            storm_ended=disturbed.ended_at or ended,
            unhealthy=sorted(
                {
                    seen.region
                    for seen in progress.seen
                    if seen.what == "targets" and seen.state == "unhealthy" and seen.at >= disturbed.at
                }
            ),
            starvation=found.sampler.starvation,
            started=progress.started,
        ),
    )
    word, first_broken = verdict.verdict(checks)
    return model.Report(
        scenario=settings.scenario.name,
        title=settings.scenario.title,
        environment=settings.environment,
        verdict=word,
        first_broken=first_broken,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        speed=settings.speed,
        rate=settings.rate,
        duration=rounded((found.load.stopped or ended) - (found.load.started or 0.0)),
        seed=settings.seed,
        why=settings.why,
        first_try=settings.first_try,
        regions={place.value: endpoints.region(place) for place in Place},
        outage=outage,
        traffic=traffic,
        payments=_payments(found),
        steps=[_step(stage) for stage in progress.stages],
        limits=_limits(found.limits),
        checks=checks,
        bounded_by=bounded_by(
            found.usage,
            rate=settings.rate,
            accepted=traffic.steady_accepted_per_second,
            latest=record.latest,
            shed=record.shed,
        ),
        resources=_resources(found, progress),
        deploy_seconds=endpoints.deploy_seconds,
        not_exercised=list(settings.scenario.not_exercised),
        known_limits=list(known_limits),
        faults=[_fault(fault) for fault in progress.faults],
        moments=moment_reports(settings, progress, found, after),
        workflows=workflow_reports(progress, found),
        database=database_report(progress, found),
        control_calls=model.ControlCallsReport(
            counted=found.calls_counted,
            total=sum(call.count for call in found.control_calls),
            calls=[call.sentence for call in found.control_calls],
        )
        if loss and not isinstance(settings.scenario.objectives.take_over, NoTakeOver)
        else None,
        decisions=decision_reports(progress, found),
        second_runs=[dict(run) for run in found.second_runs],
        trouble=list(found.trouble),
    )


def _outage(loss: Fault | None, found: Found) -> model.OutageReport | None:
    if loss is None or loss.region is None:
        return None
    before = found.refused_before.get(loss.region, {})
    counts = {what: count - before.get(what, 0) for what, count in found.status.refused(loss.region).items()}
    refused = {what: count for what, count in counts.items() if count}
    return model.OutageReport(
        region=loss.region,
        kind=loss.kind,
        at=rounded(loss.at),
        healed_at=None if loss.ended_at is None else rounded(loss.ended_at),
        calls_refused=sum(refused.values()),
        calls_refused_by=refused,
    )


def _recovery(
    objectives: Objectives, record: Record, storm: Fault, ended: float
) -> verdict_interruptions.Recovery | None:
    if objectives.overload is None or storm.ended_at is None:
        return None
    return verdict_interruptions.recovery(
        record.intents, since=storm.ended_at, until=ended, share=objectives.overload.share
    )


def _fault(fault: Fault) -> model.FaultReport:
    return model.FaultReport(
        name=fault.name,
        kind=fault.kind,
        region=fault.region,
        at=rounded(fault.at),
        ended_at=None if fault.ended_at is None else rounded(fault.ended_at),
    )


def _answered(attempts: Sequence[Attempt], *, until: float) -> dict[str, int]:
    return dict(Counter(each.region or "unknown" for each in attempts if each.ok and each.ended <= until))


def _payments(found: Found) -> model.PaymentsReport:
    record, verified = found.load.record, found.verification
    given_up = [f"{intent.reference}: {intent.given_up}" for intent in record.given_up]
    sentences = (
        *(verified.lost, verified.duplicated, verified.missing_in_ledger),
        *(verified.journals_differ, verified.ledgers_differ, given_up, found.two_writers),
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
        by_durability=dict(Counter(intent.durability or "not said" for intent in record.acknowledged)),
        evidence=[sentence for kind in sentences for sentence in kind[:_EVIDENCE]],
        in_ledger_by_region=verified.in_ledger_by_region,
        missing_in_ledger=len(verified.missing_in_ledger),
        journals_differ=len(verified.journals_differ),
        ledgers_differ=len(verified.ledgers_differ),
        synthetic=verified.synthetic,
    )


def _step(stage: Stage) -> model.StepReport:
    return model.StepReport.model_validate(
        asdict(stage) | {"at": rounded(stage.at), "seconds": rounded(stage.seconds or 0)}
    )


def _limits(limits: Limits) -> model.LimitsReport:
    return model.LimitsReport(
        rto_limit_seconds=rounded(limits.rto_seconds),
        rto_limit_aws_seconds=rounded(limits.rto_aws_seconds),
        health_checks=[
            model.HealthCheckReport(
                region=check.region,
                interval_aws_seconds=check.interval,
                unhealthy_threshold=check.unhealthy_threshold,
                healthy_threshold=check.healthy_threshold,
            )
            for check in limits.checks
        ],
    )


def _resources(found: Found, progress: Progress) -> model.ResourcesReport:
    starvation, ends = found.sampler.starvation, progress.started + progress.now()
    return model.ResourcesReport(
        cores=found.usage.cores,
        machine_cores_busy=rounded(found.usage.machine),
        processor_share={part: rounded(share) for part, share in found.usage.share_by_part.items()},
        starved_seconds=rounded(starvation.within(progress.started, ends)),
        starved_share=rounded(starvation.share(progress.started, ends)),
        peak_memory_bytes=found.sampler.peak_bytes,
        peak_processes=found.sampler.peak_processes,
    )
