"""`stuck-ledger-then-loss`: the writer's Data API is out for more than an AWS hour, in which payments go on; then the
primary region is lost. The failover replays all that the old writer never posted."""

from drill.actions.faults import lose_region, lose_service, restore_service
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

_DATA_API = "rds-data"

STUCK_LEDGER_THEN_LOSS = Scenario(
    name="stuck-ledger-then-loss",
    title="Lose the primary region after its ledger could not post for more than an hour",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_service(_DATA_API, Place.PRIMARY),
        Load(name="load while the ledger cannot post", least_aws_seconds=1.25 * HOUR),
        lose_region(Place.PRIMARY),
        FAILOVER_ENDS_SOME_TIME,
        CATCHES_UP,
        patient(Load(name="load without the primary region", least_aws_seconds=10)),
    ),
    rollback=(
        restore_service(_DATA_API, Place.PRIMARY),
        *failed_back_some_time(Place.PRIMARY, writer=Place.SECONDARY),
    ),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY),
        timed=False,
    ),
    speed=SPEED,
    rate=RATE,
)
