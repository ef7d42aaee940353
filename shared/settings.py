"""All settings of the stacks, read and checked in one place before the first resource.

Plain Python: a stack program reads them through `shared.config`, tests from a dictionary. A key is `section:name`, as
in `Pulumi.<environment>.yaml`; unknown keys of our sections are refused: a misspelt one would silently do nothing.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared import client_keys, secret_parameters
from shared.concurrency import DEFAULT_LIMIT
from shared.naming import Names
from shared.places import Place
from shared.setting_values import Cidr, DomainName, Flags, Region, Suffix, Workload, one_of
from shared.zones import zone_letters, zone_names, zones_problem

SECRETS: Mapping[str, Callable[[Mapping[str, str]], Iterable[str]]] = {
    client_keys.SETTING: client_keys.problems,
    secret_parameters.SETTING: secret_parameters.problems,
}
"""Settings that are secret, with what finds fault with each. No model holds them: `shared.config.secrets` checks them
and hands them on in their envelopes."""

DATABASE_VERSIONS: Mapping[str, str] = {
    "aurora-postgresql": "16.8",
    "aurora-mysql": "8.0.mysql_aurora.3.10.0",
}
"""Long-term support releases: other versions can no longer be created after about a year [AURORA-26]. Members of a
global database must agree on the version, patch level included [AURORA-9]."""


class SettingsError(ValueError):
    """Settings that cannot be deployed. The message names each key, the value got, and what to change."""


class EnvironmentSettings(BaseModel):
    """Settings on which all three stacks of an environment agree."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    environment: str = Field(alias="dr:environment", min_length=1, max_length=32)
    """Name of the environment, on every resource as a tag."""
    suffix: Suffix = Field(alias="dr:suffix")
    """Suffix of every name, so that several environments can share an account."""
    cost_center: str = Field("unassigned", alias="dr:costCenter", min_length=1)
    """The cost center, as a tag."""
    criticality: Literal["low", "medium", "high", "critical"] = Field("high", alias="dr:criticality")
    """The criticality, as a tag: low, medium, high or critical."""
    primary_region: Region = Field("us-east-1", alias="dr:primaryRegion")
    """Region of the primary place."""
    secondary_region: Region = Field("us-east-2", alias="dr:secondaryRegion")
    """Region of the secondary place; never the same."""
    primary_cidr: Cidr = Field("10.0.0.0/16", alias="network:primaryCidr")
    """Block of the primary VPC, /16 to /20."""
    secondary_cidr: Cidr = Field("10.1.0.0/16", alias="network:secondaryCidr")
    """Block of the secondary VPC, which must not overlap the other."""
    protection: bool = Field(False, alias="dr:protection")
    """Refuse to delete databases, load balancers and what holds data. `destroy` needs it switched off by an `up`."""
    zone_name: DomainName | None = Field(None, alias="dns:zoneName")
    """The hosted zone; without it a zone of our own that no one delegates to."""
    create_zone: bool = Field(True, alias="dns:createZone")
    """Create the hosted zone, or use the existing one of that name. Certificates can be issued for an existing one."""
    zones: int = Field(3, alias="network:zones", ge=2, le=3)
    """Availability zones of each region; both have as many."""
    primary_zones: Annotated[str, AfterValidator(zone_letters)] | None = Field(None, alias="network:primaryZones")
    """Letters of the primary region's zones, such as acd; by default those that every account has there."""
    secondary_zones: Annotated[str, AfterValidator(zone_letters)] | None = Field(None, alias="network:secondaryZones")
    """The same for the secondary region. A deployed environment keeps its letters: other zones are other subnets."""
    nat: Literal["per-zone", "one", "none"] = Field("one", alias="network:nat")
    """NAT gateways: per-zone, one, or none with interface endpoints in their place."""
    engine: Literal["aurora-postgresql", "aurora-mysql"] = Field("aurora-postgresql", alias="database:engine")
    """aurora-postgresql or aurora-mysql."""
    fault_injection: bool = Field(False, alias="drill:faultInjection")
    """Templates of AWS FIS that cut a region off or pause replication; nothing runs until one is started."""
    region_switch: bool = Field(False, alias="drill:regionSwitch")
    """The failover as a plan of ARC Region switch as well, at 70 USD a month."""

    @model_validator(mode="after")
    def _two_regions(self) -> Self:
        if self.primary_region == self.secondary_region:
            raise ValueError(
                f"dr:secondaryRegion is {self.secondary_region}, the same as dr:primaryRegion; choose another region"
            )
        if ipaddress.ip_network(self.primary_cidr).overlaps(ipaddress.ip_network(self.secondary_cidr)):
            raise ValueError(
                f"network:secondaryCidr is {self.secondary_cidr}, which overlaps network:primaryCidr "
                f"{self.primary_cidr}; peered VPCs need blocks of their own, such as 10.0.0.0/16 and 10.1.0.0/16"
            )
        if not self.create_zone and self.zone_name is None:
            raise ValueError("dns:createZone is false, but no dns:zoneName names an existing zone; give one")
        return self

    @model_validator(mode="after")
    def _enough_zones(self) -> Self:
        for place in Place:
            if problem := zones_problem(place, self.region(place), self.zones, self._letters(place)):
                raise ValueError(problem)
        return self

    def _letters(self, place: Place) -> str | None:
        return self.primary_zones if place is Place.PRIMARY else self.secondary_zones

    def zone_names(self, place: Place) -> list[str]:
        """The availability zones that the environment uses there."""
        return zone_names(self.region(place), self.zones, self._letters(place))

    @property
    def names(self) -> Names:
        return Names(self.suffix)

    @property
    def hosted_zone(self) -> str:
        return self.zone_name or self.names.zone

    @property
    def service_name(self) -> str:
        """The host name that clients pay at; certificates carry it."""
        return f"pay.{self.hosted_zone}"

    @property
    def api_name(self) -> str:
        """The host name of the API, where a public certificate allows one."""
        return f"api.{self.hosted_zone}"

    @property
    def accelerator_name(self) -> str:
        """The host name of the accelerator in our zone."""
        return f"anycast.{self.hosted_zone}"

    def region(self, place: Place) -> str:
        return self.primary_region if place is Place.PRIMARY else self.secondary_region

    def cidr(self, place: Place) -> str:
        return self.primary_cidr if place is Place.PRIMARY else self.secondary_cidr


