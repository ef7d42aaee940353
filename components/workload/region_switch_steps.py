"""A region's Lambda steps of the Region switch plan (`components.failover.region_switch`): one function each, since ARC
passes a function nothing that identifies the step (`functions/recovery/region_switch.py`)."""

import pulumi

from components.compute.function import Function
from components.workload import access
from components.workload.context import FunctionContext
from components.workload.recovery import environment, proof

FENCE, PROVE = "fence", "prove"
_SECONDS = {FENCE: 30, PROVE: 900}  # to prove is to wait for the writer and for the ledger; Lambda allows no more
WRITER_WAIT = 300
"""Seconds that one call waits for the writer; ARC calls again."""


def label(step: str) -> str:
    """The label of a step's function."""
    return f"region-switch-{step}"


def region_switch_steps(context: FunctionContext, *, opts: pulumi.ResourceOptions) -> list[Function]:
    """One function per step. The plan's role, in `components.failover.region_switch`, is allowed to invoke them."""
    statements = {FENCE: access.journal(context), PROVE: proof(context)}
    descriptions = {
        FENCE: "Step of the Region switch plan: fences the region that is left",
        PROVE: "Step of the Region switch plan: names the writer and proves a payment",
    }
    return [
        context.function(
            "recovery",
            entry="region_switch",
            label=label(step),
            description=descriptions[step],
            environment={
                **environment(context),
                "REGION_SWITCH_STEP": step,
                "WRITER_WAIT_SECONDS": str(WRITER_WAIT),
            },
            statements=statements[step],
            timeout=seconds,
            opts=opts,
        )
        for step, seconds in _SECONDS.items()
    ]
