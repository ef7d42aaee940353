"""`gray-failure`: a fifth of all responses of one region are lost after the work is done, health checks' as well as
clients'. Clients send the same payment again, and each is made once; nothing fails over."""

from drill.actions.faults import Fault, Recover
from drill.model.faults import Effect
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.traffic import ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

_SHARE = 0.2

GRAY_FAILURE = Scenario(
    name="gray-failure",
    title="Let a fifth of one region's requests fail",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Fault(Effect.GRAY_FAILURE, Place.PRIMARY, amount=_SHARE),
        # Longer than a sentinel needs to detect a loss. Health checks may move the traffic for a while.
        Load(name="load while requests fail", least_aws_seconds=120),
    ),
    rollback=(
        Recover(Effect.GRAY_FAILURE, Place.PRIMARY),
        WaitFor(
            on_timeout="rollback",
            name="the regions catch up",
            until=(TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
        Load(name="load after the failures", least_aws_seconds=15),
    ),
    objectives=Objectives(
        service=Service(),
        take_over=NoTakeOver(watcher=Place.SECONDARY, reasons=frozenset({"peer-answers", "not-enough-failures"})),
        is_lost=False,
        timed=False,  # while it lasts, every other second has a request that fails
    ),
)
