"""`overload`: requests without keys, then with keys, flood one region with ten times the rate it accepts. It rejects
what is too much, and answers health checks; nothing fails over."""

from drill.actions.faults import Fault, Recover
from drill.model.faults import Effect
from drill.model.objectives import NoTakeOver, Objectives, Overload, Service
from drill.model.scenario import Flood, Load, Scenario, WaitFor
from drill.probes.traffic import ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

_EXECUTIONS = 3
"""Of each function in the flooded region. A calibrated load keeps about half of one at work, and ten times as much more
than these; the account's 1,000 are as far from real traffic."""

OVERLOAD = Scenario(
    name="overload",
    title="Flood one region with ten times the requests that it accepts",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fault(Effect.NARROW_CONCURRENCY, Place.PRIMARY, amount=_EXECUTIONS),
        Load(name="load at the narrowed concurrency", least_aws_seconds=10),
        Flood(name="flood of the primary region", place=Place.PRIMARY, times=10.0, aws_seconds=180.0),
    ),
    rollback=(
        Load(name="load after the flood", least_aws_seconds=30),
        Recover(Effect.NARROW_CONCURRENCY, Place.PRIMARY),
        WaitFor(
            on_timeout="rollback",
            name="the regions catch up",
            until=(TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
    ),
    objectives=Objectives(service=Service(), overload=Overload(rejects=True), take_over=NoTakeOver(), is_lost=False),
    # The five seconds after which service must be whole again are ten AWS seconds then.
    fastest=2.0,
)
