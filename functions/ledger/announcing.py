"""Lambda handler `ledger.announcing.handler` of the function `announcer`: publishes an event for each posted payment.

Posting does not wait for it: the ledger table records what is not announced yet. The ledger invokes it asynchronously
with the payments that it has posted; a schedule invokes it every minute to sweep everything else, such as rows of a
replay, of a writer that died before it announced them, and of an outage of EventBridge. It is no consumer of the
journal's stream, since a shard of a global table's stream should have one only (docs/quotas.md).

A payment can be announced more than once: if marking it fails, if the mark is lost with the region, or if Lambda
delivers the ledger's event twice [LAMBDA-22].
"""

import functools
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.session import Session

from common.aws_clients import DynamoDbClients
from common.clock import Pace
from common.control.observe import ControlObserver
from common.table_replica import ReplicaUnavailable
from common.telemetry import LambdaHandler, flush, make_logger, make_metrics, traced

from .announcements import PAGE, STATEMENTS, Announcement, Announcements
from .announcer_call import ANNOUNCE, SWEEP, PostedBatch
from .database import DIALECTS, Database, DatabaseUnavailable
from .events import EndpointId, Events, Published
from .settings import AnnouncerSettings

SERVICE = "announcer"
# A sweep reads no further page when this much of the function's time is left: enough to publish and mark one.
RESERVE_MS = 10_000
_TIMEOUT_SECONDS = 3.0


class UnknownEventError(ValueError):
    """The event is no known operation."""


class Announcer:
    """Handles posted batches and sweeps. Created once per process; creating it makes no call."""

    answer: LambdaHandler  # raises UnknownEventError

    def __init__(self, settings: AnnouncerSettings, logger: Logger, session: Session | None = None) -> None:
        self._region = settings.region
        self._logger = logger
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        self._pace = Pace(speed=settings.clock_speed)
        session = session or Session()

        def client(service: str) -> Any:
            config = Config(
                region_name=settings.region,
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
                retries={"total_max_attempts": 2},
                parameter_validation=False,  # saves CPU in every call; the services validate the same
                account_id_endpoint_mode="disabled",
            )
            return session.create_client(service, config=config)

        secrets = client("secretsmanager")
        database = Database(
            client("rds-data"),
            cluster_arn=settings.cluster_arn,
            secret_arn=lambda: str(secrets.describe_secret(SecretId=settings.database_secret)["ARN"]),
            database=settings.database_name,
            dialect=DIALECTS[settings.database_engine],
        )
        young, settled = settings.announce_young_seconds, settings.announce_settled_seconds
        self._announcements = Announcements(
            database,
            STATEMENTS[settings.database_engine],
            young_seconds=self._pace.real(young),
            settled_seconds=self._pace.real(settled),
        )
        self._young_seconds = young
        self._batch_seconds = self._pace.real(settled - young)
        endpoint = EndpointId(client("ssm"), settings.event_endpoint_parameter)
        self._events = Events(client("events"), bus=settings.event_bus, endpoint=endpoint)
        self._control = ControlObserver.from_settings(settings, DynamoDbClients())
        # Never log the event: it holds payments.
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            operation = event.get("operation")
            if operation == ANNOUNCE:
                return self._announce_batch(PostedBatch.parse(event))
            if operation == SWEEP:
                return self._sweep(lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
        finally:
            flush(self._metrics)
        raise UnknownEventError(f"unknown operation {operation!r}; known are {ANNOUNCE} and {SWEEP}")

    def _announce_batch(self, batch: PostedBatch) -> dict[str, Any]:
        """Announce payments that were posted just now. What fails, or is no longer young, is left to a sweep."""
        ends = time.monotonic() + self._batch_seconds
        try:
            due = batch.new if batch.new and self._pace.since(batch.posted_at) < self._young_seconds else []
            if batch.others:
                due = due + self._announcements.of_batch(batch.others)
            published = self._announce(due, lambda: time.monotonic() >= ends)
        except DatabaseUnavailable as problem:
            self._logger.warning("batch left to a sweep", event="batch-not-announced", reason=str(problem))
            return {"announced": 0}
        self._log(published, "batch announced", event="batch-announced", payments=len(batch.new) + len(batch.others))
        return {"announced": len(published.accepted)}

    def _sweep(self, time_is_up: Callable[[], bool]) -> dict[str, Any]:
        """Announce everything that is left, until nothing is, time is up, or EventBridge fails."""
        try:
            if not self._is_writer():
                return {"role": "reader"}
            announced = self._announce_settled(time_is_up)
            backlog = self._announcements.backlog()
        except (DatabaseUnavailable, ReplicaUnavailable) as problem:
            # Not an error of the invocation, which Lambda would retry behind the next sweep.
            self._logger.error("sweep failed", event="sweep-failed", reason=f"{type(problem).__name__}: {problem}")
            self._add("SweepsFailed", 1)
            return {"role": "writer", "failed": True}
        age = backlog.oldest_seconds * self._pace.speed
        self._add("UnannouncedPayments", backlog.payments)
        self._add("UnannouncedOldestSeconds", age, MetricUnit.Seconds)
        return {"role": "writer", "announced": announced, "unannounced": backlog.payments}

    def _announce_settled(self, time_is_up: Callable[[], bool]) -> int:
        announced, after = 0, None
        while not time_is_up():
            page = self._announcements.of_sweep(after)
            if not page:
                break
            published = self._announce(page, time_is_up)
            self._log(published, "page announced", event="page-announced", payments=len(page))
            announced += len(published.accepted)
            if published.is_down or len(page) < PAGE:
                break
            after = page[-1]
        return announced

    def _announce(self, payments: Sequence[Announcement], time_is_up: Callable[[], bool]) -> Published:
        """Publish and mark. Raises DatabaseUnavailable; what was published by then is published again."""
        published = self._events.publish(payments, time_is_up)
        for metric, count in (
            ("PaymentsAnnounced", len(published.accepted)),
            ("EventEndpointFallbacks", published.fallbacks),
            ("EventsRefused", published.refused),
        ):
            if count:
                self._add(metric, count)
        self._announcements.mark(published.accepted)
        return published

    def _is_writer(self) -> bool:
        """By one read of the own replica. Nothing can go wrong in the moment after it has changed: the Data API accepts
        statements at the writer's cluster only. Raises ReplicaUnavailable."""
        return self._control.writer_in_own_replica() == self._region

    def _log(self, published: Published, message: str, **keys: Any) -> None:
        log = self._logger.warning if published.refused else self._logger.info
        announced, refused = len(published.accepted), published.refused
        log(message, announced=announced, refused=refused, reason=published.failure, **keys)

    def _add(self, metric: str, value: float, unit: MetricUnit = MetricUnit.Count) -> None:
        self._metrics.add_metric(name=metric, unit=unit, value=value)


@functools.cache
def _cached() -> Announcer:
    return Announcer(AnnouncerSettings.read(os.environ), make_logger(SERVICE))


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _cached().answer(event, context)


handler = traced(answer, service=SERVICE)

# As in `payments.handler`: the init phase has a full CPU.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _cached()
