"""What a run measured and compared, before it is made into a report."""

from collections.abc import Sequence
from dataclasses import dataclass

from drill.limits import Limits
from drill.load import Load
from drill.probes import Status
from drill.resources import Sampler, Usage
from drill.verify import Verification


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run measured and compared."""

    load: Load
    limits: Limits
    status: Status  # the last look
    verification: Verification
    usage: Usage  # while payments were sent
    sampler: Sampler
    not_restored: str | None
    blind: Sequence[str]
