"""A region's storage and messaging: S3 buckets, backup vault, SNS topic, event bus, dead-letter queue."""

from dataclasses import dataclass

import pulumi

from components.backup.vault import BackupVault, BackupVaultArgs
from components.fault_injection.templates import bucket_tag
from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.messaging.event_bus import EventBus, EventBusArgs, bus_arn
from components.messaging.topic import Topic, TopicArgs
from components.storage.bucket import Bucket, BucketArgs
from components.storage.log_bucket import LogBucket, LogBucketArgs
from shared.places import Place
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class RegionStoreArgs:
    place: Place
    settings: RegionSettings
    account: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class RegionStore(pulumi.ComponentResource):
    """Each encrypted with the region's key, and empty enough to be deleted."""

    topic: Topic
    dead_letters: DeadLetterQueue
    bus: EventBus
    bucket: Bucket
    log_bucket: LogBucket
    vault: BackupVault

    def __init__(self, name: str, args: RegionStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionStore", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, place = args.settings, args.place
        names, region = settings.names, settings.region(place)
        self.topic = Topic(
            "topic",
            TopicArgs(
                name=names.regional("topic", place),
                region=region,
                account=args.account,
                key_arn=args.key_arn,
                email=settings.email,
            ),
            opts=child,
        )
        self.dead_letters = DeadLetterQueue(
            "dead-letters",
            DeadLetterQueueArgs(
                name=names.regional("queue-dead-letters", place),
                key_arn=args.key_arn,
                event_sources=[bus_arn(region, args.account, names.bus)],
            ),
            opts=child,
        )
        self.bus = EventBus(
            "bus",
            EventBusArgs(name=names.bus, key_arn=args.key_arn, dead_letter_arn=self.dead_letters.arn),
            opts=child,
        )
        self.bucket = Bucket(
            "bucket",
            BucketArgs(
                name=pulumi.Output.concat(names.regional("bucket", place), "-", args.account),
                key_arn=args.key_arn,
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
                key_arn=args.key_arn,
                topic_arn=self.topic.arn,
                protected=settings.protection,
            ),
            opts=child,
        )
        self.register_outputs({"topic_arn": self.topic.arn, "bucket": self.bucket.name})
