"""A region's storage and messaging: KMS key, S3 buckets, backup vault, backlog table, SNS topic, event bus, dead-letter
queue."""

from dataclasses import dataclass

import pulumi

from components.backup.vault import BackupVault, BackupVaultArgs
from components.fault_injection.templates import bucket_tag
from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.messaging.events import EventBus, EventBusArgs, bus_arn
from components.messaging.topic import Topic, TopicArgs
from components.storage.backlog_table import Backlog, BacklogArgs
from components.storage.bucket import Bucket, BucketArgs, LogBucket, LogBucketArgs
from components.storage.kms_key import DataKey, DataKeyArgs
from shared.outputs import MessagingOutputs, StorageOutputs
from shared.places import Place
from shared.references import TextInput, TextsInput
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class RegionStorageArgs:
    place: Place
    settings: RegionSettings
    account: pulumi.Input[str]


class RegionStorage(pulumi.ComponentResource):
    """Everything is encrypted with the region's key, and nothing prevents its deletion unless `dr:protection` does."""

    key_arn: pulumi.Output[str]
    topic: Topic
    dead_letters: DeadLetterQueue
    bus: EventBus
    bucket: Bucket
    log_bucket: LogBucket
    vault: BackupVault
    backlog: Backlog
    outputs: StorageOutputs[TextInput, TextsInput]
    messaging_outputs: MessagingOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: RegionStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionStorage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, place = args.settings, args.place
        names, region = settings.names, settings.region(place)
        self.key_arn = DataKey(
            "data", DataKeyArgs(alias=names.data_key_alias, account=args.account, region=region), opts=child
        ).arn
        self.topic = Topic(
            "topic",
            TopicArgs(
                name=names.regional("topic", place),
                region=region,
                account=args.account,
                key_arn=self.key_arn,
                email=settings.email,
            ),
            opts=child,
        )
        self.dead_letters = DeadLetterQueue(
            "dead-letters",
            DeadLetterQueueArgs(
                name=names.regional("queue-dead-letters", place),
                key_arn=self.key_arn,
                event_sources=[bus_arn(region, args.account, names.bus)],
            ),
            opts=child,
        )
        self.bus = EventBus(
            "bus",
            EventBusArgs(name=names.bus, key_arn=self.key_arn, dead_letter_arn=self.dead_letters.arn),
            opts=child,
        )
        self.bucket = Bucket(
            "bucket",
            BucketArgs(
                name=pulumi.Output.concat(names.regional("bucket", place), "-", args.account),
                key_arn=self.key_arn,
                protected=settings.protection,
                noncurrent_days=settings.noncurrent_days,
                tags=bucket_tag(names, place) if settings.fault_injection else {},
            ),
            opts=child,
        )
        self.log_bucket = LogBucket(
            "log-bucket",
            LogBucketArgs(
                name=pulumi.Output.concat(names.regional("bucket-logs", place), "-", args.account),
                account=args.account,
                retention_days=settings.log_retention_days,
            ),
            opts=child,
        )
        self.vault = BackupVault(
            "vault",
            BackupVaultArgs(
                name=names.regional("vault", place),
                key_arn=self.key_arn,
                topic_arn=self.topic.arn,
                protected=settings.protection,
            ),
            opts=child,
        )
        self.backlog = Backlog(
            "backlog",
            BacklogArgs(name=names.backlog_table(place), key_arn=self.key_arn, protection=settings.protection),
            opts=child,
        )
        self.outputs = StorageOutputs(
            data_key_arn=self.key_arn,
            bucket_name=self.bucket.name,
            bucket_arn=self.bucket.arn,
            vault_name=self.vault.name,
            vault_arn=self.vault.arn,
        )
        self.messaging_outputs = MessagingOutputs(
            topic_arn=self.topic.arn,
            bus_arn=self.bus.arn,
            dead_letter_arn=self.dead_letters.arn,
            dead_letter_url=self.dead_letters.url,
        )
        self.register_outputs({"topic_arn": self.topic.arn, "bucket": self.bucket.name})
