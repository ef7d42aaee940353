"""The parameter synchronization: settings, clients, and one logged and counted result per event, without values."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.session import Session

from common.clock import utc_now
from common.telemetry import LambdaHandler, flush, make_metrics

from .batch import BatchProcessor
from .deletions import Budget
from .errors import RegionUnavailable
from .messages import RECONCILE, Queues, in_parts
from .reconcile import Reconciled, Reconciliation, share
from .settings import Scope, Settings
from .store import Store
from .sync import Action, Outcome, Synchronizer

SERVICE = "parameter-sync"
DIFF = "diff"
# A reconciliation starts no further chunk when this much of the function's time is left: one chunk and the response.
RESERVE_MS = 60_000
_REASONS_PER_LETTER = 100  # in one dead letter
_MAX_ROWS = 1000  # in a response: Lambda's may have 6 MB [LAMBDA-9]


class UnknownEventError(ValueError):
    """The event is neither a batch of the queue nor a known operation."""


class Application:
    """Handles batches of the queue, the schedule, and operators' commands. Creating it makes no call."""

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
        synchronizer = Synchronizer(stores, settling_seconds=settings.settling_seconds)
        records = {
            settings.region: settings.deletions_parameter,
            settings.peer_region: settings.peer_deletions_parameter,
        }
        budget = Budget(records=records, now=time.time)
        self._reconciliation = Reconciliation(stores, synchronizer, logger, budget=budget)
        self._batch = BatchProcessor(
            settings,
            scope,
            synchronizer,
            self._queues,
            self._reconciliation.brake,
            logger,
            self._log_outcome,
            self._count,
        )
        # Never log the event, which may be anything, nor a response of AWS, which may hold a value.
        self.answer = logger.inject_lambda_context(self._answer, clear_state=True, log_event=False)

    def _answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        def little_time() -> bool:
            return context.get_remaining_time_in_millis() < RESERVE_MS

        try:
            if isinstance(event.get("Records"), list):
                return self._batch.run(event["Records"], lambda after: self._continue(after, little_time))
            operation, after = event.get("operation"), str(event.get("after") or "")
            if operation == RECONCILE and event.get("waits"):
                return self._commanded(event, after, little_time)
            if operation == RECONCILE:
                return self._scheduled(after, little_time)
            if operation == DIFF:
                return _report(self._reconciliation.compare(after=after, should_stop=little_time))
        finally:
            flush(self._metrics)
        raise UnknownEventError(f"neither a batch of the queue nor an operation; it has {sorted(event)}")

    def _commanded(self, event: Mapping[str, Any], after: str, little_time: Callable[[], bool]) -> dict[str, Any]:
        """A part of an operator's reconciliation: `deep` compares tags and labels of all, `allow_deletions` is how many
        deletions may be made, `restore` creates missing parameters again instead."""
        allowed = event.get("allow_deletions")
        result = self._repair(
            after,
            little_time,
            is_due=lambda _: bool(event.get("deep")),
            allowed=None if allowed is None else int(allowed),
            restore=bool(event.get("restore")),
        )
        return _report(result)

    def _scheduled(self, after: str, little_time: Callable[[], bool]) -> dict[str, Any]:
        try:
            self._continue(after, little_time)
        except RegionUnavailable as lost:
            # The loss of a region has its own alarms, and the schedule retries.
            self._logger.warning("reconciliation deferred", event="reconciliation-deferred", reason=str(lost))
            self._count("ReconciliationsDeferred", 1)
        return {}

    def _continue(self, after: str, little_time: Callable[[], bool]) -> None:
        """A part of an asynchronous reconciliation; a message in the queue continues it."""
        turn = share(utc_now().timestamp(), minutes=self._settings.reconcile_minutes, turns=self._settings.turns)
        result = self._repair(after, little_time, is_due=turn)
        for name, seconds in result.later.items():
            self._queues.requeue(name, seconds=seconds)
        for reasons in in_parts(result.failures, _REASONS_PER_LETTER):
            self._queues.send_dead_letter(reasons, found_by="reconciliation")
        if result.needs_allowance:
            named = dict(sorted(result.withheld.items())[:_REASONS_PER_LETTER])
            self._queues.send_dead_letter(named, found_by="reconciliation", withheld_deletions=len(result.withheld))
        if result.after is not None:
            self._queues.continue_after(result.after)

    def _repair(
        self,
        after: str,
        little_time: Callable[[], bool],
        *,
        is_due: Callable[[str], bool],
        allowed: int | None = None,
        restore: bool = False,
    ) -> Reconciled:
        result = self._reconciliation.repair(
            after=after, is_due=is_due, should_stop=little_time, allowed=allowed, restore=restore
        )
        for outcome in result.outcomes:
            self._log_outcome(outcome)
        for name, reason in result.failures.items():
            self._logger.error("parameter not copied", event="parameter-failed", parameter=name, reason=reason)
        if result.needs_allowance:
            self._logger.error(
                "deletions withheld",
                event="parameter-deletions-withheld",
                withheld=len(result.withheld),
                most=result.most_deletions,
            )
            self._count("ParameterDeletionsWithheld", len(result.withheld))
        self._count("ParametersFailed", len(result.failures))
        self._count("ParametersRepaired", sum(outcome.writes > 0 for outcome in result.outcomes))
        self._logger.info(
            "reconciled" if result.after is None else "reconciled in part",
            event="parameters-reconciled",
            compared=result.compared,
            repaired=len(result.outcomes),
            failed=len(result.failures),
            after=result.after,
        )
        return result

    def _log_outcome(self, outcome: Outcome) -> None:
        if outcome.action is Action.NOTHING:
            return
        fields: dict[str, Any] = {"parameter": outcome.name, "source_region": outcome.source}
        if outcome.lost:
            self._logger.warning(
                "both regions changed a parameter; the earlier change is in its region's parameter history",
                event="parameter-conflict",
                lost_version=outcome.lost.version,
                lost_region=outcome.lost.region,
                **fields,
            )
        if outcome.revived:
            self._logger.warning(
                "a parameter was deleted in one region and changed in the other; the change is kept",
                event="parameter-deletion-conflict",
                **fields,
            )
        self._logger.info(
            f"parameter {outcome.action.value}", event="parameter-synchronized", writes=outcome.writes, **fields
        )
        self._count("ParametersCopied", int(outcome.action is Action.COPIED))
        self._count("ParametersDeleted", int(outcome.action is Action.DELETED))
        self._count("ParameterConflicts", int(outcome.lost is not None or outcome.revived))

    def _count(self, metric: str, value: int) -> None:
        if value:
            self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)


