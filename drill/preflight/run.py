"""The list of preflight checks, and their result."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from drill.preflight import (
    account,
    alarms,
    control_records,
    database,
    functions,
    ledger,
    parameters,
    replication,
    traffic,
)
from drill.preflight.finding import Check, Finding, Severity
from shared.deployment import Deployment

CHECKS: tuple[Check, ...] = (
    account.identity,
    account.outputs_agree,
    traffic.targets,
    traffic.health,
    traffic.api,
    traffic.accelerator,
    traffic.health_checks,
    control_records.none_fenced,
    control_records.records_agree,
    control_records.writer_recorded,
    functions.none_running,
    functions.dead_letters,
    functions.code_equal,
    functions.sentinels,
    database.members_available,
    database.versions_equal,
    database.capacity_equal,
    database.writer_in_primary,
    database.secret_replicated,
    replication.database_lag,
    replication.journal_replicas,
    replication.journal_lag,
    replication.bucket_rules,
    replication.bucket_lag,
    ledger.agrees,
    parameters.parameters_equal,
    alarms.alarms,
    account.concurrency,
    account.quotas_equal,
    traffic.certificates,
    replication.backup_age,
    replication.points_in_time,
)
_AT_ONCE = 6


class Readiness(BaseModel):
    """The output of `check --json`. Fields are added over time; none is renamed or removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    regions: dict[str, str]  # by place
    looked_at: AwareDatetime
    ready: bool
    worst: Severity
    findings: list[Finding]

    @property
    def status(self) -> Literal[0, 1]:
        """Exit status: warnings do not keep a region from taking over."""
        return 0 if self.ready else 1


def check_readiness(deployment: Deployment, now: AwareDatetime, *, checks: Sequence[Check] = CHECKS) -> Readiness:
    """Carry out all checks, several at the same time."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        findings = list(pool.map(lambda check: check(deployment), checks))
    severities = {finding.severity for finding in findings}
    worst = next((each for each in reversed(Severity) if each in severities), Severity.OK)
    return Readiness(
        environment=deployment.environment,
        regions={place.value: region for place, region in deployment.regions.items()},
        looked_at=now,
        ready=worst is not Severity.CRITICAL,
        worst=worst,
        findings=findings,
    )
