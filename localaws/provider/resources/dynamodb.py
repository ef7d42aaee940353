"""Tables with their replicas."""

import json
from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags


def _keys(given: dict[str, Any]) -> list[dict[str, str]]:
    keys = [{"AttributeName": given["hashKey"], "KeyType": "HASH"}]
    if given.get("rangeKey"):
        keys.append({"AttributeName": given["rangeKey"], "KeyType": "RANGE"})
    return keys


def _indexes(argument: str) -> Any:
    """Secondary indexes; a local one shares the table's hash key."""

    def indexes(context: Context) -> list[dict[str, Any]] | None:
        found = []
        for item in context.inputs.get(argument) or []:
            keys = {"hashKey": item.get("hashKey") or context.inputs["hashKey"], "rangeKey": item.get("rangeKey")}
            projection = {"ProjectionType": item["projectionType"]}
            if item.get("nonKeyAttributes"):
                projection["NonKeyAttributes"] = item["nonKeyAttributes"]
            found.append({"IndexName": item["name"], "KeySchema": _keys(keys), "Projection": projection})
        return found or None

    return indexes


def _encryption(context: Context) -> dict[str, Any] | None:
    given = context.inputs.get("serverSideEncryption")
    if not given:
        return None
    if not given["enabled"]:
        return {"Enabled": False}
    key = {"KMSMasterKeyId": given["kmsKeyArn"]} if given.get("kmsKeyArn") else {}
    return {"Enabled": True, "SSEType": "KMS", **key}


def _stream(context: Context) -> dict[str, Any] | None:
    enabled = context.inputs.get("streamEnabled")
    if enabled is None:
        return None
    view = {"StreamViewType": context.inputs["streamViewType"]} if enabled else {}
    return {"StreamEnabled": bool(enabled), **view}


def _throughput(context: Context) -> dict[str, int] | None:
    if context.inputs.get("billingMode") == "PAY_PER_REQUEST":
        return None
    given = context.inputs
    return {"ReadCapacityUnits": given["readCapacity"], "WriteCapacityUnits": given["writeCapacity"]}


def _recovery(context: Context, given: dict[str, Any], region: str) -> None:
    setting: dict[str, Any] = {"PointInTimeRecoveryEnabled": bool(given.get("enabled"))}
    if given.get("recoveryPeriodInDays"):
        setting["RecoveryPeriodInDays"] = given["recoveryPeriodInDays"]
    asked = {"TableName": context.id, "PointInTimeRecoverySpecification": setting}
    context.call("update_continuous_backups", asked, region=region)


def _table_recovery(context: Context) -> None:
    if context.inputs.get("pointInTimeRecovery"):
        _recovery(context, context.inputs["pointInTimeRecovery"], context.region)


def _replicate(context: Context) -> None:
    """One change at a time, as DynamoDB demands; what differs per replica is set in its own region."""
    wanted = {item["regionName"]: item for item in context.inputs.get("replicas") or []}
    former = {item["regionName"]: item for item in context.before.get("replicas") or []}
    for region in sorted(former.keys() - wanted.keys()):
        _change_replica(context, "Delete", {"RegionName": region})
    for region, item in sorted(wanted.items()):
        if region not in former:
            key = {"KMSMasterKeyId": item["kmsKeyArn"]} if item.get("kmsKeyArn") else {}
            _change_replica(context, "Create", {"RegionName": region, **key})
        _recovery(context, {"enabled": item.get("pointInTimeRecovery")}, region)
        if item.get("deletionProtectionEnabled") is not None:
            asked = {"TableName": context.id, "DeletionProtectionEnabled": item["deletionProtectionEnabled"]}
            context.call("update_table", asked, region=region)
        if item.get("propagateTags") and context.tags:
            tags = [{"Key": key, "Value": value} for key, value in sorted(context.tags.items())]
            context.call("tag_resource", {"ResourceArn": _arn(context, region), "Tags": tags}, region=region)


def _change_replica(context: Context, action: str, replica: dict[str, Any]) -> None:
    context.call("update_table", {"TableName": context.id, "ReplicaUpdates": [{action: replica}]})


def _arn(context: Context, region: str) -> str:
    return f"arn:aws:dynamodb:{region}:{context.account}:table/{context.id}"


