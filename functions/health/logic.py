"""The region's health, derived from the control rules' decision; independent of HTTP and Lambda."""

from dataclasses import dataclass, field
from enum import StrEnum

from common.control.observe import Observation
from common.control.rules import Reason


class HealthStatus(StrEnum):
    """The `status` of the response body; only OK receives traffic."""

    OK = "ok"
    FENCED = "fenced"
    RETURNING = "returning"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class Health:
    """The region's health. `checks`: result by name of what was checked; empty for a shallow check."""

    status: HealthStatus
    reason: Reason | None = None
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        """Whether the region may serve traffic."""
        return self.status is HealthStatus.OK


def shallow_health() -> Health:
    """The health of the function alone: it runs; none of its dependencies is called."""
    return Health(status=HealthStatus.OK)


_UNFIT = {
    Reason.JOURNAL_UNAVAILABLE: HealthStatus.UNAVAILABLE,
    Reason.FENCED: HealthStatus.FENCED,
    Reason.RETURNING: HealthStatus.RETURNING,
}


def health(observed: Observation) -> Health:
    """OK if the own region's journal can be read and the control rules let the region serve.

    A missing or malformed record does not fence: it is the same in both regions, so it would take both out of service.
    """
    reason, records = observed.decision.reason, observed.view.records
    if records is None:
        checks = {"journal": observed.unavailable["journal"]}
    else:
        checks = {
            "journal": "ok",
            "control": records.own.state.value,
            "epoch": str(records.own.epoch),
            "writer": f"{observed.decision.writer or 'unknown'} since epoch {observed.decision.epoch}",
            "peer": observed.unavailable.get("peer", "ok"),
            "witness": observed.view.witness.value,
            "ledger": reason.value,
        }
    if observed.decision.healthy:
        return Health(status=HealthStatus.OK, checks=checks)
    return Health(status=_UNFIT[reason], reason=reason, checks=checks)
