"""What a run measured and compared, before it is made into a report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from drill.control_calls import ControlCall
from drill.decisions import Decision
from drill.limits import Limits
from drill.load import Load
from drill.probes import Status
from drill.resources import Sampler, Usage
from drill.runner import Awaited
from drill.verify import Verification
from drill.workflow_runs import WorkflowRun
from drill.writers import PromotionLoss, Written


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run measured and compared."""

    load: Load
    limits: Limits
    status: Status  # the last look
    refused_before: dict[str, dict[str, int]]  # calls refused by region before the run, by what was called
    verification: Verification
    usage: Usage  # while payments were sent
    sampler: Sampler
    not_restored: str | None
    blind: Sequence[str]
    awaited: Sequence[Awaited] = ()
    runs: Sequence[WorkflowRun] = ()
    decisions: Sequence[Decision] = ()
    control_calls: Sequence[ControlCall] = ()
    calls_counted: bool = False
    second_runs: Sequence[dict[str, int]] = ()
    two_writers: Sequence[str] = ()
    written: Sequence[Written] = ()
    promotion_loss: PromotionLoss | None = None
    reported_poison: dict[str, str] = field(default_factory=dict)
    trouble: Sequence[str] = ()  # what could not be read for the report
