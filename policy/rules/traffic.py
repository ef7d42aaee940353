"""Global Accelerator with endpoints in two regions, and Route 53 health checks with real targets (R3)."""

import re

from policy.rules.rows import Rows, label, of_type, values_at

LISTENER = "aws:globalaccelerator/listener:Listener"
GROUP = "aws:globalaccelerator/endpointGroup:EndpointGroup"
CHECK = "aws:route53/healthCheck:HealthCheck"
# Reserved names that never resolve (RFC 2606, RFC 6761), and common placeholders.
_PLACEHOLDER = re.compile(
    r"(^|\.)(example\.(com|net|org)|example|invalid|test|localhost|local)$|placeholder|change-?me|your-?domain|todo",
    re.I,
)
# Failover needs a region besides the one that serves.
MIN_REGIONS = 2


def listener_two_regions(rows: Rows) -> list[str]:
    """Accelerator listeners with endpoints in fewer than two regions."""
    violations = []
    for row in of_type(rows, LISTENER):
        groups = [each for each in of_type(rows, GROUP) if each["inputs"].get("listenerArn") == row["outputs"]["id"]]
        regions = {
            each["inputs"].get("endpointGroupRegion")
            for each in groups
            if any(found.value for found in values_at(each, "endpointConfigurations.endpointId"))
        }
        if len(regions) < MIN_REGIONS:
            there = ", ".join(sorted(map(str, regions))) or "no region"
            violations.append(f"{label(row)} has endpoints in {there}; add endpoint groups in two regions")
    return violations


def endpoint_required(rows: Rows) -> list[str]:
    """Endpoint groups that cannot receive traffic, even when the other region is lost: without an endpoint, or with a
    weight of 0, which excludes an endpoint from failover [GA-1]."""
    violations = []
    for row in of_type(rows, GROUP):
        endpoints = values_at(row, "endpointConfigurations.endpointId")
        if not any(each.value for each in endpoints):
            violations.append(f"{label(row)} has no endpoint; add its region's load balancer")
        violations += [
            f"{label(row)} gives {each.value} the weight 0, which excludes it from failover; set it above 0"
            for each in endpoints
            if each.value and each.within[-1].get("weight") == 0
        ]
    return violations


def placeholder_host(rows: Rows) -> list[str]:
    """Health checks of a placeholder host, which always fail, or pass for another owner's host."""
    return [
        f"{label(row)} probes {host}, a placeholder; use the region's load balancer or API"
        for row in of_type(rows, CHECK)
        for host in [row["inputs"].get("fqdn")]
        if isinstance(host, str) and _PLACEHOLDER.search(host)
    ]


def health_check_target_required(rows: Rows) -> list[str]:
    """Health checks without a host, child checks or an alarm."""
    return [
        f"{label(row)} has no target; give it a host, child health checks or an alarm"
        for row in of_type(rows, CHECK)
        if not any(row["inputs"].get(key) for key in ("fqdn", "ipAddress", "childHealthchecks", "cloudwatchAlarmName"))
    ]
