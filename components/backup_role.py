"""The roles of AWS Backup, made of the policies that AWS maintains for it.

They are AWS's own so that a kind of resource that AWS Backup learns to save, or an action it starts to need, does not
break backups; and there are two, so that what saves data cannot overwrite any.
"""

import pulumi
import pulumi_aws as aws

from components import policies

_AWS = "arn:aws:iam::aws:policy"
# S3 has policies of its own [BACKUP-5].
BACKUP = {
    "backup": f"{_AWS}/service-role/AWSBackupServiceRolePolicyForBackup",
    "backup-s3": f"{_AWS}/AWSBackupServiceRolePolicyForS3Backup",
}
RESTORE = {
    "restore": f"{_AWS}/service-role/AWSBackupServiceRolePolicyForRestores",
    "restore-s3": f"{_AWS}/AWSBackupServiceRolePolicyForS3Restore",
}


def backup_role(
    prefix: str, role_name: str, attached: dict[str, str], *, opts: pulumi.ResourceOptions
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """A role that AWS Backup takes on, and the attachments that whoever uses it must wait for."""
    role = aws.iam.Role(
        f"{prefix}-role", name=role_name, assume_role_policy=policies.trust("backup.amazonaws.com"), opts=opts
    )
    return role, [
        aws.iam.RolePolicyAttachment(f"{prefix}-{key}", role=role.name, policy_arn=arn, opts=opts)
        for key, arn in attached.items()
    ]
