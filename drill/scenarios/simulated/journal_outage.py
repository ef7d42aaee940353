"""`journal-outage`: DynamoDB of the primary region is out under load, and nothing else there. The region is left, and
the database is switched over without losing a row.

As on 20 October 2025 in us-east-1 [DYNAMODB-9]. Without its journal a region is lost for its clients, but not for its
database.
"""

from drill.actions.faults import lose_service, restore_service
from drill.model.objectives import Objectives, Service, TakeOver
from drill.model.scenario import Load, Scenario, SnapshotLedger
from drill.scenarios.simulated.steady_state import BEFORE, FAILOVER_ENDS, STEADY, failed_back
from shared.places import Place

_JOURNAL = "dynamodb"

JOURNAL_OUTAGE = Scenario(
    name="journal-outage",
    title="Take DynamoDB of the primary region down, and leave its database without losing a row",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_service(_JOURNAL, Place.PRIMARY),
        SnapshotLedger(name="count the writer's rows", place=Place.PRIMARY),
        FAILOVER_ENDS,
        Load(name="load without the primary region", least_aws_seconds=10),
    ),
    rollback=failed_back(Place.PRIMARY, writer=Place.SECONDARY, recover=restore_service(_JOURNAL, Place.PRIMARY)),
    objectives=Objectives(
        service=Service(moves_to=Place.SECONDARY),
        take_over=TakeOver(lost=Place.PRIMARY, by_switchover=True),
        is_lost=False,
    ),
)
