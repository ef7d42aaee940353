"""The `payments` function of a region: what it is told, and what it may do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components import policies
from components.function import Function, FunctionArgs
from components.network import Network
from components.witness import witness_name
from shared.client_keys import SETTING, fingerprint
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
    client_keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)  # by client


def payments_function(args: PaymentsArgs, *, opts: pulumi.ResourceOptions) -> Function:
    """Takes payments and writes each to the journal in both regions before it answers (design §2)."""
    settings, place = args.settings, args.place
    region, peer = settings.region(place), settings.region(place.other)
    if not args.client_keys:
        # It asks for a key only at the door that has no API Gateway, and only if it knows any (decision 0004).
        pulumi.warn(
            "no client has a key, so anyone who finds the accelerator can pay; give each client one, the same in both "
            f"regions: pulumi config set --secret {SETTING} "
            """'{"<client>": "<40 to 128 random letters and digits>"}'"""
        )
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
                # What the world outside both regions says of this one.
                "WITNESS_NAME": witness_name(place, settings.hosted_zone),
                "DURABILITY": settings.durability,
                "METRICS_NAMESPACE": settings.names.once("dr"),
                "CLIENT_KEY_HASHES": client_key_hashes(args.client_keys),
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


def client_key_hashes(client_keys: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """Client to SHA-256 of its key, as JSON that is the same every time. No key can be had from it, so that it may
    stand in the function's environment (docs/decisions/0004-callers-of-the-other-door.md); as made from secrets, it is
    kept like one in the state."""
    known: pulumi.Output[Any] = pulumi.Output.from_input(dict(client_keys))
    return known.apply(
        lambda keys: json.dumps({client: fingerprint(key) for client, key in keys.items()}, sort_keys=True)
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
        policies.allow(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"], tables),
        policies.allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            keys,
            condition={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": [names.data_key_alias]},
                "StringEquals": {"kms:ViaService": [f"dynamodb.{region}.amazonaws.com" for region in regions]},
            },
        ),
    ]
