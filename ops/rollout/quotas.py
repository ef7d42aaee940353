"""The AWS quotas that one region of an environment needs room in, counted from its settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ops.environment.aws import Client, pages
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class Quota:
    """`used` counts what there is; `needed` what one region of the environment adds."""

    name: str
    service: str  # as Service Quotas calls it
    code: str
    used: Callable[[Client, str], int]
    needed: Callable[[RegionSettings], int]


@dataclass(frozen=True, kw_only=True)
class Room:
    name: str
    region: str
    limit: int
    used: int
    needed: int
    service: str
    code: str

    @property
    def enough(self) -> bool:
        return self.used + self.needed <= self.limit

    @property
    def remedy(self) -> str:
        wanted = self.used + self.needed
        return (
            f"aws service-quotas request-service-quota-increase --service-code {self.service} "
            f"--quota-code {self.code} --desired-value {wanted} --region {self.region}"
        )


def _nat_gateways(settings: RegionSettings) -> int:
    return {"per-zone": settings.zones, "one": 1, "none": 0}[settings.nat]


def _count(service: str, operation: str, key: str, **asked: Any) -> Callable[[Client, str], int]:
    return lambda client, region: len(pages(client(service, region), operation, key, **asked))


def _balancers(kind: str) -> Callable[[Client, str], int]:
    def used(client: Client, region: str) -> int:
        found = pages(client("elbv2", region), "describe_load_balancers", "LoadBalancers")
        return sum(each["Type"] == kind for each in found)

    return used


def _nothing(_: Client, __: str) -> int:
    return 0


# New accounts may have as few as 10 concurrent executions, which all share. Lambda refuses a reservation that leaves
# fewer than 100 to all functions without one [LAMBDA-4].
CONCURRENCY = 100

QUOTAS = (
    Quota(
        name="VPCs",
        service="vpc",
        code="L-F678F1CE",
        used=_count("ec2", "describe_vpcs", "Vpcs"),
        needed=lambda _: 1,
    ),
    Quota(
        name="Elastic IP addresses",
        service="ec2",
        code="L-0263D0A3",
        used=_count("ec2", "describe_addresses", "Addresses"),
        needed=_nat_gateways,
    ),
    Quota(
        name="Network Load Balancers",
        service="elasticloadbalancing",
        code="L-69A177A2",
        used=_balancers("network"),
        needed=lambda _: 1,
    ),
    Quota(
        name="Application Load Balancers",
        service="elasticloadbalancing",
        code="L-53DA6B97",
        used=_balancers("application"),
        needed=lambda _: 1,
    ),
    Quota(
        name="Aurora clusters",
        service="rds",
        code="L-952B80B8",
        used=_count("rds", "describe_db_clusters", "DBClusters"),
        needed=lambda _: 1,
    ),
    Quota(
        name="concurrent executions of Lambda",
        service="lambda",
        code="L-B99A9384",
        used=_nothing,
        needed=lambda settings: CONCURRENCY + (settings.health_concurrency or 0),
    ),
)


def room(client: Client, region: str, settings: RegionSettings) -> list[Room]:
    """What each quota leaves in `region`. Raises ClientError where Service Quotas may not be asked."""
    return [_room(client, region, settings, quota) for quota in QUOTAS if quota.needed(settings)]


def _room(client: Client, region: str, settings: RegionSettings, quota: Quota) -> Room:
    asked = client("service-quotas", region)
    found = asked.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]
    return Room(
        name=quota.name,
        region=region,
        limit=int(found["Value"]),
        used=quota.used(client, region),
        needed=quota.needed(settings),
        service=quota.service,
        code=quota.code,
    )
