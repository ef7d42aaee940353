"""The hosted zone, health checks on what each region really serves, and the names that follow them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.ingress.load_balancers import HEALTH_PATH, HTTPS
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class ApiAlias:
    """A region's share of the API's own name."""

    name: str
    host: pulumi.Input[str]
    zone_id: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class RegionEndpoints:
    """Endpoints of a region, from its stack outputs."""

    region: str
    nlb_dns_name: pulumi.Input[str]
    nlb_zone_id: pulumi.Input[str]
    api_id: pulumi.Input[str]
    api_stage: pulumi.Input[str]
    api_domain: ApiAlias | None = None  # where the API has a name of its own


@dataclass(frozen=True, kw_only=True)
class ExistingZone:
    """A hosted zone that someone else owns."""

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class DnsArgs:
    suffix: str
    zone_name: str
    existing: ExistingZone | None  # None creates one
    service_name: str
    accelerator_name: str
    accelerator_dns_name: pulumi.Input[str]
    accelerator_zone_id: pulumi.Input[str]
    endpoints: Mapping[Place, RegionEndpoints]
    check_interval: int  # seconds: 10 or 30, fixed for the life of a health check
    check_threshold: int


class Dns(pulumi.ComponentResource):
    """Failover by name, for clients that do not come through the accelerator. Answers follow Route 53's own checkers:
    no record is edited when a region is lost."""

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    failover_name: pulumi.Output[str]
    api_checks: dict[Place, pulumi.Output[str]]  # health check ids
    nlb_checks: dict[Place, pulumi.Output[str]]

    def __init__(self, name: str, args: DnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:dns:Dns", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._zone()
        self.api_checks, self.nlb_checks = {}, {}
        for place, endpoint in args.endpoints.items():
            path = pulumi.Output.concat("/", endpoint.api_stage, HEALTH_PATH)
            api = self._health_check(f"api-{place}", _api_host(endpoint), path)
            nlb = self._health_check(f"nlb-{place}", pulumi.Output.from_input(endpoint.nlb_dns_name), HEALTH_PATH)
            self.api_checks[place], self.nlb_checks[place] = api.id, nlb.id
            self._failover_record(
                f"failover-{place}",
                place,
                args.service_name,
                endpoint.nlb_dns_name,
                endpoint.nlb_zone_id,
                nlb,
                follow=True,
            )
            if alias := endpoint.api_domain:
                # The target's health would be the service's, not our API's [R53-1]: the check alone decides.
                self._failover_record(f"api-{place}", place, alias.name, alias.host, alias.zone_id, api, follow=False)
        aws.route53.Record(
            f"{name}-accelerator",
            zone_id=self.zone_id,
            name=args.accelerator_name,
            type="A",
            # The accelerator fails over by itself: a simple record is all it needs [R53-2].
            aliases=[
                {
                    "name": args.accelerator_dns_name,
                    "zone_id": args.accelerator_zone_id,
                    "evaluate_target_health": False,
                }
            ],
            opts=self._child,
        )
        self.failover_name = pulumi.Output.from_input(args.service_name)
        self.register_outputs({"zone_id": self.zone_id})

    def _zone(self) -> None:
        if self._args.existing is None:
            zone = aws.route53.Zone(
                f"{self._prefix}-zone",
                name=self._args.zone_name,
                comment=f"Payments, environment {self._args.suffix}",
                # Records that certificate validation left behind must not keep the zone alive.
                force_destroy=True,
                opts=self._child,
            )
            self.zone_id, self.name_servers = zone.zone_id, zone.name_servers
            return
        self.zone_id, self.name_servers = self._args.existing.zone_id, self._args.existing.name_servers

    def _health_check(self, role: str, host: pulumi.Output[str], path: pulumi.Input[str]) -> aws.route53.HealthCheck:
        """A check of one region's own name. Never of the shared one, which would answer for whichever region it points
        at [R53-3]. Route 53 does not validate the certificate [R53-8]."""
        return aws.route53.HealthCheck(
            f"{self._prefix}-{role}",
            type="HTTPS",
            fqdn=host,
            port=HTTPS,
            resource_path=path,
            request_interval=self._args.check_interval,
            failure_threshold=self._args.check_threshold,
            measure_latency=False,
            tags={"Name": f"health-{role}-{self._args.suffix}"},
            opts=self._child,
        )

    def _failover_record(
        self,
        role: str,
        place: Place,
        name: str,
        target: pulumi.Input[str],
        target_zone_id: pulumi.Input[str],
        check: aws.route53.HealthCheck,
        *,
        follow: bool,
    ) -> None:
        aws.route53.Record(
            f"{self._prefix}-{role}",
            zone_id=self.zone_id,
            name=name,
            type="A",
            set_identifier=f"{place}-{self._args.suffix}",
            failover_routing_policies=[{"type": place.upper()}],
            health_check_id=check.id,
            aliases=[{"name": target, "zone_id": target_zone_id, "evaluate_target_health": follow}],
            opts=self._child,
        )


def existing_zone(name: str, provider: aws.Provider) -> ExistingZone:
    """The public zone of that name; asked by a stack program and handed to components."""
    zone = aws.route53.get_zone_output(
        name=name, private_zone=False, opts=pulumi.InvokeOutputOptions(provider=provider)
    )
    return ExistingZone(zone_id=zone.zone_id, name_servers=zone.name_servers)


def _api_host(endpoint: RegionEndpoints) -> pulumi.Output[str]:
    return pulumi.Output.concat(endpoint.api_id, f".execute-api.{endpoint.region}.amazonaws.com")
