"""`endpoints.json` of an embedded AWS to which somebody else deployed, such as the Pulumi CLI."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localaws.cli.running import Failed, Running
from localaws.core import endpoints_file

_READY_SECONDS = 120.0
_POLL_SECONDS = 0.5
_LOAD_BALANCER = re.compile(r"arn:aws:elasticloadbalancing:([a-z0-9-]+):\d+:loadbalancer/\w+/([^/]+)/\w+")


def record(directory: Path, outputs: Mapping[str, Any]) -> None:
    """Write the stacks' outputs, and what their addresses are here, to the file in `directory`, once all is up.

    Raises NotPossible if no embedded AWS runs there, Failed if load balancers and databases do not come up.
    """
    running = Running.in_directory(directory)
    deadline = time.monotonic() + _READY_SECONDS
    while found := missing(status := running.get("status"), outputs):
        if time.monotonic() > deadline:
            raise Failed(f"not ready after {_READY_SECONDS:g} s: {', '.join(found)}")
        time.sleep(_POLL_SECONDS)
    databases = {row["region"]: row["url"] for row in status.get("databases", [])}
    regions = {
        region: {**known, "postgres": databases.get(region)} for region, known in running.content["regions"].items()
    }
    content = {**running.content, "outputs": outputs, "addresses": running.get("addresses"), "regions": regions}
    endpoints_file.write(directory, content)


def missing(status: Mapping[str, Any], outputs: Mapping[str, Any]) -> list[str]:
    """The components that are not up yet: load balancers of a stack's outputs without a healthy target, and databases.

    A region that is lost has nothing to wait for.
    """
    missing = []
    lost = {region for region, each in status["regions"].items() if each["outage"]}
    for match in filter(None, map(_LOAD_BALANCER.fullmatch, endpoints_file.texts(outputs))):
        region, name = match.groups()
        if region in lost:
            continue
        states = [row["state"] for row in status["targets"] if (row["region"], row["load_balancer"]) == (region, name)]
        if not states or set(states) != {"healthy"}:
            missing.append(f"{name} in {region} ({', '.join(states) or 'no target'})")
    databases = [row for row in status.get("databases", []) if row["region"] not in lost]
    return missing + [f"database in {row['region']}" for row in databases if not row["running"]]
