"""Locates an environment without reading Pulumi state, so that it works while a region is down.

So nothing is asked but the settings of this checkout and who we are: every name follows from those (`shared.naming`).
In another account there is nothing of these names, which is said when the first of them is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.cli.errors import CouldNotStart
from ops.environment import settings
from ops.environment.caller import caller
from shared import deployment_search
from shared.aws_sessions import Sessions
from shared.deployment import DeploymentError
from shared.naming import Names
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class Environment:
    name: str
    names: Names
    regions: Mapping[Place, str]
    account: str = field(repr=False)
    sessions: Sessions = field(repr=False)

    def region(self, place: Place) -> str:
        return self.regions[place]

    def client(self, service: str, place: Place) -> Any:
        return self.sessions.client(service, self.regions[place])

    def place_of(self, region: str) -> Place:
        """The place that is meant by a region's name or the place's own. Raises CouldNotStart for another one."""
        for place, each in self.regions.items():
            if region in (each, str(place)):
                return place
        known = " and ".join(f"{each} ({place})" for place, each in self.regions.items())
        raise CouldNotStart(f"{region} is no region of {self.name}; it is in {known}")


def environment(name: str, *, local: bool, lost: str = "") -> Environment:
    """The environment on AWS, or the one that runs on this machine. Raises CouldNotStart, DeploymentError.

    AWS is asked who asks in the region that is not `lost`, a region or a place; in the other one if that is silent.
    """
    found = settings.read(name)
    in_secondary = lost in (found.secondary_region, Place.SECONDARY)
    first = Place.PRIMARY if in_secondary else Place.SECONDARY
    if local:
        return _on_this_machine(name, first)
    try:
        who = caller(found.region(first))
    except CouldNotStart:
        if lost:
            raise
        who = caller(found.region(first.other))
    return Environment(
        name=name,
        names=found.names,
        regions={place: found.region(place) for place in Place},
        account=who.account,
        sessions=Sessions(),
    )


def _on_this_machine(name: str, first: Place) -> Environment:
    try:
        found = deployment_search.local(name, asked_at=first)
    except DeploymentError as error:
        if not isinstance(error.__cause__, BotoCoreError | ClientError):
            raise
        found = deployment_search.local(name, asked_at=first.other)
    return Environment(
        name=found.environment,
        names=Names(found.suffix),
        regions=found.regions,
        account=found.account,
        sessions=found.sessions,
    )
