"""What every run begins with, wherever its environment is: the limits that are deployed there, and a first look."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from drill import probes
from drill.limits import Limits
from drill.probes import ProbeError
from drill.runner import CouldNotStart
from drill.site import Site
from shared.outputs import PlainRegionOutputs
from shared.places import Place


class Watch(Protocol):
    def status(self) -> Awaitable[probes.Status]:
        """Raises ProbeError."""


def deployed_limits(site: Site, cell: Callable[[Place], PlainRegionOutputs]) -> Limits:
    """From the health checks as they are deployed; `cell` gives a region's outputs. Raises CouldNotStart."""
    checks = []
    for place in Place:
        outputs = cell(place)
        try:
            client = site.client("elbv2", place)
            checks.append(probes.health_settings(client, outputs.target_group_arn, outputs.region))
        except (BotoCoreError, ClientError) as error:
            raise CouldNotStart(f"the health check deployed in {outputs.region} cannot be read: {error}") from error
    return Limits(checks=tuple(checks), speed=site.speed)


async def first_look(watched: Watch) -> probes.Status:
    """Before anything is changed. Raises CouldNotStart."""
    try:
        return await watched.status()
    except ProbeError as error:
        raise CouldNotStart(str(error)) from error
