"""Steps that the scenarios of several AWS hours share.

They verify that nothing is missing from the ledger however long nobody posted. Hours pass at
one speed, so that the functions, which measure ages by the speed at their start, see them too. That speed is
too high for the limits of a failover, which are not judged. The load is light: what matters is how old payments are.
"""

from dataclasses import replace

from drill.actions.regions import BringBack
from drill.model.scenario import Load, Step, WaitFor
from drill.probes.recovery import LedgerKeepsUp, Runs
from drill.scenarios.simulated.steady_state import FAILOVER_ENDS, failed_back
from shared.places import Place

SPEED = 12.0
"""AWS seconds in one of this machine: an AWS hour takes five minutes."""

RATE = 2.0
"""Payments a second on this machine, 600 in an AWS hour."""

HOUR = 3600.0
FAILBACK = Runs("failback")
_TIMEOUT_SECONDS = 120.0
"""Of this machine. A wait is for something to happen at all."""

FAILOVER_ENDS_SOME_TIME = replace(FAILOVER_ENDS, within_seconds=_TIMEOUT_SECONDS)
CATCHES_UP = WaitFor(
    # Before the region returns, whose own backlog would bring back what the failover had missed.
    name="the ledger holds every payment while the region is lost",
    until=(LedgerKeepsUp(),),
    within_aws_seconds=120,
    within_seconds=_TIMEOUT_SECONDS,
)


def failed_back_some_time(place: Place, *, writer: Place) -> tuple[Step, ...]:
    """`failed_back` with a longer limit: a failback that fails, since a busy machine is too slow for it at this speed,
    is repeated."""
    steps = [patient(step) for step in failed_back(place, writer=writer)]
    return tuple(BringBack(place) if isinstance(step, WaitFor) and FAILBACK in step.until else step for step in steps)


def patient(step: Step) -> Step:
    match step:
        case WaitFor():
            return replace(step, within_seconds=_TIMEOUT_SECONDS)
        case Load():
            return replace(step, least_seconds=5.0)
    return step
