"""The backlog: a region's own DynamoDB table of the batches whose payments may be missing from its database
(`functions/ledger/backlog.py`)."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class BacklogArgs:
    name: str
    key_arn: pulumi.Input[str]
    protection: bool


class Backlog(pulumi.ComponentResource):
    """No global table: it lists what the database of its own region may lack, so it must survive the loss of the other
    region and of nothing else (docs/decisions/0012-the-backlog.md)."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: BacklogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:backlog:Backlog", name, None, opts)
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=args.name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args.key_arn},
            deletion_protection_enabled=args.protection,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = table.name
        self.register_outputs({"name": self.name})
