"""`secondary-blip-then-primary-loss`: the secondary region is lost for minutes and fenced. It returns to service by
itself, and takes over when the primary region is lost later."""

from drill.actions.faults import lose_region, recover_region
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.recovery import DatabasesFollow, NothingRuns, Runs
from drill.probes.traffic import ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.hours import (
    FAILOVER_ENDS_SOME_TIME,
    RATE,
    SPEED,
    failed_back_some_time,
    patient,
)
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

COOL_DOWN_AWS_SECONDS = 330
"""After a region has returned to service, no failover starts for 300 AWS seconds."""

SECONDARY_BLIP_THEN_PRIMARY_LOSS = Scenario(
    name="secondary-blip-then-primary-loss",
    title="Lose the secondary region for minutes, and the primary region later",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.SECONDARY),
        FAILOVER_ENDS_SOME_TIME,
        recover_region(Place.SECONDARY),
        WaitFor(
            name="the secondary region returns to service by itself",
            until=(Runs("failback"), TargetsHealthy(), ReplicationKeepsUp(), DatabasesFollow(), NothingRuns()),
            within_aws_seconds=1200,
            within_seconds=120,
        ),
        Load(name="load on both regions, until the cool-down is over", least_aws_seconds=COOL_DOWN_AWS_SECONDS),
        lose_region(Place.PRIMARY),
        WaitFor(
            name="the second failover ends",
            until=(Runs("failover", at_least=2),),
            within_aws_seconds=300,
            within_seconds=120,
        ),
        patient(Load(name="load without the primary region", least_aws_seconds=10)),
    ),
    rollback=failed_back_some_time(Place.PRIMARY, writer=Place.SECONDARY),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, failovers=2, failbacks=2),
        timed=False,
    ),
    speed=SPEED,
    rate=RATE,
)
