"""Witness: for each region a DNS name whose answer follows Route 53's health checkers, outside both regions. Reading it
is a DNS query, so that no decision in an outage needs a control plane.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.places import Place
from shared.references import Regions

UP, DOWN = "up", "down"
# Seconds: an answer must not outlive the checkers' next one by much; they probe every 10 or 30.
TTL = 10


def witness_name(place: Place, zone_name: str) -> str:
    """The name whose answer is the health of a region: `witness-primary.dr-dev.internal`."""
    return f"witness-{place}.{zone_name}"


@dataclass(frozen=True, kw_only=True)
class WitnessArgs:
    suffix: str
    zone_name: str
    zone_id: pulumi.Input[str]
    checks: Mapping[Place, Sequence[pulumi.Input[str]]]  # of each region's API and NLB
    regions: Regions  # in whose VPCs the names resolve even if the zone is not delegated

    def __post_init__(self) -> None:
        if thin := [str(place) for place, checks in self.checks.items() if len(checks) < 2]:
            raise ValueError(f"witness of {', '.join(thin)} depends on one endpoint; name two or more health checks")


class Witness(pulumi.ComponentResource):
    """For each region a TXT record with the value "up", or "down" once its health check fails."""

    names: dict[Place, str]

    def __init__(self, name: str, args: WitnessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:witness:Witness", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.names = {place: witness_name(place, args.zone_name) for place in args.checks}
        for place, host in self.names.items():
            check = self._any_endpoint(place)
            self._pair(str(place), host, args.zone_id, check)
            self._pair(f"{place}-private", host, self._private_zone(place, host).zone_id, check)
        self.register_outputs({"names": self.names})

    def _any_endpoint(self, place: Place) -> aws.route53.HealthCheck:
        """Unhealthy only when every endpoint is. The witness licenses a failover that may lose the database's last
        second: a single endpoint fails for reasons of its own (a certificate, a firewall rule, a bad rollout of the
        API), while the loss of a region affects them all."""
        return aws.route53.HealthCheck(
            f"{self._prefix}-{place}",
            type="CALCULATED",
            child_healthchecks=list(self._args.checks[place]),
            child_health_threshold=1,
            tags={"Name": f"health-witness-{place}-{self._args.suffix}"},
            opts=self._child,
        )

    def _pair(self, role: str, host: str, zone_id: pulumi.Input[str], check: aws.route53.HealthCheck) -> None:
        self._record(role, host, zone_id, policy="PRIMARY", answer=UP, check=check)
        # Without a check of its own it is the answer whenever the primary's fails (API
        # Route53.ResourceRecordSet.Failover), so that a missing answer never has to be interpreted.
        self._record(role, host, zone_id, policy="SECONDARY", answer=DOWN, check=None)

    def _record(
        self,
        role: str,
        host: str,
        zone_id: pulumi.Input[str],
        *,
        policy: str,
        answer: str,
        check: aws.route53.HealthCheck | None,
    ) -> None:
        aws.route53.Record(
            f"{self._prefix}-{role}-{answer}",
            zone_id=zone_id,
            name=host,
            type="TXT",
            ttl=TTL,
            records=[answer],
            set_identifier=f"{answer}-{self._args.suffix}",
            failover_routing_policies=[{"type": policy}],
            health_check_id=check.id if check else None,
            opts=self._child,
        )

    def _private_zone(self, place: Place, host: str) -> aws.route53.Zone:
        """A zone of exactly this one name, so that it hides no other name from the VPCs."""
        return aws.route53.Zone(
            f"{self._prefix}-{place}",
            name=host,
            comment=f"Health of {place} as seen by Route 53's health checkers, environment {self._args.suffix}",
            vpcs=[
                {"vpc_id": region.outputs.network.vpc_id, "vpc_region": region.region}
                for region in self._args.regions.values()
            ],
            opts=self._child,
        )
