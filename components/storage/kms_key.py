"""The customer managed KMS key of a region."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam


@dataclass(frozen=True, kw_only=True)
class DataKeyArgs:
    alias: str
    account: pulumi.Input[str]
    region: str


class DataKey(pulumi.ComponentResource):
    """One key per region, by the same alias in both. Each has material of its own: what crosses regions is re-encrypted
    on arrival, so that neither region needs the other's key to read its own copy."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: DataKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:keys:DataKey", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = aws.kms.Key(
            f"{name}-key",
            description=f"Data at rest in {args.region}",
            enable_key_rotation=True,
            # The least that KMS allows: a destroyed environment leaves its keys for a week, no longer.
            deletion_window_in_days=7,
            policy=iam.document(_statements(args)),
            opts=child,
        )
        aws.kms.Alias(f"{name}-alias", name=args.alias, target_key_id=key.id, opts=child)
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def _statements(args: DataKeyArgs) -> list[dict[str, Any]]:
    def arn(service: str, resource: str) -> pulumi.Output[str]:
        return pulumi.Output.concat(f"arn:aws:{service}:{args.region}:", args.account, f":{resource}")

    # What a service needs to encrypt a message and to read it again.
    message = ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    return [
        _statement("EnableIamPolicies", {"AWS": pulumi.Output.concat("arn:aws:iam::", args.account, ":root")}, "kms:*"),
        _statement(
            "AllowCloudWatchLogs",
            {"Service": f"logs.{args.region}.amazonaws.com"},
            [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:DescribeKey",
            ],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*")}},
        ),
        _statement(
            "AllowCloudWatchAlarms",
            {"Service": "cloudwatch.amazonaws.com"},
            message,
            {
                "StringEquals": {"aws:SourceAccount": args.account},
                "ArnLike": {"aws:SourceArn": arn("cloudwatch", "alarm:*")},
            },
        ),
        # EventBridge and AWS Backup name no source when they use a key: a condition would lock them out, silently
        # [SNS-1].
        _statement("AllowEventBridgeRules", {"Service": "events.amazonaws.com"}, [*message, "kms:DescribeKey"]),
        _statement("AllowBackupNotifications", {"Service": "backup.amazonaws.com"}, message),
        # Lambda uses the key for the archives of functions itself, without a grant [LAMBDA-5].
        _statement(
            "AllowLambdaCodeArchives",
            {"Service": "lambda.amazonaws.com"},
            ["kms:Decrypt", "kms:GenerateDataKey"],
            {"StringLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": arn("lambda", "function:*")}},
        ),
        # Step Functions hands its logs over encrypted [SFN-3].
        _statement(
            "AllowStepFunctionsLogs",
            {"Service": "delivery.logs.amazonaws.com"},
            ["kms:Decrypt"],
            {"StringEquals": {"kms:EncryptionContext:SourceArn": arn("logs", "*")}},
        ),
    ]


def _statement(
    sid: str, principal: dict[str, Any], actions: str | list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    # A key policy speaks of its own key only: "*" is that key [KMS-2].
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return statement if condition is None else {**statement, "Condition": condition}
