"""`dr doctor`: checks whether this machine and this account can deploy an environment. Read-only.

Exits with 1 if a check failed. What cannot be determined is a warning.
"""

import importlib.metadata
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.environment import settings
from ops.environment.aws import Client, caller, masked, pages
from ops.rollout import pulumi_cli, services
from ops.rollout.finding import Finding, State
from shared.aws_sessions import Sessions
from shared.command_line import CouldNotStart, EnvOption
from shared.concurrency import LEAST_LIMIT, reserves
from shared.places import Place
from shared.pulumi_cli import PulumiError, stack_outputs
from shared.settings import GlobalSettings, RegionSettings

OLDEST_PYTHON = (3, 11)


_COLOURS = {State.RIGHT: "green", State.UNKNOWN: "yellow", State.WRONG: "red"}


def doctor(env: EnvOption = "dev") -> None:
    """Check whether an environment can be deployed from here.

    Lists problems of this machine and of the AWS account, with their remedies.
    """
    found = list(findings(env))
    table = Table("", "check", "remedy", box=None, pad_edge=False, header_style="bold")
    for each in found:
        table.add_row(Text(each.state, style=_COLOURS[each.state]), Text(each.what), Text(each.remedy, overflow="fold"))
    Console().print(table)
    wrong = sum(each.state is State.WRONG for each in found)
    typer.echo(f"{wrong} wrong" if wrong else f"{env} can be deployed from here")
    raise typer.Exit(1 if wrong else 0)


def findings(env: str) -> Iterator[Finding]:
    """Every finding; checks that depend on something missing are left out."""
    yield python_version(sys.version_info[:2])
    cli = _cli()
    yield cli
    found, finding = _settings(env)
    yield finding
    if cli.state is not State.WRONG:
        yield from _backend(found)
    if found:
        yield from _account(found, env, with_cli=cli.state is not State.WRONG)


def python_version(version: tuple[int, ...]) -> Finding:
    words = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Finding(State.WRONG, f"Python {words} is too old", "install Python 3.11 or later, or make PYTHON=...")
    return Finding(State.RIGHT, f"Python {words}")


