"""The customer key that encrypts what a region keeps."""

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
    # A key policy speaks of its own key only: "*" is that key [KMS-2].
    administration: dict[str, Any] = {
        "Sid": "EnableIamPolicies",
        "Effect": "Allow",
        "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", args.account, ":root")},
        "Action": "kms:*",
        "Resource": "*",
    }
    logs: dict[str, Any] = {
        "Sid": "AllowCloudWatchLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{args.region}.amazonaws.com"},
        "Action": [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            "kms:GenerateDataKey",
            "kms:DescribeKey",
        ],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": pulumi.Output.concat(
                    f"arn:aws:logs:{args.region}:", args.account, ":log-group:*"
                )
            }
        },
    }
    # What a service needs to encrypt a message and to read it again.
    message = ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    alarms: dict[str, Any] = {
        "Sid": "AllowCloudWatchAlarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": message,
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": args.account},
            "ArnLike": {
                "aws:SourceArn": pulumi.Output.concat(f"arn:aws:cloudwatch:{args.region}:", args.account, ":alarm:*")
            },
        },
    }
    # EventBridge and AWS Backup name no source when they use a key: a condition would lock them out, silently
    # [SNS-1].
    events: dict[str, Any] = {
        "Sid": "AllowEventBridgeRules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": [*message, "kms:DescribeKey"],
        "Resource": "*",
    }
    backups: dict[str, Any] = {
        "Sid": "AllowBackupNotifications",
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": message,
        "Resource": "*",
    }
    # Lambda uses the key for the archives of functions itself, without a grant [LAMBDA-5].
    functions: dict[str, Any] = {
        "Sid": "AllowLambdaCodeArchives",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {
            "StringLike": {
                "kms:EncryptionContext:aws:lambda:FunctionArn": pulumi.Output.concat(
                    f"arn:aws:lambda:{args.region}:", args.account, ":function:*"
                )
            }
        },
    }
    # Step Functions hands its logs over encrypted [SFN-3].
    log_delivery: dict[str, Any] = {
        "Sid": "AllowStepFunctionsLogs",
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": ["kms:Decrypt"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:EncryptionContext:SourceArn": pulumi.Output.concat(
                    f"arn:aws:logs:{args.region}:", args.account, ":*"
                )
            }
        },
    }
    return [administration, logs, alarms, events, backups, functions, log_delivery]
