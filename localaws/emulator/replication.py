"""Replication between regions: DynamoDB global tables, S3 objects, secrets."""

import copy
import json
from collections import Counter
from typing import Any, Protocol

from localaws.emulator.patches import PassOn, original, patch
from localaws.emulator.requests import bucket_region


class TableWriter(Protocol):
    """Applies a write of `source` to its replica in `destination`, streams included."""

    def __call__(
        self, *, account: str, source: str, destination: str, table: str, event: str, old: Any, new: Any
    ) -> None: ...


class TableWriteListener(Protocol):
    """Called with each write to a global table, in the writer's call. `key` is the item's, `regions` are the others."""

    def __call__(
        self, *, account: str, source: str, regions: list[str], table: str, key: str, event: str, old: Any, new: Any
    ) -> None: ...


def intercept_global_table_writes(listener: TableWriteListener) -> TableWriter:
    """Call `listener` with each write to a global table instead of replicating it; returns what replicates it."""
    from ministack.core.responses import get_account_id, get_region, request_scope
    from ministack.services import dynamodb

    replicate_write = original("services.dynamodb:_replicate_write")

    def intercepted(_replaced: Any, table: dict[str, Any], event_name: str, old_item: Any, new_item: Any) -> None:
        own_region = get_region()
        regions = [region for region in dynamodb._replica_group(table) if region != own_region]
        if not regions:
            return
        item = new_item if new_item is not None else old_item
        key = {name: item[name] for name in (table["pk_name"], table["sk_name"]) if name}
        listener(
            account=get_account_id(),
            source=own_region,
            regions=regions,
            table=table["TableName"],
            key=json.dumps(key),
            event=event_name,
            old=None if new_item is not None else key,
            new=copy.deepcopy(new_item),
        )

    def apply(*, account: str, source: str, destination: str, table: str, event: str, old: Any, new: Any) -> None:
        replica = dynamodb._tables.get_scoped(account, destination, table)
        if replica is None or source not in dynamodb._replica_group(replica):
            return  # it left the global table meanwhile
        with request_scope(account, source):
            replicate_write({"TableName": table, "_global_regions": [source, destination]}, event, old, new)

    patch("services.dynamodb:_replicate_write", intercepted)
    return apply


def intercept_bucket_replication(send: PassOn) -> None:
    """Hand each replication of an object or a delete marker to `send(source region, destination region, replicate)`.

    Until `replicate` is called the object's replication status is PENDING, as on AWS.
    """
    from ministack.core.responses import get_account_id, get_region, request_scope
    from ministack.services import s3

    def regions(bucket: str, key: str, tags: Any) -> tuple[str, str] | None:
        rule, _ = s3._replication_rule_for(bucket, key, tags)
        destination = bucket_region(rule["Destination"]["Bucket"].rpartition(":")[2]) if rule else None
        return (str(s3.bucket_region(bucket)), destination) if destination else None

    def intercepted_object(
        replicate_object: Any, bucket: str, key: str, obj: dict[str, Any], data: Any, tags: Any = None
    ) -> None:
        ends = regions(bucket, key, tags)
        if ends is None:
            replicate_object(bucket, key, obj, data, tags)
            return
        account, region = get_account_id(), get_region()

        def replicate() -> None:
            with request_scope(account, region):
                replicate_object(bucket, key, obj, data, tags)
                version = obj.get("version_id")
                for entry in s3._object_versions.get((bucket, key), ()):
                    if entry["version_id"] == version:
                        entry["replication_status"] = obj["replication_status"]
                stored_tags = s3._object_tags.get((bucket, key, version))
            if stored_tags and (replica := obj.get("_replica")):
                name, replica_version, owner = replica
                with request_scope(owner, region):
                    s3._object_tags[name, key, replica_version] = dict(stored_tags)

        obj["replication_status"] = "PENDING"
        send(*ends, replicate)

    def intercepted_marker(replicate_marker: Any, bucket: str, key: str) -> None:
        ends = regions(bucket, key, None)
        if ends is None:
            return
        account, region = get_account_id(), get_region()

        def replicate() -> None:
            with request_scope(account, region):
                replicate_marker(bucket, key)

        send(*ends, replicate)

    patch("services.s3:_maybe_replicate", intercepted_object)
    patch("services.s3:_maybe_replicate_delete_marker", intercepted_marker)


def intercept_secret_replication(send: PassOn) -> None:
    """Hand each copy of a changed secret to `send(source region, replica region, replicate)`.

    Until the last one is applied the replica's status is InProgress, as on AWS.
    """
    waiting: Counter[tuple[str, str]] = Counter()

    def intercepted(sync_replicas: Any, secret: dict[str, Any]) -> None:
        source = secret["ARN"].split(":")[3]
        for status in secret.get("ReplicationStatus", []):
            region = status["Region"]
            changed = {**copy.deepcopy(secret), "ReplicationStatus": [{"Region": region}]}
            status["Status"], pair = "InProgress", (secret["ARN"], region)
            waiting[pair] += 1

            def replicate(
                changed: dict[str, Any] = changed, status: dict[str, Any] = status, pair: tuple[str, str] = pair
            ) -> None:
                sync_replicas(changed)
                waiting[pair] -= 1
                if not waiting[pair]:
                    del waiting[pair]
                    status["Status"] = "InSync"

            send(source, region, replicate)

    patch("services.secretsmanager:_sync_replicas", intercepted)
