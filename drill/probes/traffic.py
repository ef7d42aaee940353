"""Expectations about traffic: load balancers, answers, replication."""

from dataclasses import dataclass
from typing import ClassVar

from drill.model.expectation import Finding, Observation
from shared.places import Place


@dataclass(frozen=True)
class AcceptedAsOffered:
    """Nothing failed lately, and as much came back as was sent."""

    share: float = 0.9  # a short window cuts off requests at both ends

    statement: ClassVar[str] = "payments are accepted at the rate offered, none fails"

    def check(self, observed: Observation) -> Finding:
        evidence = (
            f"{observed.recent.ok:.1f}/s accepted of {observed.rate:g}/s offered, {observed.recent.failed:.1f}/s failed"
        )
        return Finding(
            met=observed.recent.ok >= self.share * observed.rate and not observed.recent.failed, evidence=evidence
        )


@dataclass(frozen=True)
class TargetsHealthy:
    """Every target of each region's load balancer is in service."""

    statement: ClassVar[str] = "targets are healthy in both regions"

    def check(self, observed: Observation) -> Finding:
        parts = [self._region(observed, region) for region in observed.regions.values()]
        return Finding(met=all(part.met for part in parts), evidence=", ".join(part.evidence for part in parts))

    def _region(self, observed: Observation, region: str) -> Finding:
        states = [target.state for target in observed.status.targets_in(region)]
        healthy = states.count("healthy")
        return Finding(met=bool(states) and healthy == len(states), evidence=f"{region} {healthy} of {len(states)}")


@dataclass(frozen=True)
class ServedBy:
    """All answers come from one place, by the region that the answers name."""

    place: Place

    @property
    def statement(self) -> str:
        return f"the accelerator sends clients to the {self.place} region"

    def check(self, observed: Observation) -> Finding:
        evidence = ", ".join(f"{region} {rate:.1f}/s" for region, rate in sorted(observed.recent.by_region.items()))
        return Finding(
            met=set(observed.recent.by_region) == {observed.regions[self.place]},
            evidence=evidence or "no answer lately",
        )


@dataclass(frozen=True)
class ReplicationKeepsUp:
    """No more writes wait for a region than replication is usually behind; without load, none."""

    seconds: float = 2.0  # of the offered rate; DynamoDB is usually below one [DYNAMODB-4]

    statement: ClassVar[str] = "replication keeps up"

    def check(self, observed: Observation) -> Finding:
        waiting = {region: count for region, count in observed.status.replication.backlog.items() if count}
        evidence = ", ".join(f"{count} writes wait for {region}" for region, count in sorted(waiting.items()))
        met = all(count <= observed.rate * self.seconds for count in waiting.values())
        return Finding(met=met, evidence=evidence or "no write waits")
