"""What the function that keeps parameters equal may do, in both regions."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components import policies
from components.cell import Cell

Statement = dict[str, Any]
_ACTIONS = (
    "ssm:AddTagsToResource",
    "ssm:DeleteParameter",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:LabelParameterVersion",
    "ssm:ListTagsForResource",
    "ssm:PutParameter",
    "ssm:RemoveTagsFromResource",
    "ssm:UnlabelParameterVersion",
)


def statements(
    cell: Cell, *, queue_arn: pulumi.Input[str], dead_letter_arn: pulumi.Input[str]
) -> list[Mapping[str, Any]]:
    """Both regions' parameters below the prefix and no region's own; both keys, by Parameter Store only; its queues."""
    regions = [cell.region, cell.peer]
    return [
        policies.allow(_ACTIONS, _parameters(cell, cell.names.parameters)),
        {"Effect": "Deny", "Action": list(_ACTIONS), "Resource": _parameters(cell, cell.names.own_parameters)},
        # A listing, which knows no resource (Service Authorization Reference, AWS Systems Manager).
        policies.allow(["ssm:DescribeParameters"], ["*"]),
        # Standard parameters are encrypted by KMS, advanced ones under a data key [SSM-1]. The other region's key is
        # known by its alias only.
        policies.allow(
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            [cell.arn("kms", "key/*", region=region) for region in regions],
            condition={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": [cell.names.data_key_alias]},
                "StringEquals": {"kms:ViaService": [f"ssm.{region}.amazonaws.com" for region in regions]},
            },
        ),
        policies.allow(
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            [queue_arn],
        ),
        policies.allow(["sqs:SendMessage"], [dead_letter_arn]),
    ]


def _parameters(cell: Cell, path: str) -> list[pulumi.Output[str]]:
    return [cell.arn("ssm", f"parameter{path}/*", region=region) for region in (cell.region, cell.peer)]
