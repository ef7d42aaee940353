"""The Aurora global database: one global cluster and a member cluster at each place.

An Aurora member can join a global cluster only when it is created, so both members live where the global cluster is
known [AURORA-1]. Which member is the writer is a role: it moves in a failover, and nothing here moves with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from shared.outputs import DatabaseOutputs
from shared.places import Place
from shared.references import Regions, TextInput, TextsInput
from shared.settings import GlobalSettings


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Differences between the two Aurora engines."""

    name: str
    family: str
    log_exports: tuple[str, ...]
    parameters: dict[str, str]


ENGINES = {
    engine.name: engine
    for engine in (
        Engine(
            name="aurora-postgresql",
            family="aurora-postgresql16",
            log_exports=("postgresql",),
            parameters={"rds.force_ssl": "1"},
        ),
        Engine(
            name="aurora-mysql",
            family="aurora-mysql8.0",
            log_exports=("error",),
            parameters={"require_secure_transport": "ON"},
        ),
    )
}


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
        # From the version, so that the ARN is known once the secret has a value.
        self.arn = version.secret_arn
        self.register_outputs({"arn": self.arn})


INSTANCE_CLASS = "db.serverless"
USERNAME = "dr_admin"
DATABASE = "payments"
# AWS fills this in on whichever member is the reader, and clearing it would promote that member [AURORA-2].
_ROLE_DEPENDENT = ["replication_source_identifier"]
# Aurora needs 10 to 20 minutes to create or join a cluster; the provider's own limit leaves no room for a slow day.
_TIMEOUTS = pulumi.CustomTimeouts(create="90m", update="90m", delete="90m")


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    settings: GlobalSettings
    regions: Regions


