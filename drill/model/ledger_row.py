"""One row of the ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Row:
    """One posted payment."""

    payment_id: str
    amount: Decimal
    currency: str
    debtor: str
    creditor: str
    reference: str
    content_hash: str
    posted_in: str  # region
    writer_epoch: int  # of the writer's control record under which it was posted
    posted_at: datetime  # by the database's clock
