"""A region's ingress: load balancers, REST API, certificate and web ACLs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.compute.function import SOURCES, Function
from components.ingress import openapi
from components.ingress.api_auth import ApiAccess, ApiAccessArgs
from components.ingress.certificate import CertificateChoice, ServerCertificate, server_certificate
from components.ingress.load_balancers import HEALTH_PATH, LoadBalancers, LoadBalancersArgs
from components.ingress.rest_api import STAGE, Api, ApiAccount, ApiArgs, ApiDomain, ApiDomainArgs
from components.ingress.waf import WINDOW, WebAcl, WebAclArgs, WebAclLogs
from components.network.vpc import Network
from shared.naming import LOAD_BALANCER_LIMIT
from shared.outputs import IngressOutputs
from shared.places import Place
from shared.references import TextInput, TextsInput
from shared.settings import RegionSettings

# By target. Longer kinds would not leave room for the longest suffix.
TARGET_GROUPS = {"function": "tg-app", "health": "tg-health", "alb": "tg-alb"}


@dataclass(frozen=True, kw_only=True)
class RegionIngressArgs:
    place: Place
    settings: RegionSettings
    network: Network
    key_arn: pulumi.Input[str]
    log_bucket: pulumi.Input[str]
    function: Function  # the workload's
    health_function: Function
    probers: Mapping[str, pulumi.Input[str]]  # security groups of the functions that probe the health endpoints
    zone_id: pulumi.Input[str] | None  # of an existing zone that names can be proved in
    client_keys: Mapping[str, pulumi.Input[str]] = field(repr=False)  # by client


class RegionIngress(pulumi.ComponentResource):
    """The load balancers that the accelerator points at, and the regional API. Both invoke the workload's function, and
    the health function for `/health`; neither can replace the other [NLB-1]."""

    certificate: ServerCertificate
    load_balancers: LoadBalancers
    api: Api
    outputs: IngressOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: RegionIngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionIngress", name, None, opts)
        self._args = args
        self._names, self._settings, self._place = args.settings.names, args.settings, args.place
        self._child = pulumi.ResourceOptions(parent=self)
        choice = CertificateChoice(
            names=[self._settings.service_name, self._settings.accelerator_name, self._settings.api_name],
            # With the region in it, so that clients which trust both can distinguish the two self-signed ones.
            organization=f"{self._settings.hosted_zone} {self._settings.region(self._place)}",
            place=self._place,
            suffix=self._settings.suffix,
            region=self._settings.region(self._place),
            given_arn=self._settings.certificate_arn,
            zone_id=args.zone_id,
        )
        self.certificate = server_certificate("certificate", choice, opts=self._child)
        self.load_balancers = self._load_balancers()
        self.api = self._api()
        access = self._access()
        # API Gateway accepts only publicly trusted certificates.
        domain = self._domain() if choice.is_public else None
        if self._settings.firewall:
            self._firewalls()
        self.outputs = self._outputs(domain, access)
        self.register_outputs({"nlb_arn": self.load_balancers.nlb.arn, "api_url": self.api.url})

    def _load_balancers(self) -> LoadBalancers:
        network = self._args.network
        return LoadBalancers(
            "front-door",
            LoadBalancersArgs(
                nlb_name=self._names.regional("nlb", self._place, limit=LOAD_BALANCER_LIMIT),
                alb_name=self._names.regional("alb", self._place, limit=LOAD_BALANCER_LIMIT),
                target_group_names={
                    target: self._names.regional(kind, self._place, limit=LOAD_BALANCER_LIMIT)
                    for target, kind in TARGET_GROUPS.items()
                },
                vpc_id=network.vpc_id,
                public_subnet_ids=network.public_subnet_ids,
                private_subnet_ids=network.private_subnet_ids,
                internet_gateway=network.internet_gateway,
                certificate_arn=self.certificate.arn,
                function=self._args.function,
                health_function=self._args.health_function,
                log_bucket=self._args.log_bucket,
                peer_cidr=self._settings.cidr(self._place.other) if self._settings.nat == "none" else None,
                probers=self._args.probers if self._settings.nat == "none" else {},
                protected=self._settings.protection,
                health_interval=self._settings.health_interval,
                unhealthy_threshold=self._settings.unhealthy_threshold,
            ),
            opts=self._child,
        )

    def _api(self) -> Api:
        accounts: list[pulumi.Resource] = []
        if self._settings.manage_api_account:
            role_name = self._names.regional("role-api-logs", self._place)
            accounts.append(ApiAccount("api-account", role_name, opts=self._child).account)
        return Api(
            "api",
            ApiArgs(
                name=self._names.regional("api-payments", self._place),
                described=_described(self._settings.workload),
                function=self._args.function,
                health_function=self._args.health_function,
                access=self._settings.access,
                rate_limit=self._settings.api_rate_limit,
                key_arn=self._args.key_arn,
                log_retention_days=self._settings.log_retention_days,
                after=accounts,
            ),
            opts=self._child,
        )

    def _access(self) -> ApiAccess | None:
        if self._settings.access == "open":
            pulumi.warn("api:access is open: anyone who finds the API can pay; set it to iam or api-key", resource=self)
            return None
        return ApiAccess(
            "api-access",
            ApiAccessArgs(
                callers=self._settings.access,
                name=self._names.regional("api-callers", self._place),
                api_id=self.api.id,
                stage=self.api.stage,
                execution_arn=self.api.execution_arn,
                operations=openapi.guarded(_described(self._settings.workload)),
                rate_limit=self._settings.client_rate_limit,
                daily_quota=self._settings.daily_quota,
                client_keys=self._args.client_keys,
            ),
            opts=self._child,
        )

    def _domain(self) -> ApiDomain:
        return ApiDomain(
            "api-domain",
            ApiDomainArgs(
                domain_name=self._settings.api_name,
                certificate_arn=self.certificate.arn,
                api_id=self.api.id,
                stage=self.api.stage,
            ),
            opts=self._child,
        )

    def _firewalls(self) -> None:
        """One for each endpoint, with its own rate key: behind the accelerator clients share addresses."""
        logs = None
        if self._settings.firewall_logs:
            logs = WebAclLogs(key_arn=self._args.key_arn, retention_days=self._settings.log_retention_days)
        WebAcl(
            "firewall-api",
            WebAclArgs(
                name=self._names.regional("acl-api", self._place),
                protects={"stage": self.api.stage_arn},
                # Whether the stage is part of the path that the firewall receives, AWS does not document: both match.
                health_paths=[HEALTH_PATH, f"/{STAGE}{HEALTH_PATH}"],
                count_by="address",
                rate_limit=self._settings.firewall_rate_limit,
                logs=logs,
            ),
            opts=self._child,
        )
        WebAcl(
            "firewall-front-door",
            WebAclArgs(
                name=self._names.regional("acl-front-door", self._place),
                protects={"alb": self.load_balancers.alb.arn},
                health_paths=[HEALTH_PATH],
                count_by="client-key",
                # A client here is a system that pays for many: it gets the rate that its key allows at the API.
                rate_limit=max(self._settings.firewall_rate_limit, WINDOW * self._settings.client_rate_limit),
                logs=logs,
            ),
            opts=self._child,
        )

    def _outputs(self, domain: ApiDomain | None, access: ApiAccess | None) -> IngressOutputs[TextInput, TextsInput]:
        """An output that this environment does not use is empty, never missing."""
        nlb, alb, api = self.load_balancers.nlb, self.load_balancers.alb, self.api
        return IngressOutputs(
            nlb_arn=nlb.arn,
            nlb_arn_suffix=nlb.arn_suffix,
            nlb_dns_name=nlb.dns_name,
            nlb_zone_id=nlb.zone_id,
            alb_dns_name=alb.dns_name,
            alb_zone_id=alb.zone_id,
            target_group_arn=self.load_balancers.target_group.arn,
            service_name=self._settings.service_name,
            certificate_arn=self.certificate.arn,
            certificate_pem=self.certificate.pem,
            api_id=api.id,
            api_name=api.name,
            api_stage=api.stage,
            api_url=api.url,
            api_domain_host=domain.target_host if domain else "",
            api_domain_zone_id=domain.target_zone_id if domain else "",
            api_caller_policy_arn=access.caller_policy_arn if access else "",
            api_usage_plan_id=access.usage_plan_id if access else "",
        )


def _described(workload: str) -> dict[str, object]:
    described: dict[str, object] = json.loads((SOURCES / workload / "openapi.json").read_text())
    return described
