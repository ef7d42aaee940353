"""Snapshots of the database's members. After an unplanned failover AWS keeps one of the old writer's storage
for its backup retention period, and may refuse to delete it before [AURORA-18]."""

from ops.environment.aws import pages
from ops.teardown.sweeps.kind import Ground, Kind


def find(ground: Ground) -> list[str]:
    cluster = ground.names.regional("aurora", ground.place)
    found = pages(
        ground.here("rds"), "describe_db_cluster_snapshots", "DBClusterSnapshots", DBClusterIdentifier=cluster
    )
    return sorted(each["DBClusterSnapshotIdentifier"] for each in found)


def remove(ground: Ground, name: str) -> None:
    client = ground.here("rds")
    try:
        client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
    except client.exceptions.DBClusterSnapshotNotFoundFault:
        return


KIND = Kind(name="database snapshot", find=find, remove=remove)
