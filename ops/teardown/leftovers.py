"""What AWS still lists with the environment's tags, and what of that may be there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.environment.aws import Client, pages
from ops.teardown.sweep import Left
from shared.tags import PROJECT


@dataclass(frozen=True, kw_only=True)
class Excuse:
    """ARNs with `service` in them need not go when `holds` says so."""

    service: str
    reason: str
    holds: Callable[[Any, str], bool]


def _waits_for_deletion(kms: Any, arn: str) -> bool:
    return bool(kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion")


def _table_is_gone(dynamodb: Any, arn: str) -> bool:
    try:
        dynamodb.describe_table(TableName=arn.rpartition("/")[2])
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
    return False


EXCUSES = (
    Excuse(
        service="kms",
        reason="AWS deletes a key after 7 to 30 days, and lists it until then (API ScheduleKeyDeletion)",
        holds=_waits_for_deletion,
    ),
    Excuse(
        service="dynamodb",
        reason="the index of tags forgets a table later than DynamoDB does",
        holds=_table_is_gone,
    ),
)


def tagged(client: Client, regions: Iterable[str], environment: str) -> list[Left]:
    """Resources that carry the environment's tags and have no excuse. Global ones are listed in us-east-1
    (Resource Groups Tagging API, "Services that support")."""
    filters = [{"Key": "Environment", "Values": [environment]}, {"Key": "Project", "Values": [PROJECT]}]
    left = []
    for region in dict.fromkeys([*regions, "us-east-1"]):
        lister = client("resourcegroupstaggingapi", region)
        found = pages(lister, "get_resources", "ResourceTagMappingList", TagFilters=filters)
        arns = sorted(each["ResourceARN"] for each in found)
        left += [Left(what=arn, region=region) for arn in arns if not _excused(client, region, arn)]
    return left


def _excused(client: Client, region: str, arn: str) -> bool:
    service = arn.split(":")[2]
    return any(each.holds(client(service, region), arn) for each in EXCUSES if each.service == service)
