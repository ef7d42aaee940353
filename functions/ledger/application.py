"""The ledger application: settings, clients, and one logged and counted result per event."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.session import Session

from common.aws_clients import DynamoDbClients
from common.backlog import Backlog
from common.clock import Pace
from common.control.observe import ControlObserver
from common.payment_record import JournalEntry
from common.table_replica import Replica
from common.telemetry import LambdaHandler, flush, make_metrics

from .announcer_call import AnnouncerCall
from .audit import AUDIT_METRICS, FAULTS, Audit, AuditRequest, Counts
from .contents import Contents
from .database import DIALECTS, Database, DatabaseUnavailable
from .events import PoisonQueue
from .journal_pages import JournalPages, JournalUnreadable
from .posting import BatchStatus, Ledger, Outcome, Paused, is_stream_event, stream_records
from .replay import REPLAY_ERRORS, Replay, ReplayRequest
from .replication import replication_problem
from .settings import Settings

SERVICE = "ledger"
# A replay reads no further page when this much of the function's time is left: enough for one page and the response.
RESERVE_MS = 15_000
CATCH_UP_SECONDS = 40.0
"""AWS seconds of a scheduled replay, which is started every minute."""
AUDIT_SAMPLE = 100
"""Entries and rows that a scheduled call compares."""
_TIMEOUT_SECONDS = 3.0  # of services other than the database
_ANNOUNCER_SECONDS = 1.0
_READING_SECONDS = 10.0
"""Of a statement that reads, for up to a thousand rows; only those that write are bound to a decision to post."""


class UnknownEventError(ValueError):
    """The event is neither a batch of the stream nor a known operation."""


class Application:
    """Handles batches of the stream and replay requests. Created once per process; creating it makes no call."""

    answer: LambdaHandler  # raises UnknownEventError, and the errors of `Replay.run` and `Audit.run`

    def __init__(self, settings: Settings, logger: Logger, session: Session | None = None) -> None:
        self._settings = settings
        self._logger = logger
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        session = session or Session()

        def client(
            service: str, seconds: float = _TIMEOUT_SECONDS, attempts: int = 2, region: str = settings.region
        ) -> Any:
            config = Config(
                region_name=region,
                connect_timeout=seconds,
                read_timeout=seconds,
                retries={"total_max_attempts": attempts},
                account_id_endpoint_mode="disabled",
            )
            return session.create_client(service, config=config)

        secrets = client("secretsmanager")

        def through(data_api: Any) -> Database:
            return Database(
                data_api,
                cluster_arn=settings.cluster_arn,
                secret_arn=lambda: str(secrets.describe_secret(SecretId=settings.database_secret)["ARN"]),
                database=settings.database_name,
                dialect=DIALECTS[settings.database_engine],
            )

        # Without retries: by then the decision to post would be too old.
        database = through(client("rds-data", settings.control_statement_seconds, 1))
        pace = Pace(speed=settings.clock_speed)
        tables = {settings.region: client("dynamodb", attempts=4)}
        # A region that hangs delays a replay by twice its limit; what it holds is left to the next minute's call.
        peer = settings.peer_timeout_ms / 1000
        tables[settings.peer_region] = client("dynamodb", peer, region=settings.peer_region)
        names = {settings.region: settings.backlog_table, settings.peer_region: settings.peer_backlog_table}
        backlogs = [Backlog(table, region=region, table=names[region]) for region, table in tables.items()]
        self._backlog = backlogs[0]
        self._announcer = AnnouncerCall(client("lambda", _ANNOUNCER_SECONDS, 1), settings.announcer_function)
        self._ledger = Ledger(
            region=settings.region,
            peer_region=settings.peer_region,
            control=ControlObserver.from_settings(settings, DynamoDbClients()),
            database=database,
            poison=PoisonQueue(client("sqs"), settings.poison_queue_url),
            backlog=self._backlog,
            pace=pace,
        )
        self._replay = Replay(
            backlogs=backlogs,
            replicas=[Replica(table, region=region, table=settings.journal_table) for region, table in tables.items()],
            ledger=self._ledger,
            database=through(client("rds-data", _READING_SECONDS, 1)),
            pace=pace,
        )
        self._regions = list(tables)
        self._table = tables[settings.region]
        self._pace = pace
        self._audit = Audit(
            JournalPages(client("dynamodb", attempts=4), table=settings.journal_table),
            JournalPages(
                client("dynamodb", peer, 1, settings.peer_region),
                table=settings.journal_table,
            ),
            contents=Contents(through(client("rds-data", _READING_SECONDS, 3)), engine=settings.database_engine),
            backlog=self._backlog,
            segments=settings.audit_segments,
            grace_seconds=settings.audit_grace_seconds,
            pace=pace,
        )
        # Never log the event: it holds payments.
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            if is_stream_event(event):
                return self._post_batch(event)
            match event.get("operation"):
                case "replay":
                    return self._replay_backlogs(event, context)
                case "catch-up":
                    return self._catch_up(context)
                case "audit":
                    return self._audit_ledger(event, context)
        finally:
            flush(self._metrics)
        raise UnknownEventError(f"neither a DynamoDB stream's batch nor a known operation; it has {sorted(event)}")

    def _post_batch(self, event: Mapping[str, Any]) -> dict[str, Any]:
        began = self._pace.now()
        records = stream_records(event["Records"])
        outcome = self._ledger.process(records)
        if outcome.posted:
            payment_ids = [record.payment_id for record in records]
            self._request_announcements(payment_ids, outcome.new, posted_at=began)
        log = self._logger.warning if outcome.status in (BatchStatus.WAITING, BatchStatus.FAILED) else self._logger.info
        log(
            f"batch {outcome.status.value}",
            event="batch-taken",
            reason=outcome.reason,
            writer_epoch=outcome.epoch,
            records=outcome.records,
            posted=outcome.posted,
            recorded=outcome.recorded,
            poisoned=outcome.poisoned,
        )
        self._count_outcome(outcome)
        # Lambda retries from the named record on, within its shard; an empty list reports full success [LAMBDA-11].
        failed = [outcome.retry_from] if outcome.retry_from else []
        return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]}

    def _request_announcements(
        self, payment_ids: Sequence[str], new: Sequence[JournalEntry], *, posted_at: datetime
    ) -> None:
        """A failure delays the announcements until the announcer's next sweep."""
        if problem := self._announcer.announce(payment_ids, new=new, posted_at=posted_at):
            self._logger.warning("announcer not invoked", event="announcer-not-invoked", reason=problem)
            self._count("AnnouncerNotInvoked", 1)

    def _replay_backlogs(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        request = ReplayRequest.parse(event, regions=self._regions, now=self._pace.now())
        result = self._replay.run(request, lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
        counts = {name: value for name, value in result.items() if name != "continuation"}
        self._logger.info("backlogs replayed", event="backlogs-replayed", until=request.until, **counts)
        self._count("PaymentsReplayed", result["posted"] - request.counts.posted)
        return result

    def _catch_up(self, context: LambdaContext) -> dict[str, Any]:
        """Replay for less than the minute until the next call and audit a sample if this region may post, and measure
        the journal's replication and the own backlog. Returns what `_replay_backlogs` does, if it ran.

        After a replay that left nothing unposted, the own backlog holds only what is not yet durable in both regions,
        so its age counts as 0.
        """
        self._check_replication()
        result: dict[str, Any] = {}
        try:
            result = self._replay_backlogs({"seconds": CATCH_UP_SECONDS}, context)
        except Paused as paused:
            self._logger.info("replay paused", event="replay-paused", reason=str(paused))
        except REPLAY_ERRORS as error:  # the next minute's call goes on
            self._logger.warning("replay failed", event="replay-failed", reason=f"{type(error).__name__}: {error}")
            self._count("LedgerFailed", 1)
        else:
            self._audit_sample()
        extent = self._backlog.extent()
        is_posted = bool(result) and result["done"] and result["missing"] == result["posted"] + result["poisoned"]
        age = self._pace.since(extent.oldest) if extent.oldest and not is_posted else 0.0
        self._metrics.add_metric(name="BacklogEntries", unit=MetricUnit.Count, value=extent.payments)
        self._metrics.add_metric(name="BacklogOldestSeconds", unit=MetricUnit.Seconds, value=max(0.0, age))
        return result

    def _check_replication(self) -> None:
        problem = replication_problem(
            self._table, table=self._settings.journal_table, peer_region=self._settings.peer_region
        )
        if problem:
            self._logger.error("journal not replicated", event="journal-not-replicated", reason=problem)
        self._metrics.add_metric(name="JournalReplicationProblems", unit=MetricUnit.Count, value=int(bool(problem)))

    def _audit_ledger(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        request = AuditRequest.parse(event, segments=self._settings.audit_segments)
        if request.sample is not None:
            return {**self.sample_audit(request.sample, ids=request.ids), "done": True, "continuation": None}
        result = self._audit.run(request, lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
        self._publish_audit(result, since=asdict(request.counts))
        return result

    def _audit_sample(self) -> None:
        try:
            self.sample_audit(AUDIT_SAMPLE)
        except (DatabaseUnavailable, JournalUnreadable) as error:  # the next minute's call takes another sample
            self._logger.warning("audit failed", event="audit-failed", reason=f"{type(error).__name__}: {error}")

    def sample_audit(self, limit: int, *, ids: int = 0) -> dict[str, Any]:
        """Compare a random part of journal and ledger (`Audit.sample`), and publish its metrics; the counts, and at
        most `ids` of the findings."""
        found = self._audit.sample(limit).answer()
        self._publish_audit(found, since={})
        return {**found, "findings": found["findings"][:ids]}

    def _publish_audit(self, result: Mapping[str, Any], *, since: Mapping[str, int]) -> None:
        """Metrics and a log line of one invocation, whose counts continue those of `since`."""
        own = {each.name: result[each.name] - since.get(each.name, 0) for each in fields(Counts)}
        log = self._logger.warning if any(own[name] for name in FAULTS) else self._logger.info
        log("ledger audited", event="ledger-audited", **own)
        for metric, names in AUDIT_METRICS.items():
            value = sum(own[name] for name in names)
            self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)

    def _count_outcome(self, outcome: Outcome) -> None:
        self._count("PaymentsPosted", outcome.posted)
        self._count("PaymentsRecorded", outcome.recorded)
        self._count("EntriesPoisoned", len(outcome.poisoned))
        self._count("LedgerWaiting", int(outcome.status is BatchStatus.WAITING))
        self._count("LedgerFailed", int(outcome.status is BatchStatus.FAILED))

    def _count(self, metric: str, value: int) -> None:
        if value:
            self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)
