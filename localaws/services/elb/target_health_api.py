"""Elastic Load Balancing's API: DescribeTargetHealth, and the defaults AWS gives a target group."""

from collections.abc import Callable, Sequence
from typing import Any

from localaws.services.api_model import Document, service_model, xml
from localaws.services.elb.deployed import Target, TargetGroup, snapshot
from localaws.services.elb.target_health import NOT_REGISTERED, TargetHealth

# Hosted zones of load balancer names by type and region
# (https://docs.aws.amazon.com/general/latest/gr/elb.html); other regions keep ministack's.
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


def describe(health: TargetHealth, group: str, wanted: list[dict[str, Any]]) -> str:
    """The members of DescribeTargetHealth: the targets that a request names, or all of the group."""
    deployed = snapshot()
    registered, settings = deployed.targets[group], deployed.target_groups[group]
    documents = []
    for target in [_target(registered, settings, one) for one in wanted] or registered:
        found = health.health(target) if target in registered else NOT_REGISTERED
        document: Document = {
            "Target": {"Id": target.id},
            "TargetHealth": {"State": found.state.value, "Reason": found.reason or None},
        }
        if found.reason:
            document["TargetHealth"]["Description"] = found.description
        if settings.target_type != "lambda":
            port = settings.health_check.port
            document["Target"]["Port"] = target.port
            document["HealthCheckPort"] = target.port if port == "traffic-port" else port
        documents.append(document)
    return xml(service_model("elbv2").shape_for("TargetHealthDescriptions"), documents)


def _target(registered: Sequence[Target], settings: TargetGroup, wanted: dict[str, Any]) -> Target:
    """The registered target with an id and maybe a port, or else one that is not registered."""
    for target in registered:
        if target.id == wanted["Id"] and wanted.get("Port", target.port) == target.port:
            return target
    return Target(settings.arn, wanted["Id"], int(wanted.get("Port", settings.port)))


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
