"""The journal: a DynamoDB global table that holds every payment and each region's control record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from shared.places import Place
from shared.references import Regions
from shared.settings import GlobalSettings

KEY = "pk"


@dataclass(frozen=True, kw_only=True)
class JournalArgs:
    settings: GlobalSettings
    regions: Regions


class Journal(pulumi.ComponentResource):
    """One table with a replica in the other region, each encrypted with its own region's key. Either region writes; the
    last write of an item wins [DYNAMODB-4]."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    stream_arns: dict[Place, pulumi.Output[str]]  # each replica has one of its own, with the writes of both regions

    def __init__(self, name: str, args: JournalArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:journal:Journal", name, None, opts)
        primary, secondary = args.regions[Place.PRIMARY], args.regions[Place.SECONDARY]
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=args.settings.names.journal_table,
            billing_mode="PAY_PER_REQUEST",
            hash_key=KEY,
            attributes=[{"name": KEY, "type": "S"}],
            # Replicas need the stream, and so does the ledger.
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": primary.outputs.storage.data_key_arn},
            deletion_protection_enabled=args.settings.protection,
            replicas=[
                {
                    "region_name": secondary.region,
                    "kms_key_arn": secondary.outputs.storage.data_key_arn,
                    # Per replica, not inherited [DYNAMODB-2].
                    "point_in_time_recovery": True,
                    "deletion_protection_enabled": args.settings.protection,
                    "propagate_tags": True,
                    "consistency_mode": "EVENTUAL",
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name, self.arn = table.name, table.arn
        self.stream_arns = {
            Place.PRIMARY: table.stream_arn,
            Place.SECONDARY: table.replicas.apply(lambda replicas: _stream_arn(replicas or [])),
        }
        self.register_outputs({"name": self.name})


def _stream_arn(replicas: Sequence[Any]) -> str:
    """Of the one replica. Raises ValueError when AWS names none."""
    found = [replica.stream_arn for replica in replicas if replica.stream_arn]
    if not found:
        raise ValueError("the journal's replica has no stream; a global table's replicas always have one")
    return str(found[0])
