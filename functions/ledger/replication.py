"""The journal's replication, as DynamoDB of the own region describes it. No metric of CloudWatch has this state.

A replica whose key is inaccessible for more than 20 hours leaves the global table for good, and so does one whose
region is disabled or whose policy denies replication [DYNAMODB-10] [DYNAMODB-11]. Its table still answers, so that
nothing but this description shows it.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_WORKING = ("ACTIVE", "UPDATING")


def replication_problem(client: Any, *, table: str, peer_region: str) -> str:
    """The reason that `table` is not replicated between the client's region and `peer_region`, or "". A description
    that cannot be read is a problem too, so that a missing permission is noticed. Raises nothing."""
    try:
        described = client.describe_table(TableName=table)["Table"]
    except ClientError as error:
        return f"DescribeTable: {error.response.get('Error', {}).get('Code', 'ClientError')}"
    except BotoCoreError as error:
        return f"DescribeTable: {type(error).__name__}"
    if (status := described.get("TableStatus")) not in _WORKING:
        return f"the table in the own region is {status}"
    if described.get("SSEDescription", {}).get("InaccessibleEncryptionDateTime"):
        return "the key of the own region is inaccessible"
    states = {each["RegionName"]: str(each.get("ReplicaStatus")) for each in described.get("Replicas") or ()}
    if peer_region not in states:
        return f"the table has no replica in {peer_region}"
    problems = [f"{region}: {state}" for region, state in sorted(states.items()) if state not in _WORKING]
    return ", ".join(problems)
