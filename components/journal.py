"""The journal: a DynamoDB global table that holds every payment and, later, each region's control record."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

KEY = "pk"


@dataclass(frozen=True, kw_only=True)
class JournalArgs:
    name: str
    key_arn: pulumi.Input[str]
    replica_region: str
    replica_key_arn: pulumi.Input[str]
    protected: bool = False  # from deletion


class Journal(pulumi.ComponentResource):
    """One table with a replica in the other region, each encrypted with its own region's key. Either region writes; the
    last write of an item wins (DynamoDB developer guide, "Global tables")."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: JournalArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:journal:Journal", name, None, opts)
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=args.name,
            billing_mode="PAY_PER_REQUEST",
            hash_key=KEY,
            attributes=[{"name": KEY, "type": "S"}],
            # Replicas need the stream, and so will whoever posts the journal onward.
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args.key_arn},
            deletion_protection_enabled=args.protected,
            replicas=[
                {
                    "region_name": args.replica_region,
                    "kms_key_arn": args.replica_key_arn,
                    # Per replica, not inherited (aws-facts §7).
                    "point_in_time_recovery": True,
                    "deletion_protection_enabled": args.protected,
                    "propagate_tags": True,
                    "consistency_mode": "EVENTUAL",
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name, self.arn = table.name, table.arn
        self.register_outputs({"name": self.name})
