"""`python -m ops doctor`: whether this machine and this account can deploy an environment; what is
wrong, and the remedy.

Looks only. Exit status 0 when nothing is wrong, 1 when something is; what cannot be known is a warning.
"""

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.cli.errors import CouldNotStart
from ops.cli.options import Environment
from ops.environment import settings
from ops.environment.caller import caller, shown
from ops.rollout import pulumi_cli, quotas
from shared.aws_sessions import Sessions
from shared.places import Place
from shared.pulumi_cli import PulumiError, stack_outputs
from shared.settings import GlobalSettings, RegionSettings

OLDEST_PYTHON = (3, 11)


class State(StrEnum):
    RIGHT = "right"
    UNKNOWN = "unknown"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    state: State
    what: str
    remedy: str = ""


_COLOURS = {State.RIGHT: "green", State.UNKNOWN: "yellow", State.WRONG: "red"}


def doctor(env: Environment = "dev") -> None:
    """Check this machine and the AWS account for deployment problems, and print the remedies."""
    found = list(findings(env))
    table = Table("", "", "to mend it", box=None, pad_edge=False, header_style="bold")
    for each in found:
        table.add_row(Text(each.state, style=_COLOURS[each.state]), Text(each.what), Text(each.remedy, overflow="fold"))
    Console().print(table)
    wrong = sum(each.state is State.WRONG for each in found)
    typer.echo(f"{wrong} wrong" if wrong else f"{env} can be deployed from here")
    raise typer.Exit(1 if wrong else 0)


def findings(env: str) -> Iterator[Finding]:
    """Every finding; what depends on something that is missing is left out."""
    yield python_version(sys.version_info[:2])
    cli = _cli()
    yield cli
    found, told = _settings(env)
    yield told
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
    """The CLI must be as new as the SDK: an older one asks a lost region even for what is not targeted
    [PULUMI-5]."""
    wanted = importlib.metadata.version("pulumi")
    try:
        said = pulumi_cli.ask("global", ["version"]).strip()
    except CouldNotStart as error:
        return Finding(State.WRONG, "no Pulumi CLI that works", str(error))
    if not re.fullmatch(r"v?\d+\.\d+\.\d+.*", said):
        return Finding(State.UNKNOWN, f"the Pulumi CLI calls itself {said[:40]!r}", f"version {wanted} is needed")
    if _numbers(said) < _numbers(wanted):
        return Finding(
            State.WRONG, f"Pulumi CLI {said} is older than the SDK {wanted}", f"install it: {pulumi_cli.LINK}"
        )
    return Finding(State.RIGHT, f"Pulumi CLI {said}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])


def _settings(env: str) -> tuple[GlobalSettings | None, Finding]:
    try:
        found = settings.read(env)
    except CouldNotStart as error:
        return None, Finding(State.WRONG, f"settings of {env}", str(error))
    return found, Finding(State.RIGHT, f"settings of {env}: {found.primary_region} and {found.secondary_region}")


def _backend(found: GlobalSettings | None) -> Iterator[Finding]:
    """Where the state lives, and whether it survives the primary region (docs/runbooks/state.md)."""
    try:
        url = str(json.loads(pulumi_cli.ask("global", ["whoami", "--json"]))["url"])
    except (CouldNotStart, ValueError, KeyError) as error:
        yield Finding(State.WRONG, "the Pulumi CLI is not logged in", f"pulumi login, or make init; {error}"[:300])
        return
    yield state_survives(url, found.primary_region if found else "")


def state_survives(url: str, primary_region: str) -> Finding:
    """Judges a backend by its URL."""
    what, remedy = f"state in {url.partition('?')[0]}", "docs/runbooks/state.md says how to move it"
    if url.startswith("file:"):
        return Finding(State.UNKNOWN, f"{what}: on this machine alone", remedy)
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
        yield Finding(State.RIGHT, f"account {shown(who.account)} as {who.name} in {region}")
    if not found.create_zone:
        yield _zone(sessions, found)
    for place in Place:
        try:
            yield _enabled(sessions, found.region(place))
            given = settings.read_region(env, place)
            yield from _quotas(sessions, given, place, deployed=with_cli and _deployed(place, env))
        except (ClientError, BotoCoreError) as error:
            yield Finding(
                State.UNKNOWN,
                f"{found.region(place)} could not be looked at whole: {error}",
                "allow ec2:Describe*, rds:Describe*, elasticloadbalancing:Describe*, servicequotas:GetServiceQuota",
            )


def _zone(sessions: Sessions, found: GlobalSettings) -> Finding:
    """The programs look an existing zone up by its name; certificates are issued for it only where it is public."""
    wanted = f"{found.hosted_zone}."
    try:
        zones = sessions.client("route53", found.secondary_region).list_hosted_zones_by_name(DNSName=wanted)
    except (ClientError, BotoCoreError) as error:
        return Finding(State.UNKNOWN, f"zone {found.hosted_zone}: {error}", "allow route53:ListHostedZonesByName")
    if any(each["Name"] == wanted and not each["Config"]["PrivateZone"] for each in zones["HostedZones"]):
        return Finding(State.RIGHT, f"zone {found.hosted_zone} is there")
    return Finding(
        State.WRONG, f"no public zone {found.hosted_zone}", "create and delegate it, or take dns:createZone: false away"
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
        return False  # not logged in, or no such stack yet: said above, or made by init


def _quotas(sessions: Sessions, found: RegionSettings, place: Place, *, deployed: bool) -> Iterator[Finding]:
    region = found.region(place)
    if deployed:
        yield Finding(State.RIGHT, f"quotas in {region}: {found.environment} is deployed there already")
        return
    for each in quotas.room(sessions.client, region, found):
        words = f"{each.name} in {region}: {each.needed} needed, {each.used} of {each.limit} used"
        yield Finding(State.RIGHT, words) if each.enough else Finding(State.WRONG, words, each.remedy)
