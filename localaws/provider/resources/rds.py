"""Aurora: global clusters, clusters, instances."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Maybe, Name, Tags

_ENGINE_CHOICE = "only decides when the provider carries out a change"


def _members(context: Context) -> list[dict[str, Any]]:
    found = context.get("found.GlobalClusters[0].GlobalClusterMembers") or []
    return [
        {"dbClusterArn": member.get("DBClusterArn", ""), "isWriter": bool(member.get("IsWriter"))} for member in found
    ]


def _leave_global(context: Context, member: str) -> None:
    """Take a cluster out of its global cluster; the provider does so before it deletes either."""
    asked = {"GlobalClusterIdentifier": context.get("in.globalClusterIdentifier"), "DbClusterIdentifier": member}
    context.call("remove_from_global_cluster", asked)


def _delete_global(context: Context) -> None:
    if context.get("in.forceDestroy"):
        asked = {"GlobalClusterIdentifier": context.id}
        found = context.call("describe_global_clusters", asked)["GlobalClusters"]
        for member in found[0].get("GlobalClusterMembers") or []:
            _leave_global(context, member["DBClusterArn"])
    context.call("delete_global_cluster", {"GlobalClusterIdentifier": context.id})


def _delete_cluster(context: Context) -> None:
    if context.get("in.globalClusterIdentifier"):
        asked = {"GlobalClusterIdentifier": context.get("in.globalClusterIdentifier")}
        found = context.call("describe_global_clusters", asked)["GlobalClusters"]
        members = [member.get("DBClusterArn") for item in found for member in item.get("GlobalClusterMembers") or []]
        if context.out["arn"] in members:
            _leave_global(context, context.out["arn"])
    snapshot = context.get("in.finalSnapshotIdentifier")
    skip = bool(context.get("in.skipFinalSnapshot"))
    final = {} if skip or not snapshot else {"FinalDBSnapshotIdentifier": snapshot}
    context.call("delete_db_cluster", {"DBClusterIdentifier": context.id, "SkipFinalSnapshot": skip, **final})


def _secrets(context: Context) -> list[dict[str, str]]:
    """The secret that RDS itself keeps for the master user, if it does."""
    found = context.get("found.DBClusters[0].MasterUserSecret")
    if not found or not context.inputs.get("manageMasterUserPassword"):
        return []
    return [
        {
            "secretArn": found.get("SecretArn", ""),
            "secretStatus": found.get("SecretStatus", ""),
            "kmsKeyId": found.get("KmsKeyId", ""),
        }
    ]


_CLUSTER = {
    "clusterIdentifier": "DBClusterIdentifier",
    "masterPassword": "MasterUserPassword",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
}
_CLUSTER_CHANGES = (
    "backupRetentionPeriod",
    "copyTagsToSnapshot",
    "dbClusterParameterGroupName",
    "deletionProtection",
    "enableGlobalWriteForwarding",
    "enableHttpEndpoint",
    "engineVersion",
    "masterPassword",
    "preferredBackupWindow",
    "preferredMaintenanceWindow",
    "serverlessv2ScalingConfiguration",
    "vpcSecurityGroupIds",
)
_INSTANCE = {
    "identifier": "DBInstanceIdentifier",
    "clusterIdentifier": "DBClusterIdentifier",
    "instanceClass": "DBInstanceClass",
    "caCertIdentifier": "CACertificateIdentifier",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
}
_INSTANCE_CHANGES = ("instanceClass", "promotionTier", "autoMinorVersionUpgrade", "preferredMaintenanceWindow")


def _is_writer(context: Context) -> bool:
    asked = {"DBClusterIdentifier": context.inputs["clusterIdentifier"]}
    clusters = context.call("describe_db_clusters", asked)["DBClusters"]
    members = clusters[0].get("DBClusterMembers") or []
    return any(member["DBInstanceIdentifier"] == context.id and member.get("IsClusterWriter") for member in members)


def _parameters(context: Context) -> list[dict[str, str]] | None:
    return [
        {
            "ParameterName": item["name"],
            "ParameterValue": item["value"],
            "ApplyMethod": item.get("applyMethod") or "immediate",
        }
        for item in context.inputs.get("parameters") or []
    ] or None


def _set_parameters(context: Context) -> None:
    wanted = _parameters(context)
    if wanted:
        asked = {"DBClusterParameterGroupName": context.id, "Parameters": wanted}
        context.call("modify_db_cluster_parameter_group", asked)


TYPES = {
    "aws:rds/globalCluster:GlobalCluster": Entry(
        service="rds",
        create=Call("create_global_cluster", auto=ALL),
        update=(
            Call(
                "modify_global_cluster",
                {"GlobalClusterIdentifier": "{id}"},
                auto=("deletionProtection", "engineVersion"),
            ),
        ),
        id="{in.globalClusterIdentifier}",
        read=Call("describe_global_clusters", {"GlobalClusterIdentifier": "{id}"}),
        delete=(Do(_delete_global),),
        provider_only={"forceDestroy": "counts when the global cluster is deleted"},
        tags=Tags(),
        outputs={
            "arn": "{found.GlobalClusters[0].GlobalClusterArn}",
            "endpoint": lambda context: context.get("found.GlobalClusters[0].Endpoint") or "",
            "engineVersionActual": lambda context: context.get("found.GlobalClusters[0].EngineVersion") or "",
            "globalClusterMembers": _members,
            "globalClusterResourceId": "{found.GlobalClusters[0].GlobalClusterResourceId}",
        },
    ),
    "aws:rds/cluster:Cluster": Entry(
        service="rds",
        create=Call("create_db_cluster", auto=ALL),
        update=(
            Call("modify_db_cluster", {"DBClusterIdentifier": "{id}", "ApplyImmediately": True}, auto=_CLUSTER_CHANGES),
        ),
        id="{in.clusterIdentifier}",
        read=Call("describe_db_clusters", {"DBClusterIdentifier": "{id}"}),
        ready="found.DBClusters[0].Status == 'available'",
        delete=(Do(_delete_cluster),),
        rename=_CLUSTER,
        autoname=Name(argument="clusterIdentifier", limit=63, lower=True),
        provider_only={
            "skipFinalSnapshot": "counts when the cluster is deleted",
            "finalSnapshotIdentifier": "counts when the cluster is deleted",
            "deleteAutomatedBackups": "counts when the cluster is deleted",
            "applyImmediately": _ENGINE_CHOICE,
            "allowMajorVersionUpgrade": _ENGINE_CHOICE,
            "dbInstanceParameterGroupName": "counts for a major version upgrade",
        },
        tags=Tags(inline=False),  # the emulator forgets those of the creating call
        outputs={
            "arn": "{found.DBClusters[0].DBClusterArn}",
            "clusterResourceId": "{found.DBClusters[0].DbClusterResourceId}",
            "endpoint": "{found.DBClusters[0].Endpoint}",
            "readerEndpoint": "{found.DBClusters[0].ReaderEndpoint}",
            "port": "{found.DBClusters[0].Port}",
            "engineVersionActual": "{found.DBClusters[0].EngineVersion}",
            "hostedZoneId": lambda context: context.get("found.DBClusters[0].HostedZoneId") or "",
            "masterUsername": Maybe(value="{found.DBClusters[0].MasterUsername}"),
            "databaseName": Maybe(value="{found.DBClusters[0].DatabaseName}"),
            "masterUserSecrets": _secrets,
            "caCertificateValidTill": "",
            "upgradeRolloutOrder": "",
        },
    ),
    "aws:rds/clusterInstance:ClusterInstance": Entry(
        service="rds",
        create=Call("create_db_instance", auto=ALL),
        update=(
            Call(
                "modify_db_instance", {"DBInstanceIdentifier": "{id}", "ApplyImmediately": True}, auto=_INSTANCE_CHANGES
            ),
        ),
        id="{in.identifier}",
        read=Call("describe_db_instances", {"DBInstanceIdentifier": "{id}"}),
        ready="found.DBInstances[0].DBInstanceStatus == 'available'",
        delete=(Call("delete_db_instance", {"DBInstanceIdentifier": "{id}", "SkipFinalSnapshot": True}),),
        rename=_INSTANCE,
        autoname=Name(argument="identifier", limit=63, lower=True),
        provider_only={
            "applyImmediately": _ENGINE_CHOICE,
            "forceDestroy": "counts when the instance is deleted",
        },
        tags=Tags(inline=False),  # the emulator forgets those of the creating call
        outputs={
            "arn": "{found.DBInstances[0].DBInstanceArn}",
            "dbiResourceId": "{found.DBInstances[0].DbiResourceId}",
            "endpoint": "{found.DBInstances[0].Endpoint.Address}",
            "port": "{found.DBInstances[0].Endpoint.Port}",
            "engineVersionActual": "{found.DBInstances[0].EngineVersion}",
            "kmsKeyId": Maybe(value="{found.DBInstances[0].KmsKeyId}"),
            "networkType": Maybe(value="{found.DBInstances[0].NetworkType}", otherwise="IPV4"),
            "storageEncrypted": Maybe(value="{found.DBInstances[0].StorageEncrypted}", otherwise=False),
            "availabilityZone": Maybe(value="{found.DBInstances[0].AvailabilityZone}"),
            "writer": _is_writer,
        },
    ),
    "aws:rds/subnetGroup:SubnetGroup": Entry(
        service="rds",
        create=Call("create_db_subnet_group", auto=ALL),
        update=(
            Call(
                "modify_db_subnet_group",
                {
                    "DBSubnetGroupName": "{id}",
                    "SubnetIds": "{in.subnetIds}",
                    "DBSubnetGroupDescription": "{in.description}",
                },
            ),
        ),
        id="{in.name}",
        read=Call("describe_db_subnet_groups", {"DBSubnetGroupName": "{id}"}),
        delete=(Call("delete_db_subnet_group", {"DBSubnetGroupName": "{id}"}),),
        rename={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
        autoname=Name(limit=255, lower=True),
        defaults={"description": "Managed by Pulumi"},
        tags=Tags(),
        outputs={
            "arn": "{found.DBSubnetGroups[0].DBSubnetGroupArn}",
            "vpcId": Maybe(value="{found.DBSubnetGroups[0].VpcId}"),
            "supportedNetworkTypes": ["IPV4"],
        },
    ),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": Entry(
        service="rds",
        create=Call("create_db_cluster_parameter_group", auto=ALL),
        puts=(Do(_set_parameters, takes=("parameters",)),),
        id="{in.name}",
        delete=(Call("delete_db_cluster_parameter_group", {"DBClusterParameterGroupName": "{id}"}),),
        rename={"name": "DBClusterParameterGroupName", "family": "DBParameterGroupFamily"},
        autoname=Name(limit=255, lower=True),
        defaults={"description": "Managed by Pulumi"},
        tags=Tags(),
        outputs={"arn": "{made.DBClusterParameterGroup.DBClusterParameterGroupArn}"},
    ),
}
