"""What Elastic Load Balancing's API says of targets, and the defaults AWS gives a target group."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from localaws.services.elb.deployed import Target, snapshot
from localaws.services.elb.target_health import NOT_REGISTERED, TargetHealth

# Hosted zones of load balancer names by type and region
# (https://docs.aws.amazon.com/general/latest/gr/elb.html); other regions keep what ministack answers.
CANONICAL_ZONES = {
    ("application", "us-east-1"): "Z35SXDOTRQ7X7K",
    ("application", "us-east-2"): "Z3AADJGX6KTTL2",
    ("application", "us-west-1"): "Z368ELLRRE2KJ0",
    ("application", "us-west-2"): "Z1H1FL5HABSF5",
    ("network", "us-east-1"): "Z26RNL4JYFTOTI",
    ("network", "us-east-2"): "ZLMOA37VPKANP",
    ("network", "us-west-1"): "Z24FKFUX50B4VW",
    ("network", "us-west-2"): "Z18D5FSROUN65G",
}


def described(health: TargetHealth, group: str, asked: list[dict[str, Any]]) -> str:
    """The members of DescribeTargetHealth: all targets of a group, or those asked for."""
    deployed = snapshot()
    registered = deployed.targets[group]
    check = deployed.target_groups[group].health_check
    if asked:
        wanted = [
            next(
                (
                    target
                    for target in registered
                    if target.id == one["Id"] and one.get("Port", target.port) == target.port
                ),
                Target(group, one["Id"], int(one.get("Port", deployed.target_groups[group].port))),
            )
            for one in asked
        ]
    else:
        wanted = list(registered)
    members = []
    for target in wanted:
        found = health.health(target) if target in registered else NOT_REGISTERED
        member = Element("member")
        shown = SubElement(member, "Target")
        SubElement(shown, "Id").text = target.id
        if deployed.target_groups[group].target_type != "lambda":
            SubElement(shown, "Port").text = str(target.port)
            SubElement(member, "HealthCheckPort").text = (
                str(target.port) if check.port == "traffic-port" else check.port
            )
        state = SubElement(member, "TargetHealth")
        SubElement(state, "State").text = found.state.value
        if found.reason:
            SubElement(state, "Reason").text = found.reason
            SubElement(state, "Description").text = found.description
        members.append(tostring(member, encoding="unicode"))
    return "".join(members)


def target_group_defaults(given: Callable[[str], str]) -> dict[str, str]:
    """Health check settings of CreateTargetGroup that were not given (API ElasticLoadBalancingv2.CreateTargetGroup)."""
    lambda_function = given("TargetType") == "lambda"
    protocol = given("Protocol")
    network = protocol in ("TCP", "TLS", "UDP", "TCP_UDP")
    checked_by = given("HealthCheckProtocol") or ("TCP" if network else "HTTP")
    if lambda_function:
        return {
            "HealthCheckEnabled": "false",
            "HealthCheckIntervalSeconds": "35",
            "HealthCheckTimeoutSeconds": "30",
            "UnhealthyThresholdCount": "5",
        }
    return {
        "HealthCheckProtocol": checked_by,
        "HealthCheckTimeoutSeconds": "6" if network and checked_by == "HTTP" else "10" if network else "5",
        "Matcher.HttpCode": "200-399" if network else "200",
    }
