"""`region-loss`: the primary region disappears under load and comes back later. No step tells traffic where to go."""

from drill.actions import Heal, Lose
from drill.probes import AcceptedAsOffered, ReplicationKeepsUp, ServedBy, TargetsHealthy
from drill.scenario import Scenario, Send, Settle
from shared.places import Place

REGION_LOSS = Scenario(
    name="region-loss",
    title="Lose the primary region under load, and get it back",
    lost=Place.PRIMARY,
    hypothesis=Settle(
        name="steady state",
        until=(AcceptedAsOffered(), TargetsHealthy(), ServedBy(Place.PRIMARY), ReplicationKeepsUp()),
        within_aws_seconds=120,
        within_seconds=30,
    ),
    method=(
        Send(name="load on both regions", share=0.2, least_aws_seconds=20),
        Lose(Place.PRIMARY),
        # Detection takes two probes of 10 s by default; the rest shows that service stays restored.
        Send(name="load without the primary region", share=0.5, least_aws_seconds=60),
    ),
    way_back=(
        Heal(Place.PRIMARY),
        Settle(
            name="the primary region takes part again",
            until=(TargetsHealthy(), ReplicationKeepsUp()),
            within_aws_seconds=120,
        ),
        Send(name="load after its return", share=0.3, least_aws_seconds=30),
    ),
    not_exercised=(
        "Database failover: the Aurora writer is neither promoted nor fenced in this scenario; payments are accepted "
        "on the journal alone",
        "The sentinel's decision and the failover state machine: traffic moves by target health only",
    ),
)
