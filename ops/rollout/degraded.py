"""Selects the `global` resources that can be deployed without calling the lost region.

Computed from the stack's own state (`pulumi stack export`), without calls to AWS. The plan lists targets, not
exceptions: a resource that is new in the program is then not planned either, in whichever region
(https://www.pulumi.com/docs/iac/guides/basics/targeted-updates/).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.command_line import CouldNotStart
from shared.places import Place
from shared.settings import GlobalSettings

_PROVIDER = "pulumi:providers:"
_READ = "pulumi:pulumi:StackReference"
_ARN_PARTS = 6  # arn:partition:service:region:account:resource

CONTROL_PLANES = {"aws:iam/": "us-east-1", "aws:route53/": "us-east-1", "aws:globalaccelerator/": "us-west-2"}
"""Type prefixes of global services, whose control plane is in one region, whatever region their provider has (AWS Fault
Isolation Boundaries, "Global services")."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    lost: str
    targets: Sequence[str]  # URNs
    excluded: Mapping[str, str]  # URN to why

    @property
    def summary(self) -> str:
        """The excluded resources with the reasons."""
        left_out = [f"  {urn.rpartition('::')[2]}: {why}" for urn, why in sorted(self.excluded.items())]
        return "\n".join(
            [
                f"{self.lost} is excluded: {len(self.targets)} resources are planned, {len(left_out)} are not:",
                *left_out,
            ]
        )


def plan(exported: str, settings: GlobalSettings, excluded_place: Place) -> Plan:
    """From `pulumi stack export`. Raises CouldNotStart where the program cannot run without the excluded region."""
    lost = settings.region(excluded_place)
    if not settings.create_zone and lost == settings.primary_region:
        raise CouldNotStart(
            f"the program looks up the zone {settings.hosted_zone} in Route 53, whose control plane is in "
            f"{lost}; nothing of global can be planned while that region is lost (docs/runbooks/state.md)"
        )
    resources = _resources(exported)
    excluded = _excluded(resources, lost)
    targets = [urn for urn, each in resources.items() if _is_planned(each) and urn not in excluded]
    if not targets:
        raise CouldNotStart(f"every resource of global needs {lost}; nothing can be planned without it")
    shown = {urn: why for urn, why in excluded.items() if _is_planned(resources[urn])}
    return Plan(lost=lost, targets=targets, excluded=shown)


def _resources(exported: str) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(exported)["deployment"].get("resources") or []
    except (ValueError, KeyError, AttributeError) as error:
        raise CouldNotStart(f"the exported state of global cannot be read: {error!r}") from error
    if pending := [each["urn"] for each in found if each.get("pendingReplacement") or each.get("delete")]:
        raise CouldNotStart(f"an earlier run left {', '.join(pending)} half replaced; finish that first")
    return {each["urn"]: each for each in found}


def _excluded(resources: Mapping[str, dict[str, Any]], lost: str) -> dict[str, str]:
    excluded = {urn: why for urn, each in resources.items() if (why := _needs(each, resources, lost))}
    grown = True
    while grown:
        grown = False
        for urn, each in resources.items():
            if urn in excluded or not each.get("custom"):
                continue
            if needed := next((other for other in _dependencies(each) if other in excluded), None):
                excluded[urn] = f"depends on {needed.rpartition('::')[2]}"
                grown = True
    return excluded


def _needs(resource: Mapping[str, Any], resources: Mapping[str, dict[str, Any]], lost: str) -> str | None:
    """The reason that the resource cannot be deployed without the lost region; None if it can."""
    if _is_provider(resource):
        return f"provider of {lost}" if resource.get("inputs", {}).get("region") == lost else None
    kind = str(resource.get("type", ""))
    if lost in (region for prefix, region in CONTROL_PLANES.items() if kind.startswith(prefix)):
        return f"is changed in {lost}"
    provider = resources.get(_urn_of(resource.get("provider", "")), {})
    if provider.get("inputs", {}).get("region") == lost:
        return f"made through a provider of {lost}"
    # A replica, a member or a copy: its provider calls the other region too.
    if any(_names(value, lost) for value in _texts(resource.get("inputs", {}))):
        return f"names something in {lost}"
    return None


def _names(value: str, region: str) -> bool:
    parts = value.split(":", _ARN_PARTS - 1)
    return value == region or (len(parts) == _ARN_PARTS and parts[0] == "arn" and parts[3] == region)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _dependencies(resource: Mapping[str, Any]) -> Iterator[str]:
    yield from resource.get("dependencies") or []
    yield _urn_of(resource.get("provider", ""))


def _urn_of(reference: str) -> str:
    """The URN in a provider reference, which is URN and id."""
    return reference.rpartition("::")[0]


def _is_planned(resource: Mapping[str, Any]) -> bool:
    return bool(resource.get("custom")) and not _is_provider(resource) and resource.get("type") != _READ


def _is_provider(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("type", "")).startswith(_PROVIDER)
