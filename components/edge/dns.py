"""The hosted zone, health checks on what each region really serves, and the names that follow them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.edge.accelerator import Accelerator
from components.ingress.load_balancers import HEALTH_PATH, HTTPS
from shared import config
from shared.places import Place
from shared.references import Regions
from shared.settings import GlobalSettings


@dataclass(frozen=True, kw_only=True)
class ExistingZone:
    """A hosted zone that these stacks use and do not manage."""

    zone_id: str
    name_servers: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class DnsArgs:
    settings: GlobalSettings
    regions: Regions
    existing: ExistingZone | None  # None creates one
    accelerator: Accelerator


class Dns(pulumi.ComponentResource):
    """Failover by name, for clients that do not come through the accelerator. Answers follow Route 53's own checkers:
    no record is edited when a region is lost."""

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    checks: dict[Place, dict[str, pulumi.Output[str]]]  # health check ids by endpoint: api and nlb

    def __init__(self, name: str, args: DnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:dns:Dns", name, None, opts)
        self._prefix, self._args, self._settings = name, args, args.settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._zone()
        self.checks = {}
        for place, region in args.regions.items():
            ingress = region.outputs.ingress
            path = pulumi.Output.concat("/", ingress.api_stage, HEALTH_PATH)
            api_host = pulumi.Output.concat(ingress.api_id, f".execute-api.{region.region}.amazonaws.com")
            api = self._health_check(f"api-{place}", api_host, path)
            nlb = self._health_check(f"nlb-{place}", ingress.nlb_dns_name, HEALTH_PATH)
            self.checks[place] = {"api": api.id, "nlb": nlb.id}
            self._failover_record(
                f"failover-{place}",
                place,
                self._settings.service_name,
                ingress.nlb_dns_name,
                ingress.nlb_zone_id,
                nlb,
                follow=True,
            )
            # The API has a name of its own where a public certificate is issued, in an existing zone.
            if not self._settings.create_zone:
                self._failover_record(
                    f"api-{place}",
                    place,
                    self._settings.api_name,
                    ingress.api_domain_host,
                    ingress.api_domain_zone_id,
                    api,
                    # The target's health would be the service's, not our API's [R53-1]: the check alone decides.
                    follow=False,
                )
        aws.route53.Record(
            f"{name}-accelerator",
            zone_id=self.zone_id,
            name=self._settings.accelerator_name,
            type="A",
            # The accelerator fails over by itself: a simple record is all it needs [R53-2].
            aliases=[
                {
                    "name": args.accelerator.dns_name,
                    "zone_id": args.accelerator.hosted_zone_id,
                    "evaluate_target_health": False,
                }
            ],
            opts=self._child,
        )
        self.register_outputs({"zone_id": self.zone_id})

    def _zone(self) -> None:
        if self._args.existing is None:
            zone = aws.route53.Zone(
                f"{self._prefix}-zone",
                name=self._settings.hosted_zone,
                comment=f"Payments, environment {self._settings.suffix}",
                # Records that certificate validation left behind must not keep the zone alive.
                force_destroy=True,
                opts=self._child,
            )
            self.zone_id, self.name_servers = zone.zone_id, zone.name_servers
            return
        self.zone_id = pulumi.Output.from_input(self._args.existing.zone_id)
        self.name_servers = pulumi.Output.from_input(self._args.existing.name_servers)

    def _health_check(self, role: str, host: pulumi.Output[str], path: pulumi.Input[str]) -> aws.route53.HealthCheck:
        """A check of one region's own name. Never of the shared one, which would answer for whichever region it points
        at [R53-3]. Route 53 does not validate the certificate [R53-8]."""
        return aws.route53.HealthCheck(
            f"{self._prefix}-{role}",
            type="HTTPS",
            fqdn=host,
            port=HTTPS,
            resource_path=path,
            request_interval=self._settings.health_check_interval,
            failure_threshold=self._settings.health_check_threshold,
            measure_latency=False,
            tags={"Name": f"health-{role}-{self._settings.suffix}"},
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
            set_identifier=f"{place}-{self._settings.suffix}",
            failover_routing_policies=[{"type": place.upper()}],
            health_check_id=check.id,
            aliases=[{"name": target, "zone_id": target_zone_id, "evaluate_target_health": follow}],
            opts=self._child,
        )


def existing_zone(name: str, provider: aws.Provider) -> ExistingZone:
    """The public hosted zone of that name; looked up by a stack program and passed to components.

    Raises InvalidSettingsError if it cannot be read: the program waits for the answer.
    """
    try:
        zone = aws.route53.get_zone(name=name, private_zone=False, opts=pulumi.InvokeOptions(provider=provider))
    except Exception as error:  # noqa: BLE001 - `pulumi.runtime.invoke` raises nothing more special
        cause = str(error).rpartition("failed: ")[2]
        raise config.invalid(
            f"dns:createZone is false, but the public hosted zone {name} cannot be read: {cause}; create and delegate "
            "it, or leave dns:createZone out"
        ) from None
    return ExistingZone(zone_id=zone.zone_id, name_servers=zone.name_servers)