class RegionSettings(EnvironmentSettings):
    """Settings of a regional stack."""

    health_interval: int = Field(10, alias="nlb:healthInterval", ge=5, le=300)
    """Seconds between two health probes of the NLB (Elastic Load Balancing allows 5 to 300)."""
    unhealthy_threshold: int = Field(2, alias="nlb:unhealthyThreshold", ge=2, le=10)
    """Failed probes in a row until the NLB calls a region unhealthy."""
    lambda_concurrency: int = Field(DEFAULT_LIMIT, alias="functions:accountConcurrency", ge=10, le=100_000)
    """The account's limit of concurrent executions in this region, or the part of it that is this environment's. Floors
    for health, failover and ledger and a ceiling for the workload derive from it; below 250 nothing is reserved."""
    workload: Workload = Field("payments", alias="workload:source")
    """Folder in functions/ whose handler takes the traffic (docs/own-workload.md)."""
    durability: Literal["one-region", "both"] = Field("one-region", alias="payments:durability")
    """Payments while the other region does not respond: acknowledged with one region's journal, or refused."""
    peer_timeout_ms: int = Field(500, alias="payments:peerTimeoutMs", ge=50, le=5000)
    """Milliseconds that a payment waits for the other region before that setting decides."""
    api_rate_limit: int = Field(500, alias="api:rateLimit", ge=1, le=10000)
    """Requests a second that the API stage lets through; the burst is twice that."""
    access: Literal["iam", "api-key", "open"] = Field("iam", alias="api:access")
    """The access to the API's operations; `/health` is open in any case."""
    client_rate_limit: int = Field(100, alias="api:clientRateLimit", ge=1, le=10000)
    """Requests a second by one client key."""
    daily_quota: int = Field(1_000_000, alias="api:dailyQuota", ge=1)
    """Requests a day by one client key."""
    firewall: bool = Field(True, alias="waf:enabled")
    """AWS WAF web ACLs for the load balancer and the API."""
    firewall_rate_limit: int = Field(2000, alias="waf:rateLimit", ge=300)
    """Requests in five minutes by one client."""
    firewall_logs: bool = Field(False, alias="waf:logs")
    """Log what the firewall blocks."""
    certificate_arn: str | None = Field(None, alias="certificate:arn")
    """A certificate of ACM in this region, instead of one issued for the zone or signed by ourselves."""
    approval: Literal["automatic", "manual"] = Field("automatic", alias="failover:approval")
    """Whether a failover changes the database writer at once or waits for approval. Traffic moves in either case."""
    return_minutes: int = Field(10, alias="failover:returnMinutes", ge=0, le=1440)
    """Minutes that a region which a failover fenced has to be well before it serves again, as the reader; 0: never."""
    parameter_minutes: Annotated[int, one_of(5, 10, 15, 20, 30, 60)] = Field(15, alias="parameters:reconcileMinutes")
    """Minutes between two comparisons of all parameters with the other region's, by each of the two."""
    parameter_throughput: Literal["standard", "high"] = Field("standard", alias="parameters:throughput")
    """Parameter Store's limits: 40 calls a second, or more at a price; a setting of the whole account and region."""
    manage_api_account: bool = Field(True, alias="api:manageAccount")
    """Own API Gateway's account settings in this region; exactly one environment of an account should."""
    email: str | None = Field(None, alias="alarms:email", pattern=r"^[^@\s]+@[^@\s]+$")
    """Address that alarms are sent to; the subscription has to be confirmed once."""
    noncurrent_days: int = Field(30, alias="bucket:noncurrentDays", ge=1)
    """The retention of overwritten and deleted versions of objects."""
    log_retention_days: Annotated[int, one_of(1, 3, 5, 7, 14, 30, 60, 90, 180, 365)] = Field(
        30, alias="logs:retentionDays"
    )
    """Days that log groups and access logs are kept."""


