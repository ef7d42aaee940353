"""Locates an environment without reading Pulumi state, so that it works while a region is down.

Every name follows from this checkout's settings and the caller's account (`shared.naming`). In another account none of
these names exists, and the first call that uses one fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.environment import settings
from ops.environment.aws import caller
from shared.aws_sessions import Sessions
from shared.command_line import CouldNotStart
from shared.deployment_search import local_access
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
        """The place of a region, given by its name or by the place's own. Raises CouldNotStart for another one."""
        return settings.place_of(region, self.regions, self.name)

    def named(self, place: Place) -> str:
        """A region with its place, for messages."""
        return f"{self.regions[place]} ({place})"


def environment(name: str, *, local: bool, lost: str = "") -> Environment:
    """The environment on AWS, or the one that runs on this machine. Raises CouldNotStart, DeploymentError.

    On this machine only the endpoint differs.

    The caller is identified in the region that is not `lost` (a region or a place); without `lost`, in the other region
    if the first one does not answer.
    """
    found = settings.read(name)
    in_secondary = lost in (found.secondary_region, Place.SECONDARY)
    first = Place.PRIMARY if in_secondary else Place.SECONDARY
    sessions = Sessions(local_access(name) if local else None)
    try:
        identity = caller(found.region(first), sessions)
    except CouldNotStart:
        if lost:
            raise
        identity = caller(found.region(first.other), sessions)
    return Environment(
        name=name,
        names=found.names,
        regions={place: found.region(place) for place in Place},
        account=identity.account,
        sessions=sessions,
    )
