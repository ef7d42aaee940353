"""Items that a program puts into a table."""

import json
from typing import Any

from localaws.runner.context import Context
from localaws.runner.table import Call, Entry


def _item_key(context: Context) -> dict[str, Any]:
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
        delete=(Call("delete_item", {"TableName": "{in.tableName}", "Key": _item_key}),),
        outputs={"hashKeyValue": _key_value("hashKey"), "rangeKeyValue": _key_value("rangeKey")},
    ),
}
