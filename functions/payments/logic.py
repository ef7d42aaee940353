"""What the function does, without a word of HTTP or Lambda."""

from collections.abc import Callable
from datetime import UTC, datetime

from common.payment_record import JournalEntry

from .journal import Held, Journal
from .models import Payment


def utc_now() -> datetime:
    return datetime.now(UTC)


def accept(payment: Payment, journal: Journal, *, region: str, now: Callable[[], datetime] = utc_now) -> Held:
    """Put `payment` into the journal. Raises PaymentConflict and JournalUnavailable."""
    return journal.add(JournalEntry.accept(payment.content(), at=now(), region=region))
