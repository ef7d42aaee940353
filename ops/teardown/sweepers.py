"""Resources that an environment leaves behind because Pulumi never managed them: one sweeper per type, each safe to
repeat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.environment.aws import Client, pages
from shared.naming import Names
from shared.places import Place


@dataclass(frozen=True, kw_only=True)
class SweptRegion:
    """One region of the environment to be swept."""

    names: Names
    place: Place
    region: str
    vpc_id: str  # empty when no VPC is known any more
    client: Client

    def service(self, name: str) -> Any:
        """The client of a service in the region."""
        return self.client(name, self.region)

    def name(self, prefix: str) -> str:
        """A regional name of the environment."""
        return self.names.regional(prefix, self.place)


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    """`find` lists the leftovers of one type, `delete` deletes one; `gone` are error codes of one that does not exist
    any more. `blocks_regions`: the leftovers would keep Pulumi from destroying the regional stacks."""

    name: str
    find: Callable[[SweptRegion], Sequence[str]]
    delete: Callable[[SweptRegion, str], object]
    gone: tuple[str, ...] = ()
    blocks_regions: bool = False

    def list_in(self, region: SweptRegion) -> list[str]:
        """Sorted names, ids or ARNs."""
        try:
            return sorted(self.find(region))
        except ClientError as error:
            return self._nothing_if_gone(error)

    def delete_in(self, region: SweptRegion, name: str) -> None:
        """No error if it does not exist any more."""
        try:
            self.delete(region, name)
        except ClientError as error:
            self._nothing_if_gone(error)

    def _nothing_if_gone(self, error: ClientError) -> list[str]:
        if error.response["Error"]["Code"] not in self.gone:
            raise error
        return []


def _recovery_points(region: SweptRegion) -> list[str]:
    client, vault = region.service("backup"), region.name("vault")
    if vault not in {each["BackupVaultName"] for each in pages(client, "list_backup_vaults", "BackupVaultList")}:
        return []
    points = pages(client, "list_recovery_points_by_backup_vault", "RecoveryPoints", BackupVaultName=vault)
    return [each["RecoveryPointArn"] for each in points]


# A vault can be deleted only when it is empty, and copies in the other region's vault are not deleted with the plan
# [BACKUP-6].
RECOVERY_POINTS = Sweeper(
    name="recovery point",
    find=_recovery_points,
    delete=lambda region, name: region.service("backup").delete_recovery_point(
        BackupVaultName=region.name("vault"), RecoveryPointArn=name
    ),
    gone=("ResourceNotFoundException",),
    blocks_regions=True,
)


def _snapshots(region: SweptRegion) -> list[str]:
    cluster = {"DBClusterIdentifier": region.name("aurora")}
    found = pages(region.service("rds"), "describe_db_cluster_snapshots", "DBClusterSnapshots", **cluster)
    return [each["DBClusterSnapshotIdentifier"] for each in found]


# After an unplanned failover AWS keeps a snapshot of the old writer's storage for its backup retention period, and may
# refuse to delete it before [AURORA-18].
SNAPSHOTS = Sweeper(
    name="database snapshot",
    find=_snapshots,
    delete=lambda region, name: region.service("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name),
    gone=("DBClusterSnapshotNotFoundFault",),
)


def _managed_rules(region: SweptRegion) -> list[str]:
    prefix = "GlobalEndpointManagedRule-"
    found = region.service("events").list_rules(EventBusName=region.names.bus, NamePrefix=prefix)["Rules"]
    return [each["Name"] for each in found]


def _delete_managed_rule(region: SweptRegion, name: str) -> None:
    client, rule = region.service("events"), {"Rule": name, "EventBusName": region.names.bus}
    targets = [each["Id"] for each in pages(client, "list_targets_by_rule", "Targets", **rule)]
    if targets:
        client.remove_targets(**rule, Ids=targets, Force=True)
    client.delete_rule(Name=name, EventBusName=region.names.bus, Force=True)


# The rule by which EventBridge replicates the events of a global endpoint, on each of its buses. A bus with a rule
# cannot be deleted (API DeleteEventBus), and this rule only by force (API DeleteRule).
MANAGED_RULES = Sweeper(
    name="managed rule",
    find=_managed_rules,
    delete=_delete_managed_rule,
    gone=("ResourceNotFoundException",),
    blocks_regions=True,
)


def _accelerator_groups(region: SweptRegion) -> list[str]:
    if not region.vpc_id:
        return []
    filters = [
        {"Name": "vpc-id", "Values": [region.vpc_id]},
        {"Name": "group-name", "Values": ["GlobalAccelerator"]},
    ]
    found = pages(region.service("ec2"), "describe_security_groups", "SecurityGroups", Filters=filters)
    return [each["GroupId"] for each in found]


# Global Accelerator creates it in a VPC when it preserves client addresses; it outlives the endpoint and blocks the
# VPC's deletion [GA-4]. Our endpoints preserve none, but one changed by hand may.
ACCELERATOR_GROUPS = Sweeper(
    name="accelerator's security group",
    find=_accelerator_groups,
    delete=lambda region, name: region.service("ec2").delete_security_group(GroupId=name),
    gone=("InvalidGroup.NotFound",),
    blocks_regions=True,
)


def _parameters(region: SweptRegion) -> list[str]:
    prefixes = [f"{region.names.parameters}/", *(region.names.parameter_deletions(place) for place in Place)]
    below = {"Key": "Name", "Option": "BeginsWith", "Values": prefixes}
    found = pages(region.service("ssm"), "describe_parameters", "Parameters", ParameterFilters=[below])
    return [each["Name"] for each in found]


# Copies in the other region belong to the synchronization alone, and a late event can write one after Pulumi has
# deleted its source.
PARAMETERS = Sweeper(
    name="parameter",
    find=_parameters,
    delete=lambda region, name: region.service("ssm").delete_parameter(Name=name),
    gone=("ParameterNotFound",),
)

LOG_GROUP_PREFIXES = (
    "/aws/lambda/function-",
    "/aws/vendedlogs/states/failover-",
    "/aws/vendedlogs/states/failback-",
    "/aws/apigateway/api-payments-",
    "/aws/vpc/flow-logs/vpc-",
    "aws-waf-logs-acl-",
)


def _log_groups(region: SweptRegion) -> list[str]:
    end = f"-{region.place}-{region.names.suffix}"
    cluster = f"/aws/rds/cluster/{region.name('aurora')}/"
    found: list[str] = []
    for prefix in (*LOG_GROUP_PREFIXES, cluster):
        groups = pages(region.service("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        names = [each["logGroupName"] for each in groups]
        found += [name for name in names if prefix == cluster or name.endswith(end)]
    return found


# Created again by a late call after Pulumi had deleted them, or by RDS. They carry no tags, so they are recognized by
# name: a prefix of one of our services, and the place and the suffix at the end.
LOG_GROUPS = Sweeper(
    name="log group",
    find=_log_groups,
    delete=lambda region, name: region.service("logs").delete_log_group(logGroupName=name),
    gone=("ResourceNotFoundException",),
)

# Recovery points before snapshots: a backup's snapshot is deleted with its recovery point only.
SWEEPERS = (RECOVERY_POINTS, SNAPSHOTS, MANAGED_RULES, ACCELERATOR_GROUPS, PARAMETERS, LOG_GROUPS)
BLOCKING = tuple(sweeper for sweeper in SWEEPERS if sweeper.blocks_regions)