def _client(session: Session, service: str, region: str) -> Any:
    """Parameter Store throttles early (40 calls per second by default); the retry mode "adaptive" slows down before
    [SDK-1]."""
    config = Config(
        region_name=region,
        connect_timeout=2,
        read_timeout=5,
        retries={"total_max_attempts": 5, "mode": "adaptive"},
    )
    create: Any = session.create_client  # the stubs accept literal service names only
    return create(service, config=config)


def _store(session: Session, settings: Settings, scope: Scope, region: str, place: str) -> Store:
    return Store(
        _client(session, "ssm", region),
        region=region,
        place=place,
        scope=scope,
        key_alias=settings.key_alias,
        is_sync_role=settings.is_sync_role,
    )


def _report(result: Reconciled) -> dict[str, Any]:
    """The response of a synchronous command, without values. Long lists are cut; the counts are complete."""
    repaired = [outcome for outcome in result.outcomes if outcome.action is not Action.MARKED]
    return {
        "compared": result.compared,
        "repaired": len(repaired),
        "differing": len(result.differences),
        "failed": len(result.failures),
        "withheld": len(result.withheld),
        "deleted": sum(outcome.action is Action.DELETED for outcome in repaired),
        "most_deletions": result.most_deletions,
        "missing": result.missing,
        "outcomes": [_row(outcome) for outcome in repaired[:_MAX_ROWS]],
        "differences": [vars(each) | {"parts": list(each.parts)} for each in result.differences[:_MAX_ROWS]],
        "failures": dict(sorted(result.failures.items())[:_MAX_ROWS]),
        "later": dict(sorted(result.later.items())[:_MAX_ROWS]),
        "after": result.after,
    }


def _row(outcome: Outcome) -> Mapping[str, Any]:
    lost = f"version {outcome.lost.version} in {outcome.lost.region}" if outcome.lost else ""
    return {"name": outcome.name, "action": outcome.action.value, "source": outcome.source, "lost": lost}
