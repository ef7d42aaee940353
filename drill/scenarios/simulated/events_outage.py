"""`events-outage`: EventBridge is out in both regions for an AWS hour. The ledger goes on posting; afterwards every
payment is announced."""

from drill.actions.faults import lose_service, restore_service
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, WaitFor
from drill.probes.announcements import Announced
from drill.probes.recovery import LedgerKeepsUp
from drill.scenarios.simulated.hours import HOUR, RATE, SPEED, patient
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

_EVENTS = "events"

EVENTS_OUTAGE = Scenario(
    name="events-outage",
    title="Take EventBridge down in both regions for an hour",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        lose_service(_EVENTS),
        Load(name="load while nothing can be announced", least_aws_seconds=HOUR),
        patient(
            WaitFor(name="the ledger keeps up without EventBridge", until=(LedgerKeepsUp(),), within_aws_seconds=60)
        ),
    ),
    rollback=(
        restore_service(_EVENTS),
        patient(WaitFor(name="everything is announced", until=(Announced(),), within_aws_seconds=600)),
        patient(Load(name="load after the outage", least_aws_seconds=15)),
    ),
    objectives=Objectives(service=Service(interrupted=False), take_over=NoTakeOver(), is_lost=False, timed=False),
    speed=SPEED,
    rate=RATE,
)
