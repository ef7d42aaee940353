"""Recovery points in the environment's vault. A vault can be deleted only when it is empty, and copies in the other
region's vault do not go with the plan [BACKUP-6]."""

from ops.environment.aws import pages
from ops.teardown.sweeps.kind import Ground, Kind


def find(ground: Ground) -> list[str]:
    client = ground.here("backup")
    vaults = {each["BackupVaultName"] for each in pages(client, "list_backup_vaults", "BackupVaultList")}
    if _vault(ground) not in vaults:
        return []
    found = pages(client, "list_recovery_points_by_backup_vault", "RecoveryPoints", BackupVaultName=_vault(ground))
    return sorted(each["RecoveryPointArn"] for each in found)


def remove(ground: Ground, name: str) -> None:
    client = ground.here("backup")
    try:
        client.delete_recovery_point(BackupVaultName=_vault(ground), RecoveryPointArn=name)
    except client.exceptions.ResourceNotFoundException:
        return


def _vault(ground: Ground) -> str:
    return ground.names.regional("vault", ground.place)


KIND = Kind(name="recovery point", find=find, remove=remove, blocks_regions=True)