def _cli() -> Finding:
    """The CLI must be as new as the SDK: an older one calls a lost region even for resources that are not targeted
    [PULUMI-5]."""
    wanted = importlib.metadata.version("pulumi")
    try:
        version = pulumi_cli.output("global", ["version"]).strip()
    except CouldNotStart as error:
        return Finding(State.WRONG, "no working Pulumi CLI", str(error))
    if not re.fullmatch(r"v?\d+\.\d+\.\d+.*", version):
        return Finding(State.UNKNOWN, f"the Pulumi CLI reports version {version[:40]!r}", f"version {wanted} is needed")
    if _numbers(version) < _numbers(wanted):
        return Finding(
            State.WRONG, f"Pulumi CLI {version} is older than the SDK {wanted}", f"install it: {pulumi_cli.LINK}"
        )
    return Finding(State.RIGHT, f"Pulumi CLI {version}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])


def _settings(env: str) -> tuple[GlobalSettings | None, Finding]:
    try:
        found = settings.read(env)
    except CouldNotStart as error:
        return None, Finding(State.WRONG, f"settings of {env}", str(error))
    return found, Finding(State.RIGHT, f"settings of {env}: {found.primary_region} and {found.secondary_region}")


def _backend(found: GlobalSettings | None) -> Iterator[Finding]:
    """The location of the state, and whether it survives the loss of the primary region (docs/runbooks/state.md)."""
    try:
        url = str(json.loads(pulumi_cli.output("global", ["whoami", "--json"]))["url"])
    except (CouldNotStart, ValueError, KeyError) as error:
        yield Finding(State.WRONG, "the Pulumi CLI is not logged in", f"pulumi login, or make init; {error}"[:300])
        return
    yield state_survives(url, found.primary_region if found else "")


def state_survives(url: str, primary_region: str) -> Finding:
    """Judges a backend by its URL."""
    what, remedy = f"state in {url.partition('?')[0]}", "docs/runbooks/state.md describes how to move it"
    if url.startswith("file:"):
        return Finding(State.UNKNOWN, f"{what}: on this machine only", remedy)
    if url.startswith("s3:"):
        region = parse_qs(urlsplit(url).query).get("region", [""])[0]
        if not region:
            return Finding(State.UNKNOWN, f"{what}: its region is not named", "name it: s3://bucket?region=...")
        if region == primary_region:
            return Finding(State.UNKNOWN, f"{what}: lost together with {region}", remedy)
    return Finding(State.RIGHT, what)


def _account(found: GlobalSettings, env: str, *, with_cli: bool) -> Iterator[Finding]:
    sessions = Sessions()
    for place in Place:
        region = found.region(place)
        try:
            who = caller(region)
        except CouldNotStart as error:
            yield Finding(State.WRONG, f"credentials in {region}", str(error))
            return
        yield Finding(State.RIGHT, f"account {masked(who.account)} as {who.name} in {region}")
    if not found.create_zone:
        yield _zone(sessions, found)
    for place in Place:
        try:
            yield _enabled(sessions, found.region(place))
            given = settings.read_region(env, place)
            deployed = with_cli and _deployed(place, env)
            yield from _quotas(sessions, given, place, deployed=deployed)
            yield from services.findings(sessions.client, found, place, deployed=deployed)
        except (ClientError, BotoCoreError) as error:
            yield Finding(
                State.UNKNOWN,
                f"{found.region(place)} could not be checked completely: {error}",
                "allow ec2:Describe*, rds:Describe*, elasticloadbalancing:Describe*, servicequotas:GetServiceQuota, "
                "backup:DescribeRegionSettings",
            )


def _zone(sessions: Sessions, found: GlobalSettings) -> Finding:
    """The programs look up an existing zone by its name; certificates are issued for public zones only."""
    wanted = f"{found.hosted_zone}."
    try:
        zones = sessions.client("route53", found.secondary_region).list_hosted_zones_by_name(DNSName=wanted)
    except (ClientError, BotoCoreError) as error:
        return Finding(State.UNKNOWN, f"zone {found.hosted_zone}: {error}", "allow route53:ListHostedZonesByName")
    if any(each["Name"] == wanted and not each["Config"]["PrivateZone"] for each in zones["HostedZones"]):
        return Finding(State.RIGHT, f"zone {found.hosted_zone} exists")
    return Finding(
        State.WRONG, f"no public zone {found.hosted_zone}", "create and delegate it, or remove dns:createZone: false"
    )


def _enabled(sessions: Sessions, region: str) -> Finding:
    found = sessions.client("ec2", region).describe_regions(RegionNames=[region], AllRegions=True)["Regions"]
    status = found[0].get("OptInStatus", "opt-in-not-required")
    if status == "not-opted-in":
        return Finding(State.WRONG, f"{region} is not enabled", f"aws account enable-region --region-name {region}")
    return Finding(State.RIGHT, f"{region} is enabled")


def _deployed(place: Place, env: str) -> bool:
    try:
        return bool(stack_outputs(place, env))
    except PulumiError:
        return False  # not logged in: a finding of its own; or no such stack yet: `init` creates it


def _quotas(sessions: Sessions, found: RegionSettings, place: Place, *, deployed: bool) -> Iterator[Finding]:
    region = found.region(place)
    if not reserves(found.lambda_concurrency):
        words = (
            f"functions:accountConcurrency is {found.lambda_concurrency} in {region}: overload can starve health checks"
        )
        yield Finding(State.UNKNOWN, words, f"request a quota of {LEAST_LIMIT} or more, and set it (docs/quotas.md)")
    if deployed:
        yield Finding(State.RIGHT, f"quotas in {region}: {found.environment} is deployed there")
        return
    for each in room(sessions.client, region, found):
        words = f"{each.name} in {region}: {each.needed} needed, {each.used} of {each.limit} used"
        yield Finding(State.RIGHT, words) if each.enough else Finding(State.WRONG, words, each.remedy)


# Service quotas that one region of an environment needs room in, computed from its settings.


@dataclass(frozen=True)
class Quota:
    """`used` counts what exists; `needed`, what one region of the environment adds."""

    name: str
    service: str  # its code in Service Quotas
    code: str
    used: Callable[[Client, str], int]
    needed: Callable[[RegionSettings], int]
    otherwise: str = ""  # what to do instead of requesting an increase


@dataclass(frozen=True, kw_only=True)
class Room:
    name: str
    region: str
    limit: int
    used: int
    needed: int
    service: str
    code: str
    otherwise: str = ""

    @property
    def enough(self) -> bool:
        return self.used + self.needed <= self.limit

    @property
    def remedy(self) -> str:
        wanted = self.used + self.needed
        return (
            f"aws service-quotas request-service-quota-increase --service-code {self.service} "
            f"--quota-code {self.code} --desired-value {wanted} --region {self.region} {self.otherwise}"
        ).rstrip()


def _nat_gateways(settings: RegionSettings) -> int:
    return {"per-zone": settings.zones, "one": 1, "none": 0}[settings.nat]


def _count(service: str, operation: str, key: str, **parameters: Any) -> Callable[[Client, str], int]:
    return lambda client, region: len(pages(client(service, region), operation, key, **parameters))


def _balancers(kind: str) -> Callable[[Client, str], int]:
    def used(client: Client, region: str) -> int:
        found = pages(client("elbv2", region), "describe_load_balancers", "LoadBalancers")
        return sum(each["Type"] == kind for each in found)

    return used


def _reserved(client: Client, region: str) -> int:
    """Concurrent executions that the account's functions have reserved."""
    limits = client("lambda", region).get_account_settings()["AccountLimit"]
    return int(limits["ConcurrentExecutions"] - limits["UnreservedConcurrentExecutions"])


QUOTAS = (
    Quota("VPCs", "vpc", "L-F678F1CE", used=_count("ec2", "describe_vpcs", "Vpcs"), needed=lambda _: 1),
    Quota(
        "Elastic IP addresses",
        "ec2",
        "L-0263D0A3",
        used=_count("ec2", "describe_addresses", "Addresses"),
        needed=_nat_gateways,
    ),
    Quota(
        "Network Load Balancers", "elasticloadbalancing", "L-69A177A2", used=_balancers("network"), needed=lambda _: 1
    ),
    Quota(
        "Application Load Balancers",
        "elasticloadbalancing",
        "L-53DA6B97",
        used=_balancers("application"),
        needed=lambda _: 1,
    ),
    Quota(
        "Aurora clusters",
        "rds",
        "L-952B80B8",
        used=_count("rds", "describe_db_clusters", "DBClusters"),
        needed=lambda _: 1,
    ),
    Quota(
        "concurrent executions of Lambda",
        "lambda",
        "L-B99A9384",
        used=_reserved,
        needed=lambda settings: settings.lambda_concurrency,
        otherwise="or set functions:accountConcurrency to what is free; below 250 nothing is reserved (docs/quotas.md)",
    ),
)


def room(client: Client, region: str, settings: RegionSettings) -> list[Room]:
    """The remainder of each quota in `region`. Raises ClientError without permission for Service Quotas."""
    return [_room(client, region, settings, quota) for quota in QUOTAS if quota.needed(settings)]


def _room(client: Client, region: str, settings: RegionSettings, quota: Quota) -> Room:
    found = client("service-quotas", region).get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]
    return Room(
        name=quota.name,
        region=region,
        limit=int(found["Value"]),
        used=quota.used(client, region),
        needed=quota.needed(settings),
        service=quota.service,
        code=quota.code,
        otherwise=quota.otherwise,
    )
