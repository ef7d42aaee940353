"""`late-failover`: the primary region is lost, no sentinel acts, and an operator starts the failover three AWS hours
later. It replays all that the surviving region has accepted since."""

from drill.actions.faults import lose_region
from drill.actions.regions import StartFailover
from drill.actions.sentinels import RUNS_AWS_SECONDS, DisableSentinel, EnableSentinel
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario
from drill.scenarios.simulated.hours import (
    CATCHES_UP,
    FAILOVER_ENDS_SOME_TIME,
    HOUR,
    RATE,
    SPEED,
    failed_back_some_time,
    patient,
)
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

LATE_FAILOVER = Scenario(
    name="late-failover",
    title="Lose the primary region, and fail over three hours later by hand",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        DisableSentinel(Place.SECONDARY),
        Load(name="load while the sentinel's last run ends", least_aws_seconds=RUNS_AWS_SECONDS),
        lose_region(Place.PRIMARY),
        Load(name="load while nobody acts", least_aws_seconds=3 * HOUR),
        StartFailover(Place.PRIMARY),
        FAILOVER_ENDS_SOME_TIME,
        CATCHES_UP,
        patient(Load(name="load without the primary region", least_aws_seconds=10)),
    ),
    rollback=(
        EnableSentinel(Place.SECONDARY),
        *failed_back_some_time(Place.PRIMARY, writer=Place.SECONDARY),
    ),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, by_sentinel=False, requested=1),
        timed=False,
    ),
    speed=SPEED,
    rate=RATE,
)
