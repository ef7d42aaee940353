"""The scenarios for a deployed environment, one file each. They use AWS's APIs and our own functions, and no fault
injector, so they are the same on AWS and on the embedded AWS."""

from drill.model.scenario import Scenario
from drill.scenarios.deployed.database_switchover import DATABASE_SWITCHOVER
from drill.scenarios.deployed.event_failover import EVENT_FAILOVER
from drill.scenarios.deployed.parameter_divergence import PARAMETER_DIVERGENCE
from drill.scenarios.deployed.region_evacuation import REGION_EVACUATION
from drill.scenarios.deployed.restore_from_backup import RESTORE_FROM_BACKUP
from drill.scenarios.deployed.traffic_evacuation import TRAFFIC_EVACUATION

DEPLOYED_SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        PARAMETER_DIVERGENCE,
        RESTORE_FROM_BACKUP,
        TRAFFIC_EVACUATION,
        EVENT_FAILOVER,
        DATABASE_SWITCHOVER,
        REGION_EVACUATION,
    )
}

GAME_DAY = "game-day"
GAME_DAY_TITLE = f"{len(DEPLOYED_SCENARIOS)} scenarios in a row: {', '.join(DEPLOYED_SCENARIOS)}"
"""From what disturbs least to what disturbs most; it ends at the first that leaves something to do."""
