"""IAM statements and environment variables that several functions of a region need."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components import iam
from components.database.global_database import DATABASE
from components.workload.context import FunctionContext
from shared.places import Place

Statement = dict[str, Any]
_READ_AND_WRITE = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem")


def journal(
    context: FunctionContext, *, here: Sequence[str] = _READ_AND_WRITE, there: Sequence[str] = _READ_AND_WRITE
) -> list[Statement]:
    """The journal's replicas and the control records in them: `here` in the own region, `there` in the other's."""
    table = f"table/{context.names.journal_table}"
    return [
        iam.allow(here, [context.arn("dynamodb", table)]),
        iam.allow(there, [context.arn("dynamodb", table, region=context.peer)]),
        keys_through(context, "dynamodb", regions=[context.region, context.peer]),
    ]


def control_records(context: FunctionContext) -> list[Statement]:
    """The control records in both replicas, and the region's memory of them in its own; no other item of the journal.

    The keys are those of `functions/common/control/records.py` and `memory.py`.
    """
    table = f"table/{context.names.journal_table}"
    memory = f"confirmed#{context.region}"
    records = [f"region#{context.region}", f"region#{context.peer}", "control#writer"]

    def of_keys(*keys: str) -> iam.Condition:
        return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": sorted(keys)}}

    here, there = context.arn("dynamodb", table), context.arn("dynamodb", table, region=context.peer)
    return [
        iam.allow(["dynamodb:BatchGetItem"], [here], condition=of_keys(*records, memory)),
        iam.allow(["dynamodb:PutItem"], [here], condition=of_keys(memory)),
        iam.allow(["dynamodb:BatchGetItem"], [there], condition=of_keys(*records)),
        keys_through(context, "dynamodb", regions=[context.region, context.peer]),
    ]


def writer_record(context: FunctionContext) -> list[Statement]:
    """The control record that names the writer, in the own replica only."""
    table = context.arn("dynamodb", f"table/{context.names.journal_table}")
    condition = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["control#writer"]}}
    return [
        iam.allow(["dynamodb:GetItem"], [table], condition=condition),
        keys_through(context, "dynamodb", regions=[context.region]),
    ]


def backlog_tables(context: FunctionContext) -> list[pulumi.Output[str]]:
    """ARNs of the backlog in the own region and in the other's."""
    return [
        context.arn("dynamodb", f"table/{context.names.backlog_table(place)}", region=context.settings.region(place))
        for place in (context.place, context.place.other)
    ]


def keys_through(context: FunctionContext, service: str, *, regions: Sequence[str]) -> Statement:
    """The regions' data keys, used by `service` on the function's behalf. The other's is known by its alias only, since
    a region reads no other stack."""
    return iam.allow(
        ["kms:Decrypt", "kms:GenerateDataKey"],
        [context.arn("kms", "key/*", region=region) for region in regions],
        condition={
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": [context.names.data_key_alias]},
            "StringEquals": {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for region in regions]},
        },
    )


def cluster_arn(context: FunctionContext, place: Place) -> pulumi.Output[str]:
    """The global database's member at `place`, which the global stack makes under this name."""
    return context.arn(
        "rds", f"cluster:{context.names.regional('aurora', place)}", region=context.settings.region(place)
    )


def database_environment(context: FunctionContext) -> Mapping[str, pulumi.Input[str]]:
    """Environment variables of functions that use the ledger table in their own region
    (`functions/ledger/settings.py`)."""
    return {
        "CLUSTER_ARN": cluster_arn(context, context.place),
        "DATABASE_SECRET": context.names.database_secret,
        "DATABASE_NAME": DATABASE,
        "DATABASE_ENGINE": context.settings.engine,
    }


def database(context: FunctionContext, actions: Sequence[str], *, places: Sequence[Place]) -> list[Statement]:
    """SQL by the Data API on the members at `places`, with the credentials that lie there."""
    regions = [context.settings.region(place) for place in places]
    secret = f"secret:{context.names.database_secret}-??????"
    return [
        iam.allow(actions, [cluster_arn(context, place) for place in places]),
        iam.allow(
            ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            # A secret's ARN ends in six characters that AWS chooses [SECRETS-3].
            [context.arn("secretsmanager", secret, region=region) for region in regions],
        ),
        keys_through(context, "secretsmanager", regions=regions),
    ]


def parameters(context: FunctionContext, actions: Sequence[str], *paths: str) -> Statement:
    """Parameter Store in the own region; a path begins with a slash, which an ARN does not repeat."""
    return iam.allow(actions, [context.arn("ssm", f"parameter{path}") for path in paths])


def endpoint_parameters(context: FunctionContext) -> list[str]:
    """Paths of the parameters with both regions' endpoints."""
    return [f"{context.names.endpoints}/{region}/*" for region in (context.region, context.peer)]
