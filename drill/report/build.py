"""From what a run found to its report. Rounds for reading; judges nothing itself."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from drill import measures, verdict
from drill.endpoints import Endpoints
from drill.limits import Limits
from drill.measures import SteadyRun
from drill.progress import Progress, Stage
from drill.record import Attempt
from drill.report import model
from drill.report.found import Found
from drill.report.traffic import rounded, traffic_report
from drill.resources import bounded_by
from drill.settings import RehearsalSettings
from shared.places import Place

_EVIDENCE = 20  # sentences of each kind; the counts are whole

KNOWN_LIMITS = (
    "This is a rehearsal on one machine: the three stack programs, the functions and the health checks are the real "
    "ones, the AWS services under them are emulated. It proves the design and the code, not AWS's own times.",
    "The accelerator acts on target health at once; AWS does not publish how long Global Accelerator takes "
    "(users commonly see less than 30 s).",
    "Clients and servers share the processors of this machine, so latencies are upper bounds and the accepted rate is "
    "this machine's, not a region's.",
    "Latencies are not sped up: at a speed above 1, a fixed piece of computing weighs more against the limits.",
)


def report(
    settings: RehearsalSettings,
    progress: Progress,
    endpoints: Endpoints,
    found: Found,
    *,
    started_at: datetime,
    left_behind: Sequence[str],
) -> model.Report:
    outage = progress.outage
    assert outage is not None, "a run without an outage has nothing to report"
    record = found.load.record
    ended = max((attempt.ended for attempt in record.attempts), default=progress.now())
    after = [attempt for attempt in record.attempts if attempt.ended >= outage.at]
    interruptions = measures.interruptions(after, SteadyRun.of(settings.rate))
    survivor = endpoints.region(settings.scenario.lost.other)
    refused = found.status.refused(outage.region)
    checks = verdict.checks(
        verdict.Measured(
            rto_limit=found.limits.rto_seconds,
            interruptions=interruptions,
            load_ended=ended,
            failed_before_outage=sum(not each.ok and each.ended < outage.at for each in record.attempts),
            survivor=survivor,
            answered_by_survivor=_answered(after, survivor, until=outage.healed_at or ended),
            calls_refused=sum(refused.values()),
            shed=record.shed,
            given_up=len(record.given_up),
            verification=found.verification,
            not_restored=found.not_restored,
            left_behind=left_behind,
            blind=found.blind,
        )
    )
    word, first_broken = verdict.verdict(checks)
    traffic = traffic_report(settings, progress, found, interruptions, outage=outage, ended=ended)
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
        duration=settings.duration,
        seed=settings.seed,
        regions={place.value: endpoints.region(place) for place in Place},
        outage=model.OutageReport(
            region=outage.region,
            kind=outage.kind,
            at=rounded(outage.at),
            healed_at=None if outage.healed_at is None else rounded(outage.healed_at),
            calls_refused=sum(refused.values()),
            calls_refused_by=refused,
        ),
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
        resources=_resources(found),
        deploy_seconds=endpoints.deploy_seconds,
        not_exercised=list(settings.scenario.not_exercised),
        known_limits=list(KNOWN_LIMITS),
    )


def _answered(attempts: Sequence[Attempt], region: str, *, until: float) -> int:
    return sum(attempt.ok and attempt.region == region and attempt.ended <= until for attempt in attempts)


def _payments(found: Found) -> model.PaymentsReport:
    record, verified = found.load.record, found.verification
    given_up = [f"{intent.reference}: {intent.given_up}" for intent in record.given_up]
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
        evidence=[*verified.lost[:_EVIDENCE], *verified.duplicated[:_EVIDENCE], *given_up[:_EVIDENCE]],
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


def _resources(found: Found) -> model.ResourcesReport:
    return model.ResourcesReport(
        cores=found.usage.cores,
        machine_cores_busy=rounded(found.usage.machine),
        processor_share={part: rounded(share) for part, share in found.usage.share_by_part.items()},
        peak_memory_bytes=found.sampler.peak_bytes,
        peak_processes=found.sampler.peak_processes,
    )
