"""The journal of a rehearsal, beside its report: what was asked for, what was done and seen, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from drill.report.model import Report
from drill.runlog import log as journals
from drill.runlog.entries import Measure, RunEnded, RunStarted, VerdictReached
from drill.runlog.log import Journal
from drill.scenarios.settings import RehearsalSettings
from drill.verdict.verdict import exit_status


@contextmanager
def journal_of(settings: RehearsalSettings) -> Iterator[Journal]:
    """A new one, in place of an earlier rehearsal's. Raises JournalError."""
    (settings.folder / journals.NAME).unlink(missing_ok=True)
    with Journal.open(settings.folder) as journal:
        yield journal


def write_start(journal: Journal, settings: RehearsalSettings, regions: dict[str, str], *, local: bool = True) -> None:
    """The plan, before anything is done. `regions` by place."""
    journal.write(
        RunStarted(
            scenario=settings.scenario.name,
            environment=settings.environment,
            local=local,
            regions=regions,
            plan=tuple(step.name for step in settings.scenario.steps),
            settings={
                "speed": f"{settings.speed:g}",
                "rate": f"{settings.rate:g}",
                "seed": str(settings.seed),
                "kind": str(settings.kind),
            },
        )
    )


def write_end(journal: Journal, report: Report) -> None:
    """What was measured, the verdict, and that the run ended by itself."""
    traffic, payments = report.traffic, report.payments
    for name, value, unit, limit in (
        ("interruption", traffic.rto_seconds, "s", report.limits.rto_limit_seconds),
        ("acknowledged payments lost", payments.lost, "payments", 0),
        ("payments made twice", payments.duplicated, "payments", 0),
        *((moment.name, moment.aws_seconds, "AWS s", moment.limit_aws_seconds) for moment in report.moments),
    ):
        journal.write(Measure(name=name, value=value, unit=unit, limit=limit))
    journal.write(VerdictReached(verdict=report.verdict, first_broken=report.first_broken))
    journal.write(RunEnded(status=exit_status(report.checks)))
