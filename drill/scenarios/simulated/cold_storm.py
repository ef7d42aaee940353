"""`cold-storm`: impatient clients offer more than the service can take, just when every function is cold. It sheds what
is too much, stays healthy in the eyes of load balancers and health checkers, and is whole again once they are gone."""

from drill.model.objectives import NoTakeOver, Objectives, Overload, Service
from drill.model.scenario import Load, Scenario, Storm, WaitFor
from drill.probes.traffic import ReplicationKeepsUp, TargetsHealthy
from drill.scenarios.simulated.steady_state import BEFORE, STEADY
from shared.places import Place

COLD_STORM = Scenario(
    name="cold-storm",
    title="Let impatient clients storm a service whose functions are cold",
    lost=Place.PRIMARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Storm(name="storm of impatient clients onto cold functions", times=4.0, seconds=20.0),
    ),
    rollback=(
        Load(name="load after the storm", least_aws_seconds=0, least_seconds=12.0),
        WaitFor(
            on_timeout="rollback",
            name="the regions catch up",
            until=(TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
    ),
    objectives=Objectives(service=Service(), overload=Overload(), take_over=NoTakeOver(), is_lost=False),
)
