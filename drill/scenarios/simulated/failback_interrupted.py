"""`failback-interrupted`: the failback is stopped when it has requested the switchover, and another one continues it
three AWS hours later. Meanwhile the database's writer is in one region, and the control record names the other one:
neither posts."""

from drill.actions.faults import lose_region
from drill.actions.regions import StartFailback, StopFailback
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.recovery import DatabaseSwitches
from drill.scenarios.simulated.hours import (
    FAILOVER_ENDS_SOME_TIME,
    HOUR,
    RATE,
    SPEED,
    failed_back_some_time,
    patient,
)
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

_RECOVER, _CATCHES_UP, *_CONTINUES = failed_back_some_time(Place.PRIMARY, writer=Place.SECONDARY)

FAILBACK_INTERRUPTED = Scenario(
    name="failback-interrupted",
    title="Stop the failback during its switchover, and continue it three hours later",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_region(Place.PRIMARY),
        FAILOVER_ENDS_SOME_TIME,
        _RECOVER,
        _CATCHES_UP,
        StartFailback(Place.PRIMARY),
        patient(WaitFor(name="the writer's switchover has begun", until=(DatabaseSwitches(),), within_aws_seconds=180)),
        StopFailback(Place.PRIMARY),
        Load(name="load while no region posts", least_aws_seconds=3 * HOUR),
    ),
    rollback=tuple(_CONTINUES),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY),
        timed=False,
    ),
    speed=SPEED,
    rate=RATE,
)