class GlobalSettings(EnvironmentSettings):
    """Settings of the global stack."""

    mode: Literal["active-active", "active-passive"] = Field("active-passive", alias="traffic:mode")
    """active-passive sends all traffic to the primary place while it is healthy; active-active to the nearest."""
    health_check_interval: Annotated[int, one_of(10, 30)] = Field(10, alias="dns:healthCheckInterval")
    """Seconds between two probes of a Route 53 checker: 10 or 30."""
    health_check_threshold: int = Field(3, alias="dns:healthCheckThreshold", ge=1, le=10)
    """Failed probes in a row until a health check is unhealthy."""
    engine_version: str | None = Field(None, alias="database:engineVersion")
    """Full version for new members; by default a pinned one. See docs/runbooks/upgrade-database.md."""
    min_capacity: float = Field(0.5, alias="database:minCapacity", ge=0.5, le=256, multiple_of=0.5)
    """Aurora capacity units. Zero never pauses in a global database [AURORA-12], so it is not offered."""
    max_capacity: float = Field(4, alias="database:maxCapacity", ge=1, le=256, multiple_of=0.5)
    """Aurora capacity units that each member may grow to."""

    flags: Flags = Field("instant-payments=off", alias="parameters:flags")
    """Feature flags that the environment starts with: name=on or name=off, with commas between."""
    backup_retention_days: int = Field(7, alias="backup:retentionDays", ge=1)
    """Days that backups and their copies are kept."""

    @property
    def database_version(self) -> str:
        return self.engine_version or DATABASE_VERSIONS[self.engine]

    @property
    def feature_flags(self) -> dict[str, bool]:
        pairs = (each.split("=") for each in self.flags.split(",") if each)
        return {name: state == "on" for name, state in pairs}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.max_capacity < self.min_capacity:
            raise ValueError(
                f"database:maxCapacity is {self.max_capacity:g}, below database:minCapacity "
                f"{self.min_capacity:g}; raise it"
            )
        return self


Model = TypeVar("Model", bound=EnvironmentSettings)
_STACK_MODELS: tuple[type[EnvironmentSettings], ...] = (RegionSettings, GlobalSettings)
_KNOWN = {str(field.alias) for each in _STACK_MODELS for field in each.model_fields.values()} | set(SECRETS)
SECTIONS = frozenset(key.partition(":")[0] for key in _KNOWN)
"""Configuration namespaces that are ours; `aws:` and `pulumi:` are not."""


def file_of(folder: str, environment: str) -> str:
    """The settings file of a stack as messages name it, from the folder of its program."""
    return f"stacks/{folder}/Pulumi.{environment}.yaml"


def load(model: type[Model], config: Mapping[str, str], *, stack: str, source: str = "") -> Model:
    """Check `config` (`section:name` to text) against `model`; environment and suffix default to the stack's name.

    Raises SettingsError with every problem, one a line, each with `source`, the file to change. A key of another of the
    three stacks is ignored, so that one settings file can serve all three.
    """
    source = source or f"Pulumi.{stack}.yaml"
    ours = {key: value for key, value in config.items() if key.partition(":")[0] in SECTIONS}
    problems = [
        f"{key} is not a setting of any stack; check its spelling ({source})" for key in sorted(set(ours) - _KNOWN)
    ]
    wanted = {field.alias for field in model.model_fields.values()}
    values: dict[str, Any] = {"dr:environment": stack, "dr:suffix": stack}
    values |= {key: value for key, value in ours.items() if key in wanted}
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        problems += [_sentence(dict(each), values, source) for each in error.errors()]
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _sentence(error: dict[str, Any], values: Mapping[str, Any], source: str) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return f"{message} ({source})"
    key = str(error["loc"][0])
    return f"{key} is {values.get(key)}; {message[0].lower()}{message[1:]} ({source})"
