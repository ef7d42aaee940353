"""The scenarios there are, one file each."""

from drill.scenario import Scenario
from drill.scenarios.region_loss import REGION_LOSS

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in (REGION_LOSS,)}
