"""The database's credentials, in both regions."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class DatabaseSecretArgs:
    name: str
    username: str
    password: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    replica_region: str
    replica_key_arn: pulumi.Input[str]


class DatabaseSecret(pulumi.ComponentResource):
    """A secret with a read-only replica, which keeps its name and can be read while the other region is lost."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:database:DatabaseSecret", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            name=args.name,
            kms_key_id=args.key_arn,
            # Without a window, the fixed name is free again as soon as the environment is destroyed [SECRETS-1].
            recovery_window_in_days=0,
            force_overwrite_replica_secret=True,
            replicas=[{"region": args.replica_region, "kms_key_id": args.replica_key_arn}],
            opts=child,
        )
        version = aws.secretsmanager.SecretVersion(
            f"{name}-version",
            secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps(
                {"username": args.username, "password": args.password}, sort_keys=True
            ),
            opts=child,
        )
        # From the version, so that whoever reads the ARN finds a value behind it.
        self.arn = version.secret_arn
        self.register_outputs({"arn": self.arn})
