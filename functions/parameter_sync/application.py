"""The function put together: settings, clients, and one answer per event, logged and counted. Never a value."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.session import Session

from common.clock import utc_now
from common.telemetry import LambdaHandler, flush, make_metrics

from .batch import Errands
from .errors import RegionUnavailable
from .messages import RECONCILE, Queues, in_parts
from .reconcile import Reconciliation, Walk, share
from .settings import Scope, Settings
from .store import Store
from .sync import Copying, Did, Outcome

SERVICE = "parameter-sync"
DIFF = "diff"
# A walk takes no more names when this much of the function's time is left: a chunk's worth, and an answer.
RESERVE_MS = 60_000
_LETTER = 100  # reasons in one dead letter
_TOLD = 1000  # rows in an answer: Lambda's may have 6 MB [LAMBDA-9]


class UnknownEventError(ValueError):
    """The function was invoked with neither a batch of its queue nor an operation it knows."""


class Application:
    """Answers batches of the queue, the schedule, and people's commands. Making it calls nothing."""

    answer: LambdaHandler  # raises UnknownEventError

    def __init__(self, settings: Settings, logger: Logger, session: Session | None = None) -> None:
        self._settings, self._logger = settings, logger
        self._metrics = make_metrics(SERVICE, settings.metrics_namespace)
        session = session or Session()
        scope = Scope(prefix=settings.prefix, private=settings.private_prefix)
        stores = (
            _store(session, settings, scope, settings.region, settings.place),
            _store(session, settings, scope, settings.peer_region, settings.peer_place),
        )
        self._queues = Queues(
            _client(session, "sqs", settings.region),
            region=settings.region,
            url=settings.queue_url,
            dead_letter_url=settings.dead_letter_url,
        )
        copying = Copying(stores, settling_seconds=settings.settling_seconds)
        self._reconciliation = Reconciliation(stores, copying, logger)
        self._errands = Errands(settings, scope, copying, self._queues, logger, self._tell, self._count)
        # Never the event, which may be anything, nor an answer of AWS, which may be a value.
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        def little_time() -> bool:
            return context.get_remaining_time_in_millis() < RESERVE_MS

        try:
            if isinstance(event.get("Records"), list):
                return self._errands.run(event["Records"], lambda after: self._go_on(after, little_time))
            operation, after = event.get("operation"), str(event.get("after") or "")
            if operation == RECONCILE and event.get("waits"):
                deep = bool(event.get("deep"))
                return _told(self._repair(after, little_time, is_due=lambda _: deep))
            if operation == RECONCILE:
                return self._scheduled(after, little_time)
            if operation == DIFF:
                return _told(self._reconciliation.compare(after=after, should_stop=little_time))
        finally:
            flush(self._metrics)
        raise UnknownEventError(f"neither a batch of the queue nor an operation; it has {sorted(event)}")

    def _scheduled(self, after: str, little_time: Callable[[], bool]) -> dict[str, Any]:
        try:
            self._go_on(after, little_time)
        except RegionUnavailable as lost:
            # The loss of a region has alarms of its own, and the schedule will ask again.
            self._logger.warning("reconciliation deferred", event="reconciliation-deferred", reason=str(lost))
            self._count("ReconciliationsDeferred", 1)
        return {}

    def _go_on(self, after: str, little_time: Callable[[], bool]) -> None:
        """A part of a reconciliation for which nobody waits; the queue takes the rest of it."""
        turn = share(utc_now().timestamp(), minutes=self._settings.reconcile_minutes, turns=self._settings.turns)
        walk = self._repair(after, little_time, is_due=turn)
        for name, seconds in walk.later.items():
            self._queues.look_again(name, seconds=seconds)
        for reasons in in_parts(walk.failures, _LETTER):
            self._queues.bury(reasons, found_by="reconciliation")
        if walk.after is not None:
            self._queues.go_on(walk.after)

    def _repair(self, after: str, little_time: Callable[[], bool], *, is_due: Callable[[str], bool]) -> Walk:
        walk = self._reconciliation.repair(after=after, is_due=is_due, should_stop=little_time)
        for outcome in walk.outcomes:
            self._tell(outcome)
        for name, reason in walk.failures.items():
            self._logger.error("parameter not copied", event="parameter-failed", parameter=name, reason=reason)
        self._count("ParametersFailed", len(walk.failures))
        self._count("ParametersRepaired", sum(outcome.writes > 0 for outcome in walk.outcomes))
        self._logger.info(
            "reconciled" if walk.after is None else "reconciled in part",
            event="parameters-reconciled",
            compared=walk.compared,
            repaired=len(walk.outcomes),
            failed=len(walk.failures),
            after=walk.after,
        )
        return walk

    def _tell(self, outcome: Outcome) -> None:
        if outcome.did is Did.NOTHING:
            return
        facts: dict[str, Any] = {"parameter": outcome.name, "right_in": outcome.source}
        if outcome.lost:
            self._logger.warning(
                "both regions changed a parameter; the earlier change is in its region's parameter history",
                event="parameter-conflict",
                lost_version=outcome.lost.version,
                lost_in=outcome.lost.region,
                **facts,
            )
        if outcome.revived:
            self._logger.warning(
                "a parameter was deleted in one region and changed in the other; the change is kept",
                event="parameter-deletion-conflict",
                **facts,
            )
        self._logger.info(
            f"parameter {outcome.did.value}", event="parameter-synchronized", writes=outcome.writes, **facts
        )
        self._count("ParametersCopied", int(outcome.did is Did.COPIED))
        self._count("ParametersDeleted", int(outcome.did is Did.DELETED))
        self._count("ParameterConflicts", int(outcome.lost is not None or outcome.revived))

    def _count(self, metric: str, value: int) -> None:
        if value:
            self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)


def _client(session: Session, service: str, region: str) -> Any:
    """Parameter Store throttles early (40 calls a second unless paid for more); "adaptive" slows down before it does
    [SDK-1]."""
    config = Config(
        region_name=region,
        connect_timeout=2,
        read_timeout=5,
        retries={"total_max_attempts": 5, "mode": "adaptive"},
    )
    make: Any = session.create_client  # the stubs know each service by name only
    return make(service, config=config)


def _store(session: Session, settings: Settings, scope: Scope, region: str, place: str) -> Store:
    return Store(
        _client(session, "ssm", region),
        region=region,
        place=place,
        scope=scope,
        key_alias=settings.key_alias,
        is_copier=settings.is_copier,
    )


def _told(walk: Walk) -> dict[str, Any]:
    """For who waits: without values. Long lists are cut; their lengths are not."""
    repaired = [outcome for outcome in walk.outcomes if outcome.did is not Did.MARKED]
    return {
        "compared": walk.compared,
        "repaired": len(repaired),
        "differing": len(walk.differences),
        "failed": len(walk.failures),
        "outcomes": [_row(outcome) for outcome in repaired[:_TOLD]],
        "differences": [vars(each) | {"parts": list(each.parts)} for each in walk.differences[:_TOLD]],
        "failures": dict(sorted(walk.failures.items())[:_TOLD]),
        "later": dict(sorted(walk.later.items())[:_TOLD]),
        "after": walk.after,
    }


def _row(outcome: Outcome) -> Mapping[str, Any]:
    lost = f"version {outcome.lost.version} in {outcome.lost.region}" if outcome.lost else ""
    return {"name": outcome.name, "did": outcome.did.value, "source": outcome.source, "lost": lost}
