"""The AWS FIS experiments for a region, as data [FIS-1].

Left out, each for its reason:
- `aws:network:disrupt-connectivity` with scope `all`, which isolates a region's functions. Every alarm of that region
  goes off by design, and FIS heeds alarms of its own region only: no alarm could end it. The drill's evacuation and
  the outage of the embedded AWS rehearse the loss.
- `aws:rds:failover-db-cluster`, which promotes a reader of the same cluster (API RDS.FailoverDBCluster): our members
  have a writer or a reader, never both. What there is to see of it, an instance that goes away, a restart shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.naming import Names
from shared.places import Place

BUCKET_TAG = "FaultInjection"
"""Marks the bucket whose replication may be paused: FIS finds buckets by their tags only."""
_STOP_ALARMS = ("alb-5xx", "api-5xx", "nlb-unhealthy")
MOST_STOP_ALARMS = 5  # [FIS-2]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One action on one target. A region stays in service meanwhile, or its alarms end the experiment."""

    key: str
    description: str
    action: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    to_peer: bool = False  # whether the peer region is a parameter of the action
    resource_type: str
    target: str  # the action's own word for what it acts on


EXPERIMENTS = (
    Experiment(
        key="isolation",
        # Needs a quota: 250 routes per route table, 350 where the other region is us-east-1, besides our own.
        description="Functions cannot reach the other region: payments go on with one region's journal",
        action="aws:network:route-table-disrupt-cross-region-connectivity",
        parameters={"duration": "PT10M"},
        to_peer=True,
        resource_type="aws:ec2:subnet",
        target="Subnets",
    ),
    Experiment(
        key="journal-replication",
        description="The table does not replicate: control records and repairs reach the other region late",
        action="aws:dynamodb:global-table-pause-replication",
        # It may go on for five minutes after the pause begins.
        parameters={"duration": "PT20M"},
        resource_type="aws:dynamodb:global-table",
        target="Tables",
    ),
    Experiment(
        key="bucket-replication",
        description="Objects do not reach the other region's bucket",
        action="aws:s3:bucket-pause-replication",
        # It may go on for an hour after the pause begins.
        parameters={"duration": "PT2H"},
        to_peer=True,
        resource_type="aws:s3:bucket",
        target="Buckets",
    ),
    Experiment(
        key="database-restart",
        description="The member's instance restarts: the ledger waits, payments go on",
        action="aws:rds:reboot-db-instances",
        resource_type="aws:rds:db",
        target="DBInstances",
    ),
)


def stop_alarms(names: Names, place: Place) -> list[str]:
    """Names of the region's alarms that end an experiment: clients are refused. Metric alarms, since FIS does
    not document that it supports composite ones [FIS-3]."""
    return [f"{names.regional('alarm', place)}-{each}" for each in _STOP_ALARMS]


def bucket_tag(names: Names, place: Place) -> dict[str, str]:
    """The tag of that place's bucket, and of no other."""
    return {BUCKET_TAG: names.regional("bucket", place)}
