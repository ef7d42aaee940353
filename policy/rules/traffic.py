"""What moves traffic needs somewhere to move it: two regions behind the accelerator, real hosts behind checks (R3)."""

import re

from policy.rules.rows import Rows, label, look, of_type

LISTENER = "aws:globalaccelerator/listener:Listener"
GROUP = "aws:globalaccelerator/endpointGroup:EndpointGroup"
CHECK = "aws:route53/healthCheck:HealthCheck"
# Names that never lead anywhere (RFC 2606, RFC 6761), and what people write until they know better.
_PLACEHOLDER = re.compile(
    r"(^|\.)(example\.(com|net|org)|example|invalid|test|localhost|local)$|placeholder|change-?me|your-?domain|todo",
    re.I,
)
# An NLB behind an accelerator and a standby region: fewer regions cannot be failed over to.
REGIONS = 2


def lonely_listeners(rows: Rows) -> list[str]:
    """Listeners of the accelerator that fewer than two regions with endpoints stand behind."""
    violations = []
    for row in of_type(rows, LISTENER):
        groups = [each for each in of_type(rows, GROUP) if each["inputs"].get("listenerArn") == row["outputs"]["id"]]
        regions = {
            each["inputs"].get("endpointGroupRegion")
            for each in groups
            if any(found.value for found in look(each, "endpointConfigurations.endpointId"))
        }
        if len(regions) < REGIONS:
            there = ", ".join(sorted(map(str, regions))) or "no region"
            violations.append(f"{label(row)} leads to {there}; give it an endpoint group with endpoints in two regions")
    return violations


def idle_groups(rows: Rows) -> list[str]:
    """Endpoint groups that no traffic can reach, even when the other region is lost: without an endpoint, or with a
    weight of 0, which takes an endpoint out of failover [GA-1]."""
    violations = []
    for row in of_type(rows, GROUP):
        endpoints = look(row, "endpointConfigurations.endpointId")
        if not any(each.value for each in endpoints):
            violations.append(f"{label(row)} has no endpoint; give it its region's load balancer")
        violations += [
            f"{label(row)} gives {each.value} the weight 0; give it one above 0, or failover cannot use it"
            for each in endpoints
            if each.value and each.within[-1].get("weight") == 0
        ]
    return violations


def placeholder_hosts(rows: Rows) -> list[str]:
    """Health checks of a host that no one has: they would fail for ever, or pass for someone else's."""
    return [
        f"{label(row)} probes {host}, a placeholder; give the region's load balancer or API"
        for row in of_type(rows, CHECK)
        for host in [row["inputs"].get("fqdn")]
        if isinstance(host, str) and _PLACEHOLDER.search(host)
    ]


def checks_of_nothing(rows: Rows) -> list[str]:
    """Health checks that name neither a host, nor other checks, nor an alarm."""
    return [
        f"{label(row)} probes nothing; give it a host, the checks it sums up, or an alarm"
        for row in of_type(rows, CHECK)
        if not any(row["inputs"].get(key) for key in ("fqdn", "ipAddress", "childHealthchecks", "cloudwatchAlarmName"))
    ]
