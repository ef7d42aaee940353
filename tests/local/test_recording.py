"""`localaws record`: the components that it waits for, before it writes the endpoints of a Pulumi deployment."""

from typing import Any

import pytest

from localaws.cli.recording import missing

ARN = "arn:aws:elasticloadbalancing:{region}:000000000000:loadbalancer/net/nlb-{region}/1"
OUTPUTS = {region: {"ingress": {"nlb_arn": ARN.format(region=region)}} for region in ("us-east-1", "us-east-2")}


def status(*, lost: str = "", unhealthy: str = "", stopped: str = "") -> dict[str, Any]:
    regions = ("us-east-1", "us-east-2")
    return {
        "regions": {each: {"outage": {"kind": "error"} if each == lost else None} for each in regions},
        "targets": [
            {"region": each, "load_balancer": f"nlb-{each}", "state": "unhealthy" if each == unhealthy else "healthy"}
            for each in regions
        ],
        "databases": [{"region": each, "running": each != stopped} for each in regions],
    }


def test_a_deployment_is_up_once_targets_and_databases_are() -> None:
    assert missing(status(), OUTPUTS) == []
    assert missing(status(unhealthy="us-east-1"), OUTPUTS) == ["nlb-us-east-1 in us-east-1 (unhealthy)"]
    assert missing(status(stopped="us-east-2"), OUTPUTS) == ["database in us-east-2"]


@pytest.mark.parametrize("what", ["unhealthy", "stopped"])
def test_nothing_is_waited_for_in_a_region_that_is_lost(what: str) -> None:
    assert missing(status(lost="us-east-1", **{what: "us-east-1"}), OUTPUTS) == []
    assert missing(status(lost="us-east-1", **{what: "us-east-2"}), OUTPUTS)
