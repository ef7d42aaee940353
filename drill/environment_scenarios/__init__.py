"""The scenarios for a deployed environment, one file each. They use AWS's APIs and our own functions, and no fault
injector, so they are the same on AWS and on the embedded AWS."""

from drill.environment_scenarios.database_switchover import DATABASE_SWITCHOVER
from drill.environment_scenarios.event_failover import EVENT_FAILOVER
from drill.environment_scenarios.parameter_divergence import PARAMETER_DIVERGENCE
from drill.environment_scenarios.region_evacuation import REGION_EVACUATION
from drill.environment_scenarios.restore_from_backup import RESTORE_FROM_BACKUP
from drill.environment_scenarios.traffic_evacuation import TRAFFIC_EVACUATION
from drill.scenario import Scenario

ENVIRONMENT_SCENARIOS: dict[str, Scenario] = {
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
GAME_DAY_TITLE = f"{len(ENVIRONMENT_SCENARIOS)} scenarios in a row: {', '.join(ENVIRONMENT_SCENARIOS)}"
"""From what disturbs least to what disturbs most; it ends at the first that leaves something to do."""
