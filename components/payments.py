"""The `payments` function of a region: what it is told, and what it may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import policies
from components.function import Function, FunctionArgs
from components.network import Network
from shared.places import Place
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class PaymentsArgs:
    place: Place
    settings: RegionSettings
    account: pulumi.Input[str]
    network: Network
    key_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]
    layers: Sequence[pulumi.Input[str]]


def payments_function(args: PaymentsArgs, *, opts: pulumi.ResourceOptions) -> Function:
    """Takes payments and writes each to the journal in both regions before it answers (design §2)."""
    settings, place = args.settings, args.place
    region, peer = settings.region(place), settings.region(place.other)
    return Function(
        "payments",
        FunctionArgs(
            source="payments",
            name=settings.names.regional("function-payments", place),
            region=region,
            account=args.account,
            description="Takes payments, answers for the region's health",
            environment={
                "PLACE": str(place),
                "JOURNAL_TABLE": settings.names.journal_table,
                # The same region for both places: of two claims to one payment id, it decides which came first.
                "JOURNAL_ARBITER_REGION": settings.primary_region,
                "PEER_REGION": peer,
                "PEER_TIMEOUT_MS": str(settings.peer_timeout_ms),
                "DURABILITY": settings.durability,
                "METRICS_NAMESPACE": settings.names.once("dr"),
            },
            statements=_journal_statements(args, [region, peer]),
            layers=args.layers,
            vpc_id=args.network.vpc_id,
            subnet_ids=args.network.private_subnet_ids,
            key_arn=args.key_arn,
            dead_letter_arn=args.dead_letter_arn,
            log_retention_days=settings.log_retention_days,
        ),
        opts=opts,
    )


def _journal_statements(args: PaymentsArgs, regions: Sequence[str]) -> list[dict[str, Any]]:
    names, account = args.settings.names, args.account
    tables = [
        pulumi.Output.concat(f"arn:aws:dynamodb:{region}:", account, f":table/{names.journal_table}")
        for region in regions
    ]
    # The peer's key is known by its alias only, since a region reads no other stack.
    keys = [pulumi.Output.concat(f"arn:aws:kms:{region}:", account, ":key/*") for region in regions]
    return [
        policies.allow(["dynamodb:GetItem", "dynamodb:PutItem"], tables),
        policies.allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            keys,
            condition={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": [names.data_key_alias]},
                "StringEquals": {"kms:ViaService": [f"dynamodb.{region}.amazonaws.com" for region in regions]},
            },
        ),
    ]
