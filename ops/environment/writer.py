"""Where the database's writer is, and whether that is at home: in the primary place's region."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.places import Place

Client = Callable[[str, str], Any]
"""From boto3's name of a service and a region to a client."""


def writer(client: Client, cluster: str, regions: Mapping[Place, str]) -> str | None:
    """The writer's region, asked of whichever region answers; None when there is no such global cluster.

    Raises what botocore raises when neither region answers.
    """
    problem: ClientError | BotoCoreError | None = None
    for place in (Place.SECONDARY, Place.PRIMARY):
        try:
            return _seen_from(client("rds", regions[place]), cluster)
        except (ClientError, BotoCoreError) as error:
            problem = error
    assert problem is not None
    raise problem


def _seen_from(rds: Any, cluster: str) -> str | None:
    try:
        found: list[Any] = rds.describe_global_clusters(GlobalClusterIdentifier=cluster)["GlobalClusters"]
    except rds.exceptions.GlobalClusterNotFoundFault:
        return None
    members = [member for each in found for member in each["GlobalClusterMembers"]]
    return next((member["DBClusterArn"].split(":")[3] for member in members if member["IsWriter"]), None)
