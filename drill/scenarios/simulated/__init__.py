"""The scenarios there are, one file each."""

from drill.model.scenario import Scenario
from drill.scenarios.simulated.cold_storm import COLD_STORM
from drill.scenarios.simulated.double_trigger import DOUBLE_TRIGGER
from drill.scenarios.simulated.events_outage import EVENTS_OUTAGE
from drill.scenarios.simulated.failback_interrupted import FAILBACK_INTERRUPTED
from drill.scenarios.simulated.false_alarm import FALSE_ALARM
from drill.scenarios.simulated.flapping import FLAPPING
from drill.scenarios.simulated.gray_failure import GRAY_FAILURE
from drill.scenarios.simulated.journal_outage import JOURNAL_OUTAGE
from drill.scenarios.simulated.late_failover import LATE_FAILOVER
from drill.scenarios.simulated.loss_after_failover import LOSS_AFTER_FAILOVER
from drill.scenarios.simulated.loss_during_failback import LOSS_DURING_FAILBACK
from drill.scenarios.simulated.overload import OVERLOAD
from drill.scenarios.simulated.partition import PARTITION
from drill.scenarios.simulated.poison_event import POISON_EVENT
from drill.scenarios.simulated.region_loss import REGION_LOSS
from drill.scenarios.simulated.region_loss_secondary import REGION_LOSS_SECONDARY
from drill.scenarios.simulated.replication_cut_then_loss import REPLICATION_CUT_THEN_LOSS
from drill.scenarios.simulated.secondary_blip_then_primary_loss import SECONDARY_BLIP_THEN_PRIMARY_LOSS
from drill.scenarios.simulated.slow_region import SLOW_REGION
from drill.scenarios.simulated.stuck_ledger_then_loss import STUCK_LEDGER_THEN_LOSS
from drill.scenarios.simulated.writer_loss import WRITER_LOSS

# In the order in which all are rehearsed: between two failovers the sentinel holds for its cool-down, and scenarios
# without one fill that time. The last ones are rehearsed at a speed of their own.
SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        REGION_LOSS,
        FLAPPING,
        FALSE_ALARM,
        COLD_STORM,
        OVERLOAD,
        GRAY_FAILURE,
        REGION_LOSS_SECONDARY,
        WRITER_LOSS,
        JOURNAL_OUTAGE,
        PARTITION,
        REPLICATION_CUT_THEN_LOSS,
        POISON_EVENT,
        DOUBLE_TRIGGER,
        LOSS_DURING_FAILBACK,
        SLOW_REGION,
        STUCK_LEDGER_THEN_LOSS,
        EVENTS_OUTAGE,
        LATE_FAILOVER,
        FAILBACK_INTERRUPTED,
        SECONDARY_BLIP_THEN_PRIMARY_LOSS,
        LOSS_AFTER_FAILOVER,
    )
}
LONG = {name: scenario for name, scenario in SCENARIOS.items() if scenario.takes_hours}
"""Those that take AWS hours. They are not among the scenarios that `rehearse --all` rehearses by default."""
