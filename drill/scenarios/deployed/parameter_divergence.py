"""`parameter-divergence`: one parameter is changed in both regions at once; both come to hold the later value."""

from drill.actions.parameters import Diverge, RemoveParameter
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Scenario, WaitFor
from drill.probes.deployed import ParameterGone, ParametersAgree
from drill.scenarios.deployed.steady_state import BEFORE, STEADY
from shared.places import Place

PARAMETER_DIVERGENCE = Scenario(
    name="parameter-divergence",
    title="Change one parameter in both regions, and see the later value win",
    lost=Place.SECONDARY,
    hypothesis=STEADY,
    method=(
        BEFORE,
        Diverge(),
        WaitFor(
            # A change is copied within seconds; one that is tried again waits 30 s and then twice as long.
            name="the regions agree on the later value",
            until=(ParametersAgree(),),
            within_aws_seconds=300,
            within_seconds=15,
        ),
    ),
    rollback=(
        RemoveParameter(),
        WaitFor(
            on_timeout="rollback",
            name="the parameter is gone in both regions",
            until=(ParameterGone(),),
            within_aws_seconds=300,
            within_seconds=15,
        ),
    ),
    objectives=Objectives(service=Service(interrupted=False), take_over=NoTakeOver(), is_lost=False),
)
