"""Sweeps resources that Pulumi does not manage, and lists what AWS still holds of an environment."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.environment.aws import Client, pages
from ops.teardown.sweepers import Sweeper, SweptRegion
from shared.tags import PROJECT

_PAUSE = 5.0  # seconds between two rounds

PrintLine = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A resource that still exists, and the error code of its deletion if AWS gave one."""

    what: str
    region: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.what} in {self.region}" + (f" ({self.why})" if self.why else "")


def sweep(
    regions: Sequence[SweptRegion],
    sweepers: Sequence[Sweeper],
    print_line: PrintLine,
    *,
    seconds: float,
    pause: float = _PAUSE,
) -> list[Leftover]:
    """Delete everything that `sweepers` find, repeatedly until nothing is left or `seconds` have passed; the rest.

    Deletions take time on AWS, and deleted resources are still listed for a while.
    """
    deadline = time.monotonic() + seconds
    while left := [each for one in sweepers for region in regions for each in _once(one, region, print_line)]:
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    return left


def _once(sweeper: Sweeper, region: SweptRegion, print_line: PrintLine) -> list[Leftover]:
    """Request every deletion; the resources that are still listed afterwards, or could not be listed."""
    refused: dict[str, str] = {}
    try:
        for name in sweeper.list_in(region):
            try:
                sweeper.delete_in(region, name)
                print_line(f"deleted {sweeper.name} {name} in {region.region}")
            except ClientError as error:
                refused[name] = error.response["Error"]["Code"]
        left = sweeper.list_in(region)
    except (ClientError, BotoCoreError) as error:
        return [Leftover(what=f"{sweeper.name}s that could not be listed", region=region.region, why=str(error))]
    return [Leftover(what=f"{sweeper.name} {name}", region=region.region, why=refused.get(name, "")) for name in left]


def _is_scheduled_for_deletion(kms: Any, arn: str) -> bool:
    return bool(kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion")


def _does_not_exist(dynamodb: Any, arn: str) -> bool:
    try:
        dynamodb.describe_table(TableName=arn.rpartition("/")[2])
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
    return False


EXEMPTIONS: Mapping[str, Callable[[Any, str], bool]] = {
    # AWS deletes a key after 7 to 30 days, and lists it until then (API ScheduleKeyDeletion).
    "kms": _is_scheduled_for_deletion,
    # The tag index drops a table later than DynamoDB does.
    "dynamodb": _does_not_exist,
}
"""By service: whether a resource may still be listed."""


def tagged(client: Client, regions: Iterable[str], environment: str) -> list[Leftover]:
    """Resources with the environment's tags, apart from the exemptions. Global ones are listed in us-east-1
    (Resource Groups Tagging API, "Services that support")."""
    filters = [{"Key": "Environment", "Values": [environment]}, {"Key": "Project", "Values": [PROJECT]}]
    left = []
    for region in dict.fromkeys([*regions, "us-east-1"]):
        lister = client("resourcegroupstaggingapi", region)
        found = pages(lister, "get_resources", "ResourceTagMappingList", TagFilters=filters)
        arns = sorted(each["ResourceARN"] for each in found)
        left += [Leftover(what=arn, region=region) for arn in arns if not _is_exempt(client, region, arn)]
    return left


def _is_exempt(client: Client, region: str, arn: str) -> bool:
    service = arn.split(":")[2]
    return service in EXEMPTIONS and EXEMPTIONS[service](client(service, region), arn)