def _replica_outputs(context: Context) -> list[dict[str, Any]]:
    """The replicas with the attributes that AWS sets: their ARNs and streams."""
    shown = []
    for item in context.inputs.get("replicas") or []:
        table = context.call("describe_table", {"TableName": context.id}, region=item["regionName"])["Table"]
        shown.append(
            {
                **item,
                "arn": _arn(context, item["regionName"]),
                "streamArn": table.get("LatestStreamArn", ""),
                "streamLabel": table.get("LatestStreamLabel", ""),
            }
        )
    return shown


def _delete(context: Context) -> None:
    """Replicas go before the table they came from."""
    for item in context.get("in.replicas") or []:
        _change_replica(context, "Delete", {"RegionName": item["regionName"]})
    context.call("delete_table", {"TableName": context.id})


def item_key(context: Context) -> dict[str, Any]:
    """The key of an item, out of the item."""
    item = json.loads(context.inputs["item"])
    keys = [context.inputs["hashKey"], context.inputs.get("rangeKey")]
    return {key: item[key] for key in keys if key}


def _key_value(argument: str) -> Any:
    """A key attribute's value without its type."""

    def value(context: Context) -> str:
        key = context.inputs.get(argument)
        return str(next(iter(json.loads(context.inputs["item"])[key].values()))) if key else ""

    return value


def _item_id(context: Context) -> str:
    parts = [context.inputs["tableName"], _key_value("hashKey")(context), _key_value("rangeKey")(context)]
    return "|".join(part for part in parts if part)


TYPES = {
    "aws:dynamodb/table:Table": Entry(
        service="dynamodb",
        create=Call(
            "create_table",
            {
                "AttributeDefinitions": lambda context: [
                    {"AttributeName": item["name"], "AttributeType": item["type"]}
                    for item in context.inputs["attributes"]
                ],
                "KeySchema": lambda context: _keys(context.inputs),
                "GlobalSecondaryIndexes": _indexes("globalSecondaryIndexes"),
                "LocalSecondaryIndexes": _indexes("localSecondaryIndexes"),
                "SSESpecification": _encryption,
                "StreamSpecification": _stream,
                "ProvisionedThroughput": _throughput,
            },
            auto=ALL,
            takes=(
                "attributes",
                "hashKey",
                "rangeKey",
                "globalSecondaryIndexes",
                "localSecondaryIndexes",
                "serverSideEncryption",
                "streamEnabled",
                "streamViewType",
                "readCapacity",
                "writeCapacity",
            ),
        ),
        puts=(
            Do(_replicate, takes=("replicas",)),
            Do(_table_recovery, takes=("pointInTimeRecovery",)),
            Call(
                "update_time_to_live",
                {
                    "TableName": "{id}",
                    "TimeToLiveSpecification": {
                        "Enabled": "{in.ttl.enabled}",
                        "AttributeName": "{in.ttl.attributeName}",
                    },
                },
            ),
        ),
        update=(
            Call(
                "update_table", {"TableName": "{id}"}, auto=("deletionProtectionEnabled", "billingMode", "tableClass")
            ),
            Call(
                "update_table", {"TableName": "{id}", "SSESpecification": _encryption}, takes=("serverSideEncryption",)
            ),
        ),
        id="{made.TableDescription.TableName}",
        read=Call("describe_table", {"TableName": "{id}"}),
        ready="found.Table.TableStatus == 'ACTIVE'",
        delete=(Do(_delete),),
        rename={"name": "TableName"},
        autoname=Name(limit=255),
        defaults={"billingMode": "PROVISIONED"},
        tags=Tags(),
        outputs={
            "arn": "{found.Table.TableArn}",
            "streamArn": lambda context: context.get("found.Table.LatestStreamArn") or "",
            "streamLabel": lambda context: context.get("found.Table.LatestStreamLabel") or "",
            "replicas": _replica_outputs,
        },
        nested_outputs={"replicas": ("arn", "streamArn", "streamLabel")},
    ),
    "aws:dynamodb/tableItem:TableItem": Entry(
        service="dynamodb",
        create=Call(
            "put_item",
            {
                "TableName": "{in.tableName}",
                "Item": lambda context: json.loads(context.inputs["item"]),
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": "{in.hashKey}"},
            },
            takes=("item", "rangeKey"),
        ),
        update=(
            Call(
                "put_item",
                {"TableName": "{out.tableName}", "Item": lambda context: json.loads(context.inputs["item"])},
                takes=("item",),
            ),
        ),
        id=_item_id,
        delete=(Call("delete_item", {"TableName": "{in.tableName}", "Key": item_key}),),
        outputs={"hashKeyValue": _key_value("hashKey"), "rangeKeyValue": _key_value("rangeKey")},
    ),
}