class Database(pulumi.ComponentResource):
    """Serverless v2 members behind one global writer endpoint, Data API on, a generated password in Secrets Manager."""

    global_cluster_id: pulumi.Output[str]
    writer_endpoint: pulumi.Output[str]
    cluster_arns: dict[Place, pulumi.Output[str]]
    secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:database:Database", name, None, opts)
        self._prefix, self._settings, self._regions = name, args.settings, args.regions
        self._names = args.settings.names
        self._engine: Engine = ENGINES[args.settings.engine]
        primary, secondary = args.regions[Place.PRIMARY], args.regions[Place.SECONDARY]

        self._global = aws.rds.GlobalCluster(
            f"{name}-global",
            global_cluster_identifier=self._names.global_cluster,
            engine=self._engine.name,
            engine_version=self._settings.database_version,
            database_name=DATABASE,
            storage_encrypted=True,
            deletion_protection=args.settings.protection,
            # Destroying it detaches the remaining members, in the right order [AURORA-3].
            force_destroy=True,
            # AWS and operators upgrade the members; see docs/runbooks/upgrade-database.md.
            opts=pulumi.ResourceOptions.merge(
                self._at(Place.PRIMARY), pulumi.ResourceOptions(ignore_changes=["engine_version"])
            ),
        )
        # Secrets Manager's own integration does not work in a global database [AURORA-5]. A slash, a quote and an at
        # sign are not allowed, and nothing that is left needs escaping in a URL.
        password = random.RandomPassword(
            f"{name}-password", length=40, override_special="-_.~", opts=pulumi.ResourceOptions(parent=self)
        )
        first = self._member(Place.PRIMARY, password=password.result)
        writer = self._instance(Place.PRIMARY, first)
        # A member can join only once the global cluster has a writer; without master user, password or database, which
        # AWS refuses on a joining member [AURORA-6].
        second = self._member(Place.SECONDARY, source_region=primary.region, after=[writer])
        self._instance(Place.SECONDARY, second)
        secret = DatabaseSecret(
            f"{name}-secret",
            DatabaseSecretArgs(
                name=self._names.database_secret,
                username=USERNAME,
                password=password.result,
                key_arn=primary.outputs.storage.data_key_arn,
                replica_region=secondary.region,
                replica_key_arn=secondary.outputs.storage.data_key_arn,
            ),
            opts=self._at(Place.PRIMARY),
        )
        self.global_cluster_id, self.writer_endpoint = self._global.id, self._global.endpoint
        self.cluster_arns = {Place.PRIMARY: first.arn, Place.SECONDARY: second.arn}
        self.secret_arn = secret.arn
        self.register_outputs({"global_cluster_id": self.global_cluster_id})

    def _at(self, place: Place, after: list[pulumi.Resource] | None = None) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self._regions[place].provider, depends_on=after or [])

    def _member(
        self,
        place: Place,
        *,
        password: pulumi.Input[str] | None = None,
        source_region: str | None = None,
        after: list[pulumi.Resource] | None = None,
    ) -> aws.rds.Cluster:
        """The member that starts the database gets its name and credentials; the one that joins, the region it copies
        from."""
        outputs = self._regions[place].outputs
        parameters = aws.rds.ClusterParameterGroup(
            f"{self._prefix}-parameters-{place}",
            name=self._names.regional("parameters-database", place),
            family=self._engine.family,
            parameters=[{"name": key, "value": value} for key, value in sorted(self._engine.parameters.items())],
            opts=self._at(place),
        )
        return aws.rds.Cluster(
            f"{self._prefix}-{place}",
            cluster_identifier=self._names.regional("aurora", place),
            global_cluster_identifier=self._global.id,
            engine=self._engine.name,
            engine_mode="provisioned",
            engine_version=self._settings.database_version,
            db_subnet_group_name=outputs.database.subnet_group,
            db_cluster_parameter_group_name=parameters.name,
            vpc_security_group_ids=[outputs.database.security_group_id],
            storage_encrypted=True,
            kms_key_id=outputs.storage.data_key_arn,
            serverlessv2_scaling_configuration={
                "min_capacity": self._settings.min_capacity,
                "max_capacity": self._settings.max_capacity,
            },
            enable_http_endpoint=True,
            enabled_cloudwatch_logs_exports=list(self._engine.log_exports),
            backup_retention_period=7,
            copy_tags_to_snapshot=True,
            deletion_protection=self._settings.protection,
            skip_final_snapshot=True,
            apply_immediately=True,
            # Whether Aurora creates the database that the global cluster names, is not documented [AURORA-27].
            database_name=None if password is None else DATABASE,
            master_username=None if password is None else USERNAME,
            master_password=password,
            source_region=source_region,
            opts=pulumi.ResourceOptions.merge(
                self._at(place, after),
                pulumi.ResourceOptions(ignore_changes=[*_ROLE_DEPENDENT, "engine_version"], custom_timeouts=_TIMEOUTS),
            ),
        )

    def _instance(self, place: Place, cluster: aws.rds.Cluster) -> aws.rds.ClusterInstance:
        return aws.rds.ClusterInstance(
            f"{self._prefix}-{place}-1",
            identifier=self._names.regional("aurora-1", place),
            cluster_identifier=cluster.id,
            # No version: an instance has its cluster's, and changes with it [AURORA-7].
            engine=aws.rds.EngineType(self._engine.name),
            instance_class=INSTANCE_CLASS,
            db_subnet_group_name=self._regions[place].outputs.database.subnet_group,
            # Has no effect on members of a global database, though AWS accepts it [AURORA-8].
            auto_minor_version_upgrade=False,
            promotion_tier=0,
            publicly_accessible=False,
            apply_immediately=True,
            opts=pulumi.ResourceOptions.merge(self._at(place), pulumi.ResourceOptions(custom_timeouts=_TIMEOUTS)),
        )


@dataclass(frozen=True, kw_only=True)
class DatabasePlacementArgs:
    subnet_group_name: str
    security_group_name: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]


class DatabasePlacement(pulumi.ComponentResource):
    """Subnet group and security group. The group has no rule at all: functions talk to the database through the Data
    API, which reaches it inside AWS, so that no network path to it is needed."""

    outputs: DatabaseOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: DatabasePlacementArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:database:DatabasePlacement", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        subnets = aws.rds.SubnetGroup(
            f"{name}-subnets", name=args.subnet_group_name, subnet_ids=list(args.subnet_ids), opts=child
        )
        group = aws.ec2.SecurityGroup(
            f"{name}-network",
            name=args.security_group_name,
            vpc_id=args.vpc_id,
            description="Database: Data API only",
            opts=child,
        )
        self.outputs = DatabaseOutputs(subnet_group=subnets.name, security_group_id=group.id)
        self.register_outputs(self.outputs.to_plain())
