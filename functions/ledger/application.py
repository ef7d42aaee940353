"""The ledger application: settings, clients, and one logged and counted result per event."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.session import Session

from common.aws_clients import DynamoDbClients
from common.control.observe import ControlObserver
from common.telemetry import LambdaHandler, flush, make_metrics

from .database import DIALECTS, Database
from .events import EndpointId, Events, PoisonQueue
from .posting import BatchStatus, Ledger, Outcome, is_stream_event, stream_records
from .replay import Replay, ReplayRequest
from .settings import Settings

SERVICE = "ledger"
# A replay reads no further page when this much of the function's time is left: enough for one page and the response.
RESERVE_MS = 15_000
_TIMEOUT_SECONDS = 3.0  # of services other than the database


class UnknownEventError(ValueError):
    """The event is neither a batch of the stream nor a known operation."""


class Application:
    """Handles batches of the stream and replay requests. Created once per process; creating it makes no call."""

    answer: LambdaHandler  # raises UnknownEventError, and the errors of `Replay.run`

    def __init__(self, settings: Settings, logger: Logger, session: Session | None = None) -> None:
        self._settings = settings
        self._logger = logger
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        session = session or Session()

        def client(service: str, seconds: float = _TIMEOUT_SECONDS, attempts: int = 2) -> Any:
            config = Config(
                region_name=settings.region,
                connect_timeout=seconds,
                read_timeout=seconds,
                retries={"total_max_attempts": attempts},
                account_id_endpoint_mode="disabled",
            )
            return session.create_client(service, config=config)

        secrets = client("secretsmanager")
        database = Database(
            # Without retries: by then the decision to post would be too old.
            client("rds-data", settings.control_statement_seconds, 1),
            cluster_arn=settings.cluster_arn,
            secret_arn=lambda: str(secrets.describe_secret(SecretId=settings.database_secret)["ARN"]),
            database=settings.database_name,
            dialect=DIALECTS[settings.database_engine],
        )
        endpoint = EndpointId(client("ssm"), settings.event_endpoint_parameter)
        events = Events(client("events"), bus=settings.event_bus, endpoint=endpoint)
        self._ledger = Ledger(
            region=settings.region,
            peer_region=settings.peer_region,
            control=ControlObserver.from_settings(settings, DynamoDbClients()),
            database=database,
            events=events,
            poison=PoisonQueue(client("sqs"), settings.poison_queue_url),
        )
        self._replay = Replay(
            client("dynamodb", attempts=4),
            table=settings.journal_table,
            segments=settings.replay_segments,
            ledger=self._ledger,
            database=database,
            events=events,
        )
        # Never log the event: it holds payments.
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            if is_stream_event(event):
                return self._post_batch(event)
            if event.get("operation") == "replay":
                return self._replay_journal(event, context)
        finally:
            flush(self._metrics)
        raise UnknownEventError(f"neither a DynamoDB stream's batch nor a replay; it has {sorted(event)}")

    def _post_batch(self, event: Mapping[str, Any]) -> dict[str, Any]:
        outcome = self._ledger.process(stream_records(event["Records"]))
        log = self._logger.warning if outcome.status in (BatchStatus.WAITING, BatchStatus.FAILED) else self._logger.info
        log(
            f"batch {outcome.status.value}",
            event="batch-taken",
            reason=outcome.reason,
            writer_epoch=outcome.epoch,
            records=outcome.records,
            posted=outcome.posted,
            poisoned=outcome.poisoned,
        )
        self._count_outcome(outcome)
        # Lambda retries from the named record on, within its shard; an empty list reports full success [LAMBDA-11].
        failed = [outcome.retry_from] if outcome.retry_from else []
        return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]}

    def _replay_journal(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        request = ReplayRequest.parse(event, segments=self._settings.replay_segments)
        result = self._replay.run(request, lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
        counts = {name: value for name, value in result.items() if name != "continuation"}
        self._logger.info("journal replayed", event="journal-replayed", since=request.since, **counts)
        self._count("PaymentsReplayed", result["posted"] - request.counts.posted)
        return result

    def _count_outcome(self, outcome: Outcome) -> None:
        self._count("PaymentsPosted", outcome.posted)
        self._count("EntriesPoisoned", len(outcome.poisoned))
        self._count("EventEndpointFallbacks", outcome.fallbacks)
        self._count("LedgerWaiting", int(outcome.status is BatchStatus.WAITING))
        self._count("LedgerFailed", int(outcome.status is BatchStatus.FAILED))

    def _count(self, metric: str, value: int) -> None:
        if value:
            self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)
