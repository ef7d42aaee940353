"""The data of both regions: journal, database, bucket replication, backups and the parameters an environment starts
with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.backup.plan import BackupPlan, BackupPlanArgs, RestoreTesting, RestoreTestingArgs
from components.database.global_database import Database, DatabaseArgs
from components.storage.bucket_replication import BucketReplication, BucketReplicationArgs
from components.storage.journal_table import Journal, JournalArgs
from components.storage.parameters import SeededParameters, SeededParametersArgs
from shared.places import Place
from shared.references import Regions
from shared.settings import GlobalSettings


@dataclass(frozen=True, kw_only=True)
class GlobalDataArgs:
    settings: GlobalSettings
    regions: Regions
    secret_parameters: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)


class GlobalData(pulumi.ComponentResource):
    """Made through the primary's provider, which must be given, except what lives in the secondary region."""

    journal: Journal
    database: Database

    def __init__(self, name: str, args: GlobalDataArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:global:GlobalData", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, regions, names = args.settings, args.regions, args.settings.names
        primary, secondary = regions[Place.PRIMARY].outputs, regions[Place.SECONDARY].outputs
        self.journal = Journal("journal", JournalArgs(settings=settings, regions=regions), opts=child)
        self.database = Database("database", DatabaseArgs(settings=settings, regions=regions), opts=child)
        BucketReplication("buckets", BucketReplicationArgs(names=names, regions=regions), opts=child)
        BackupPlan(
            "backup",
            BackupPlanArgs(
                name=names.shared("backup"),
                role_name=names.shared("role-backup"),
                vault_name=primary.storage.vault_name,
                copy_vault_arn=secondary.storage.vault_arn,
                retention_days=settings.backup_retention_days,
                resources=[self.journal.arn, self.database.cluster_arns[Place.PRIMARY], primary.storage.bucket_arn],
            ),
            opts=child,
        )
        # On the copies: that they can be restored is what counts when the first region is gone.
        RestoreTesting(
            "restore-testing",
            RestoreTestingArgs(
                name=names.restore_testing,
                role_name=names.shared("role-restore-testing"),
                vault_arn=secondary.storage.vault_arn,
                key_arn=secondary.storage.data_key_arn,
                database_subnet_group=secondary.database.subnet_group,
                selection_days=settings.backup_retention_days,
            ),
            opts=pulumi.ResourceOptions(parent=self, provider=regions[Place.SECONDARY].provider),
        )
        SeededParameters(
            "parameters",
            SeededParametersArgs(
                names=names,
                key_arn=primary.storage.data_key_arn,
                writer_endpoint=self.database.writer_endpoint,
                writer_region=settings.primary_region,
                flags=settings.feature_flags,
                secrets=args.secret_parameters,
            ),
            opts=child,
        )
        self.register_outputs({})
