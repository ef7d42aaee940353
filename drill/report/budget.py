"""The time from the loss of a region to the drained ledger, link by link: the budget of each, and what a run measured.

A link lies between two moments of the report. Budgets and their sources are those of docs/architecture.md; what only
AWS determines has no budget here.
"""

from collections.abc import Sequence

from drill.model.objectives import DRAIN_AWS_SECONDS, SENTINEL_AWS_SECONDS
from drill.report.model import LinkReport, MomentReport
from drill.report.recovery import (
    ANSWERED,
    BEGUN,
    DRAINED,
    OUT_OF_SERVICE,
    PROMOTION_REQUESTED,
    PUBLISHED,
    SWITCHOVER_REQUESTED,
    VERIFIED,
    WRITER_ACCEPTS,
)
from drill.verdict.result import DETECTION_FACTOR, GRACE_AWS_SECONDS, Limits


def link_reports(moments: Sequence[MomentReport], limits: Limits) -> list[LinkReport]:
    """In the order of the chain; empty where no region was lost. Traffic and the sentinel's detection begin with the
    loss and run in parallel."""
    if not moments:
        return []
    found: dict[str, float] = {}
    for moment in moments:
        found.setdefault(moment.name, moment.aws_seconds)
    # A failback requests a switchover too, later.
    change = PROMOTION_REQUESTED if PROMOTION_REQUESTED in found else SWITCHOVER_REQUESTED
    health = DETECTION_FACTOR * max(check.until_unhealthy for check in limits.health_checks)

    def link(name: str, since: str | None, until: str, budget: float | None, source: str) -> LinkReport:
        start, end = 0.0 if since is None else found.get(since), found.get(until)
        measured = None if start is None or end is None else max(0.0, end - start)
        return LinkReport(name=name, budget_aws_seconds=budget, aws_seconds=measured, source=source)

    return [
        link("probe and target health", None, OUT_OF_SERVICE, health, "twice the deployed health check [NLB-6]"),
        link(
            "load balancer tail, accelerator and a client's request",
            OUT_OF_SERVICE,
            ANSWERED,
            limits.nlb_tail_aws_seconds + GRACE_AWS_SECONDS,
            f"--nlb-tail {limits.nlb_tail_aws_seconds:g}, and {GRACE_AWS_SECONDS:g} s; on AWS [NLB-7] [GA-2]",
        ),
        link(
            "sentinel's probes, Route 53's witness and the decision",
            None,
            BEGUN,
            SENTINEL_AWS_SECONDS,
            "checkers and propagation [R53-13], TTL 10 s",
        ),
        link("preconditions and fence", BEGUN, change, None, "part of the drain's budget"),
        link("promotion or switchover", change, WRITER_ACCEPTS, None, "Aurora's own; modelled here [AURORA-18]"),
        link("publication", WRITER_ACCEPTS, PUBLISHED, None, "part of the drain's budget"),
        link(
            "replay",
            PUBLISHED,
            DRAINED,
            DRAIN_AWS_SECONDS,
            "with fence and publication: everything besides the promotion",
        ),
        link("verification by a payment", DRAINED, VERIFIED, None, "at most 20 s (VerifyPayment)"),
    ]
