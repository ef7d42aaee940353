"""The ledger function on an embedded AWS: real PostgreSQL behind the Data API; DynamoDB, EventBridge, SQS over HTTP."""

import io
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from boto3.dynamodb.types import TypeSerializer
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import Session
from ledger.announcing import Announcer
from ledger.application import Application
from ledger.database import DIALECTS, Database
from ledger.settings import AnnouncerSettings, Settings

from common.payment_record import JournalEntry
from tests.functions.harness import EAST_1, EAST_2, variables
from tests.local.aurora_world import DATABASE, Deployed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET_WORDS = "secret words"
ANNOUNCER = "function-announcer"


def entry(number: int = 1, **changed: str) -> JournalEntry:
    """The payment `number`, accepted that many seconds after noon."""
    content = {
        "payment_id": f"order-{number:04}",
        "amount": "12.50",
        "currency": "EUR",
        "debtor": "SECRETDEBTOR1",
        "creditor": "SECRETCREDITOR1",
        "reference": SECRET_WORDS,
        **changed,
    }
    return JournalEntry.accept(content, at=NOON + timedelta(seconds=number), region=EAST_1)


def record(
    item: dict[str, Any], sequence: int, *, old: dict[str, Any] | None = None, age: float = 0.0
) -> dict[str, Any]:
    """As Lambda hands it over [LAMBDA-13], `age` seconds after it was written."""
    images = {"NewImage": item, **({"OldImage": old} if old else {})}
    written = {"ApproximateCreationDateTime": time.time() - age}
    return {
        "eventID": str(sequence),
        "eventName": "MODIFY" if old else "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"pk": item["pk"]}, "SequenceNumber": str(sequence), **written, **images},
    }


def ids(*numbers: int) -> list[str]:
    """Payment ids of `entry`."""
    return [entry(number).payment_id for number in numbers]


@contextmanager
def failing(
    patch: pytest.MonkeyPatch,
    operation: str,
    *,
    after: int = 0,
    instead: Mapping[str, Callable[[Any], object]] | None = None,
) -> Iterator[list[str]]:
    """Let calls of `operation` fail, but for the first `after` ones; yields the operations that were called. Those in
    `instead` go to a function with their arguments."""
    any_client: Any = BaseClient
    call, calls = any_client._make_api_call, list[str]()

    def call_or_fail(client: Any, name: str, arguments: Any) -> Any:
        calls.append(name)
        if name == operation and calls.count(name) > after:
            raise ClientError({"Error": {"Code": "InternalException", "Message": "down"}}, name)
        if instead and name in instead:
            return instead[name](arguments)
        return call(client, name, arguments)

    with patch.context() as during:
        during.setattr(BaseClient, "_make_api_call", call_or_fail)
        yield calls


@dataclass
class Context:
    remaining_ms: int = 60_000
    function_name: str = "ledger"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:ledger"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass
