"""A region's backup vault: what is backed up here, and copies of what the other region backs up."""

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_NAME = re.compile(r"[a-zA-Z0-9_-]{2,50}")  # API Backup.BackupVaultName
# What no metric counts: a job that succeeds although some objects of a bucket were left out, and a copy that failed,
# with its reason. Other failures have metrics and, with them, alarms.
EVENTS = ("COPY_JOB_FAILED", "S3_BACKUP_OBJECT_FAILED", "S3_RESTORE_OBJECT_FAILED")


@dataclass(frozen=True, kw_only=True)
class BackupVaultArgs:
    name: str
    key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    protected: bool = False  # from deletion while it holds backups

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"vault name {self.name} is not 2 to 50 letters, digits, - and _; shorten it")


class BackupVault(pulumi.ComponentResource):
    """Emptied when destroyed. It has no lock, which would make it and what it holds impossible to delete, and no policy
    of its own: without one only this account reaches it, and a policy that guarded recovery points would keep the
    environment from being destroyed [BACKUP-6]."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BackupVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:backup_vault:BackupVault", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Copies are re-encrypted with the key of the vault they arrive in [BACKUP-3].
        vault = aws.backup.Vault(
            f"{name}-vault", name=args.name, kms_key_arn=args.key_arn, force_destroy=not args.protected, opts=child
        )
        aws.backup.VaultNotifications(
            f"{name}-notifications",
            backup_vault_name=vault.name,
            sns_topic_arn=args.topic_arn,
            backup_vault_events=list(EVENTS),
            opts=child,
        )
        self.name, self.arn = vault.name, vault.arn
        self.register_outputs({"name": self.name, "arn": self.arn})
