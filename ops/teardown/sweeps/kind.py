"""What a sweep is told, and what it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ops.environment.aws import Client
from shared.naming import Names
from shared.places import Place

"""From boto3's name of a service and a region to a client."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One region of the environment to be swept."""

    names: Names
    place: Place
    region: str
    vpc_id: str  # empty when no VPC is known any more
    client: Client

    def here(self, service: str) -> Any:
        return self.client(service, self.region)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of leftovers: `find` names them, `remove` deletes one and is no error when it is gone already."""

    name: str
    find: Callable[[Ground], Sequence[str]]
    remove: Callable[[Ground, str], None]
    blocks_regions: bool = False  # would stop the regional stacks' own destruction