class LedgerWorld:
    """Two regions, each with its tables, a bus whose events end in a queue, and a queue for poison."""

    database: Deployed
    table: str = field(default_factory=lambda: f"journal-{uuid.uuid4().hex[:8]}")
    log: io.StringIO = field(default_factory=io.StringIO)
    session: Session | None = None  # of the ledger's clients

    @property
    def backlog_table(self) -> str:
        return f"{self.table}-backlog"

    def __post_init__(self) -> None:
        for region in (EAST_1, EAST_2):
            self.client("dynamodb", region).create_table(
                TableName=self.table,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            self.client("dynamodb", region).create_table(
                TableName=self.backlog_table,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                BillingMode="PAY_PER_REQUEST",
            )
        self.client("sqs", EAST_2).create_queue(QueueName=f"{self.table}-poison")
        self.poison_url = self.client("sqs").create_queue(QueueName=f"{self.table}-poison")["QueueUrl"]
        self.events_urls = {region: self._bus(region) for region in (EAST_1, EAST_2)}

    def _bus(self, region: str) -> str:
        sqs, events = self.client("sqs", region), self.client("events", region)
        url = str(sqs.create_queue(QueueName=f"{self.table}-events")["QueueUrl"])
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.create_event_bus(Name=self.table)
        events.put_rule(Name=self.table, EventBusName=self.table, EventPattern='{"source": ["payments"]}')
        events.put_targets(Rule=self.table, EventBusName=self.table, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def client(self, service: str, region: str = EAST_1) -> Any:
        return self.database.emulator.client(service, region)

    def function(self, region: str = EAST_1, **changed: str) -> Application:
        own = {
            "ANNOUNCER_FUNCTION": ANNOUNCER,
            "POISON_QUEUE_URL": self.poison_url,
            "BACKLOG_TABLE": self.backlog_table,
            "PEER_BACKLOG_TABLE": self.backlog_table,
        }
        settings = Settings.read(self._environment(region, **(own | changed)))
        return Application(settings, Logger(service=f"ledger-{uuid.uuid4()}", stream=self.log), self.session)

    def announcer(self, region: str = EAST_1, **changed: str) -> Announcer:
        """With ages that no slow machine reaches between two calls of a test."""
        own = {
            "EVENT_BUS": self.table,
            "ANNOUNCE_YOUNG_SECONDS": "20000",
            "ANNOUNCE_SETTLED_SECONDS": "30000",
        }
        settings = AnnouncerSettings.read(self._environment(region, **(own | changed)))
        return Announcer(settings, Logger(service=f"announcer-{uuid.uuid4()}", stream=self.log))

    def _environment(self, region: str, **changed: str) -> dict[str, str]:
        return {
            **variables(region),
            "JOURNAL_TABLE": self.table,
            "CLUSTER_ARN": self.database.clusters[region],
            "DATABASE_SECRET": self.database.secret.split(":")[-1].rsplit("-", 1)[0],
            "DATABASE_NAME": DATABASE,
            "DATABASE_ENGINE": "aurora-postgresql",
            **changed,
        }

    def ledger_table(self, region: str = EAST_1) -> Database:
        """The ledger table through the member of `region`."""
        return Database(
            self.client("rds-data", region),
            cluster_arn=self.database.clusters[region],
            secret_arn=lambda: self.database.secret,
            database=DATABASE,
            dialect=DIALECTS["aurora-postgresql"],
        )

    def put(self, item: dict[str, Any], region: str = EAST_1) -> None:
        self.client("dynamodb", region).put_item(TableName=self.table, Item=item)

    def name_writer(self, region: str, epoch: int, *, replica: str = EAST_1) -> None:
        self.put(self.writer_record(region, epoch), replica)

    def writer_record(self, region: str, epoch: int) -> dict[str, Any]:
        fields = {"pk": "control#writer", "region": region, "epoch": epoch, "since": "", "by": "a test"}
        return {name: TypeSerializer().serialize(value) for name, value in fields.items()}

    def backlog(self, region: str = EAST_1) -> list[list[str]]:
        """The payment ids of each batch in a region's backlog, the oldest batch first."""
        found = self.client("dynamodb", region).query(
            TableName=self.backlog_table,
            KeyConditionExpression="pk = :batches",
            ExpressionAttributeValues={":batches": {"S": "batches"}},
        )
        return [[each["S"] for each in item["ids"]["L"]] for item in found["Items"]]

    def rows(self, columns: str = "payment_id") -> list[Any]:
        found = self.database.sql(EAST_1, f"SELECT {columns} FROM ledger ORDER BY payment_id")
        return [row[0] for row in found] if "," not in columns else [tuple(row) for row in found]

    def unannounced(self) -> list[str]:
        """Ids of the rows that are not marked as announced, in order."""
        sql = "SELECT payment_id FROM ledger WHERE announced_at IS NULL ORDER BY payment_id"
        return [payment_id for (payment_id,) in self.database.sql(EAST_1, sql)]

    def pass_seconds(self, seconds: int) -> None:
        """Make all rows older by `seconds`."""
        self.database.sql(EAST_1, f"UPDATE ledger SET posted_at = posted_at - interval '{seconds} seconds'")

    def messages(self, url: str, region: str = EAST_1) -> list[Any]:
        """The messages of a queue, taken out of it."""
        found: list[Any] = []
        while got := self.client("sqs", region).receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                found.append(json.loads(message["Body"]))
                self.client("sqs", region).delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def events(self, region: str = EAST_1) -> list[Any]:
        """Events on the bus of `region` since the last call."""
        return self.messages(self.events_urls[region], region)

    def announced(self, region: str = EAST_1) -> list[str]:
        """Ids of the payments announced on the bus of `region` since the last call, in order of name."""
        return sorted(event["detail"]["payment_id"] for event in self.events(region))

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]
