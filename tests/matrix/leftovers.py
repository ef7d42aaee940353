"""Known leftovers of a destroyed environment, each with its reason and a check that an identifier is one."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tests.matrix.inventory import Client, Inventory


@dataclass(frozen=True)
class Leftover:
    """Identifiers of one listing for which `excused(client, region, identifier)` is true."""

    listing: str  # service:operation
    reason: str
    excused: Callable[[Client, str, str], bool]


def _key_waits_for_deletion(client: Client, region: str, key: str) -> bool:
    return bool(client("kms", region).describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion")


def _tags_of_a_deleted_key(client: Client, region: str, arn: str) -> bool:
    return ":kms:" in arn and _key_waits_for_deletion(client, region, arn)


def _tags_of_a_deleted_table(client: Client, region: str, arn: str) -> bool:
    if ":dynamodb:" not in arn:
        return False
    try:
        client("dynamodb", region).describe_table(TableName=arn.rpartition("/")[2])
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
    return False


LEFTOVERS = (
    Leftover(
        "kms:list_keys",
        "AWS deletes a key after 7 to 30 days, and lists it until then (API kms ScheduleKeyDeletion).",
        _key_waits_for_deletion,
    ),
    Leftover(
        "resourcegroupstaggingapi:get_resources",
        "A key that waits for its deletion keeps its tags.",
        _tags_of_a_deleted_key,
    ),
    Leftover(
        "resourcegroupstaggingapi:get_resources",
        "ministack deletes the tags of a table with the table, but not those of its replica.",
        _tags_of_a_deleted_table,
    ),
)


def is_known(client: Client, listing: str, region: str, identifier: str) -> bool:
    """Whether one of the LEFTOVERS explains the identifier."""
    return any(each.excused(client, region, identifier) for each in LEFTOVERS if each.listing == listing)


def unknown(client: Client, new: Inventory) -> dict[tuple[str, str], list[str]]:
    """The identifiers of `new`, by listing and region, that none of the LEFTOVERS explains."""
    left = {
        (listing, region): [each for each in sorted(found) if not is_known(client, listing, region, each)]
        for (listing, region), found in new.items()
    }
    return {where: found for where, found in left.items() if found}
