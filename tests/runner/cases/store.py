"""DynamoDB tables with a replica in the other region."""

from tests.runner.cases import Case, Reading

PROGRAM = """
table = aws.dynamodb.Table(
    "journal", billing_mode="PAY_PER_REQUEST", hash_key="id", range_key="kind",
    attributes=[{"name": "id", "type": "S"}, {"name": "kind", "type": "S"}, {"name": "day", "type": "S"}],
    global_secondary_indexes=[{"name": "by-day", "hash_key": "day", "projection_type": "ALL"}],
    stream_enabled=True, stream_view_type="NEW_AND_OLD_IMAGES",
    server_side_encryption={"enabled": True}, point_in_time_recovery={"enabled": True},
    ttl={"attribute_name": "expires", "enabled": True},
    replicas=[{"region_name": "us-east-2", "point_in_time_recovery": True, "propagate_tags": True}],
    opts=opts,
)
item = aws.dynamodb.TableItem(
    "control", table_name=table.name, hash_key="id", range_key="kind",
    item=json.dumps({"id": {"S": "us-east-1"}, "kind": {"S": "control"}, "epoch": {"N": "1"}}), opts=opts,
)
for name, value in {"table": table.name, "stream": table.stream_arn, "replicas": table.replicas}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:dynamodb/table:Table": Reading(
            lambda aws, out: {
                **(found := aws("dynamodb").describe_table(TableName=out["table"])["Table"]),
                "Keys": [key["AttributeName"] for key in found["KeySchema"]],
                "Indexes": [index["IndexName"] for index in found["GlobalSecondaryIndexes"]],
                "Billing": found["BillingModeSummary"]["BillingMode"],
                "Replica": aws("dynamodb", "us-east-2").describe_table(TableName=out["table"])["Table"]["TableStatus"],
                "ReplicaArn": out["replicas"][0]["arn"].startswith("arn:aws:dynamodb:us-east-2:"),
                "Expires": aws("dynamodb").describe_time_to_live(TableName=out["table"])["TimeToLiveDescription"][
                    "AttributeName"
                ],
                "Recovers": [
                    aws("dynamodb", region).describe_continuous_backups(TableName=out["table"])[
                        "ContinuousBackupsDescription"
                    ]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
                    for region in ("us-east-1", "us-east-2")
                ],
                "Streams": found["LatestStreamArn"] == out["stream"],
            },
            {
                "Keys": ["id", "kind"],
                "Indexes": ["by-day"],
                "Billing": "PAY_PER_REQUEST",
                "Replica": "ACTIVE",
                "ReplicaArn": True,
                "Expires": "expires",
                "Recovers": ["ENABLED", "ENABLED"],
                "Streams": True,
            },
        ),
        "aws:dynamodb/tableItem:TableItem": Reading(
            lambda aws, out: aws("dynamodb").get_item(
                TableName=out["table"], Key={"id": {"S": "us-east-1"}, "kind": {"S": "control"}}
            )["Item"],
            {"epoch": {"N": "1"}},
        ),
    },
    edits=(
        ('"point_in_time_recovery": True, "propagate_tags"', '"point_in_time_recovery": False, "propagate_tags"'),
        ('"epoch": {"N": "1"}', '"epoch": {"N": "2"}'),
    ),
    changed={
        "aws:dynamodb/table:Table": {"Recovers": ["ENABLED", "DISABLED"]},
        "aws:dynamodb/tableItem:TableItem": {"epoch": {"N": "2"}},
    },
)
