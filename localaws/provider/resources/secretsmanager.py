"""Secrets, their replicas and their values."""

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags


def _replicate(context: Context) -> None:
    """Replicas named by the program are added; no others are taken away, as long as the secret lives."""
    wanted = {item["region"]: item for item in context.inputs.get("replicas") or []}
    former = {item["region"] for item in context.before.get("replicas") or []}
    if former - wanted.keys():
        regions = sorted(former - wanted.keys())
        context.call("remove_regions_from_replication", {"SecretId": context.id, "RemoveReplicaRegions": regions})
    added = [
        {key: item[key] for key in ("region", "kmsKeyId") if key in item}
        for region, item in wanted.items()
        if region not in former
    ]
    if added:
        force = bool(context.inputs.get("forceOverwriteReplicaSecret"))
        asked = {"SecretId": context.id, "AddReplicaRegions": added, "ForceOverwriteReplicaSecret": force}
        context.call("replicate_secret_to_regions", asked)


def _delete(context: Context) -> None:
    """A window of 0 days means at once, in the provider and not in AWS.

    AWS requires that replicas are removed first; the emulator has no call for that and lets them go with the secret.
    """
    days = context.get("in.recoveryWindowInDays")
    now = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": days}
    context.call("delete_secret", {"SecretId": context.id, **now})


TYPES = {
    "aws:secretsmanager/secret:Secret": Entry(
        service="secretsmanager",
        create=Call("create_secret", auto=ALL),
        puts=(
            Call("put_resource_policy", {"SecretId": "{id}", "ResourcePolicy": "{in.policy}"}),
            Do(_replicate, takes=("replicas", "forceOverwriteReplicaSecret")),
        ),
        update=(Call("update_secret", {"SecretId": "{id}"}, auto=("description", "kmsKeyId")),),
        id="{made.ARN}",
        delete=(Do(_delete),),
        autoname=Name(limit=512),
        defaults={"recoveryWindowInDays": 30},
        provider_only={"recoveryWindowInDays": "counts when the secret is deleted"},
        tags=Tags(resource="{id}"),
        outputs={"arn": "{id}"},
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Entry(
        service="secretsmanager",
        create=Call("put_secret_value", auto=ALL),
        update=(Call("put_secret_value", {"SecretId": "{out.secretId}"}, auto=("secretString", "secretBinary")),),
        id="{made.ARN}|{made.VersionId}",
        delete=(),  # the current version cannot be taken away; it goes with the secret, as with the provider
        outputs={
            "arn": "{made.ARN}",
            "secretArn": "{made.ARN}",
            "versionId": "{made.VersionId}",
            "versionStages": "{made.VersionStages}",
            "hasSecretStringWo": False,
        },
    ),
}
