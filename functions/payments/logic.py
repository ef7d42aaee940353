"""What the function does, without a word of HTTP or Lambda."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from common.control_record import RegionState, read_state
from common.journal_entry import JournalEntry
from common.replica import Replica, ReplicaUnavailable

from .journal import Held, Journal
from .models import Payment


def utc_now() -> datetime:
    return datetime.now(UTC)


def accept(payment: Payment, journal: Journal, *, region: str, now: Callable[[], datetime] = utc_now) -> Held:
    """Put `payment` into the journal. Raises PaymentConflict and JournalUnavailable."""
    return journal.add(JournalEntry.accept(payment.content(), at=now(), region=region))


class HealthStatus(StrEnum):
    OK = "ok"
    FENCED = "fenced"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether the region may be sent traffic. `checks` says what was looked at and found."""

    status: HealthStatus
    reason: str | None = None
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        return self.status is HealthStatus.OK


def shallow_health() -> Health:
    """The function runs; nothing it depends on was asked."""
    return Health(status=HealthStatus.OK)


def health(local: Replica) -> Health:
    """The own region's journal can be read, and the control record found there does not fence the region.

    A missing or strange record fences nothing: it is the same in both regions, so it would take both away.
    """
    try:
        state = read_state(local, local.region)
    except ReplicaUnavailable as silence:
        return Health(status=HealthStatus.UNAVAILABLE, reason="journal unavailable", checks={"journal": silence.reason})
    checks = {"journal": "ok", "control": state.value}
    if state is RegionState.FENCED:
        return Health(status=HealthStatus.FENCED, reason="fenced", checks=checks)
    return Health(status=HealthStatus.OK, checks=checks)
