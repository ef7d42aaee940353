"""Whether the region may be sent traffic, from the control rules' decision; no HTTP and no Lambda."""

from dataclasses import dataclass, field
from enum import StrEnum

from common.control.observe import Look
from common.control.rules import Reason


class HealthStatus(StrEnum):
    OK = "ok"
    FENCED = "fenced"
    RETURNING = "returning"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether the region may be sent traffic. `checks` names each thing that was checked, with its result."""

    status: HealthStatus
    reason: Reason | None = None
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        return self.status is HealthStatus.OK


def shallow_health() -> Health:
    """The health of the function alone: it runs, and calls nothing that it depends on."""
    return Health(status=HealthStatus.OK)


_UNFIT = {
    Reason.JOURNAL_UNAVAILABLE: HealthStatus.UNAVAILABLE,
    Reason.FENCED: HealthStatus.FENCED,
    Reason.RETURNING: HealthStatus.RETURNING,
}


def health(look: Look) -> Health:
    """The own region's journal can be read, and by the control rules the region may serve.

    A missing or strange record fences nothing: it is the same in both regions, so it would take both away.
    """
    reason, records = look.decision.reason, look.view.records
    if records is None:
        checks = {"journal": look.silence["journal"]}
    else:
        checks = {
            "journal": "ok",
            "control": records.own.state.value,
            "epoch": str(records.own.epoch),
            "writer": f"{look.decision.writer or 'unknown'} since epoch {look.decision.epoch}",
            "peer": look.silence.get("peer", "ok"),
            "witness": look.view.witness.value,
            "ledger": reason.value,
        }
    if look.decision.healthy:
        return Health(status=HealthStatus.OK, checks=checks)
    return Health(status=_UNFIT[reason], reason=reason, checks=checks)
