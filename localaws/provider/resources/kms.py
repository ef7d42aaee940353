"""Keys and their aliases."""

from localaws.provider.table import ALL, Call, Entry, Name, Tags

TYPES = {
    "aws:kms/key:Key": Entry(
        service="kms",
        create=Call("create_key", auto=ALL),
        puts=(
            Call("put_key_policy", {"KeyId": "{id}", "PolicyName": "default", "Policy": "{in.policy}"}),
            Call(
                "enable_key_rotation",
                {"KeyId": "{id}", "RotationPeriodInDays": "{in.rotationPeriodInDays}"},
                when=("in.enableKeyRotation",),
            ),
        ),
        update=(Call("update_key_description", {"KeyId": "{id}", "Description": "{in.description}"}),),
        id="{made.KeyMetadata.KeyId}",
        delete=(
            Call(
                "schedule_key_deletion",
                {"KeyId": "{id}", "PendingWindowInDays": "{in.deletionWindowInDays}"},
            ),
        ),
        rename={"customerMasterKeySpec": "KeySpec", "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck"},
        defaults={"description": "Managed by Pulumi", "deletionWindowInDays": 30},
        provider_only={
            "deletionWindowInDays": "counts when the key is deleted",
            "isEnabled": "keys are enabled when they are made",
        },
        tags=Tags(resource="{id}"),
        outputs={"arn": "{made.KeyMetadata.Arn}", "keyId": "{id}"},
    ),
    "aws:kms/alias:Alias": Entry(
        service="kms",
        create=Call("create_alias", auto=ALL),
        update=(Call("update_alias", {"AliasName": "{id}", "TargetKeyId": "{in.targetKeyId}"}),),
        id="{in.name}",
        read=Call("describe_key", {"KeyId": "{id}"}),
        delete=(Call("delete_alias", {"AliasName": "{id}"}),),
        rename={"name": "AliasName"},
        autoname=Name(prefix="alias/", limit=256),
        outputs={
            "arn": "arn:aws:kms:{region}:{account}:{in.name}",
            "targetKeyArn": "{found.KeyMetadata.Arn}",
        },
    ),
}
