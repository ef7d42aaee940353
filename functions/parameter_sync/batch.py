"""A batch of the queue: each parameter is synchronized once; each message is done, retried or sent to the dead-letter
queue with its reason."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger

from .deletions import Brake
from .errors import DeletionWithheld, NotCopyable, RegionUnavailable, RetryAfter, Throttled
from .messages import Message, Queues, Unreadable, parsed, received
from .settings import Scope, Settings
from .store import Store
from .sync import Outcome, Synchronizer

_MAX_RETRY_SECONDS = 900  # until a message is retried


class BatchProcessor:
    """Processes a batch and returns Lambda's partial batch response: the messages to be retried [LAMBDA-10]."""

    def __init__(
        self,
        settings: Settings,
        scope: Scope,
        synchronizer: Synchronizer,
        queues: Queues,
        brake: Callable[[], Brake],
        logger: Logger,
        log_outcome: Callable[[Outcome], None],
        count: Callable[[str, int], None],
    ) -> None:
        self._settings, self._scope = settings, scope
        self._synchronizer, self._queues, self._brake = synchronizer, queues, brake
        self._logger, self._log_outcome, self._count = logger, log_outcome, count

    def run(self, records: Sequence[Mapping[str, Any]], reconcile: Callable[[str], None]) -> dict[str, Any]:
        """`reconcile(after)` continues a reconciliation after that parameter name."""
        retried: list[str] = []
        seen: set[str] = set()
        lost: RegionUnavailable | None = None
        brake = cache(self._brake)  # listing both trees costs many calls
        for record in records:
            message = received(record)
            try:
                message = parsed(message, self._scope)
                if message.name and message.name in seen:
                    continue  # a duplicate event, or two events of one change
                seen.add(message.name)
                if lost:
                    raise lost  # another timeout for each message would use up the time of all
                self._process(message, reconcile, brake)
            except (Unreadable, NotCopyable) as problem:
                self._reject(message, str(problem))
            except RetryAfter as retry:
                self._queues.requeue(message.name, seconds=retry.seconds)
            except DeletionWithheld as withheld:
                self._leave(message, str(withheld))
            except Throttled as throttled:
                retried += self._retry_or(message, str(throttled), partial(self._reject, message))
            except RegionUnavailable as problem:
                lost = problem
                retried += self._retry_or(message, str(problem), partial(self._skip, message))
        return {"batchItemFailures": [{"itemIdentifier": each} for each in retried]}

    def _process(self, message: Message, reconcile: Callable[[str], None], brake: Callable[[], Brake]) -> None:
        if message.after is not None:
            reconcile(message.after)
            return

        def permit(store: Store) -> None:
            if message.is_event:
                # If more is being deleted, it is seen then.
                raise RetryAfter(self._settings.settling_seconds, "it was deleted in the other region just now")
            brake().permit(store)

        self._log_outcome(self._synchronizer.synchronize(message.name, permit=permit))

    def _retry_or(self, message: Message, reason: str, otherwise: Callable[[str], None]) -> list[str]:
        """The message's id if it is retried; after its last attempt `otherwise(reason)`, and none."""
        if message.receives >= self._settings.attempts:
            otherwise(f"{reason}, {message.receives} times")
            return []
        pause = self._settings.retry_seconds * 2 ** (message.receives - 1)
        self._logger.warning(
            "parameter retried later", event="parameter-retried", parameter=message.name, reason=reason, seconds=pause
        )
        self._queues.retry(message, seconds=min(pause, _MAX_RETRY_SECONDS))
        return [message.id]

    def _leave(self, message: Message, reason: str) -> None:
        """The reconciliation, which compares all parameters, deletes it or reports it."""
        self._logger.warning(
            "deletion left to the reconciliation",
            event="parameter-deletion-left",
            parameter=message.name,
            reason=reason,
        )

    def _reject(self, message: Message, reason: str) -> None:
        name = message.name or "unknown"
        self._logger.error(
            "parameter not copied", event="parameter-failed", parameter=name, reason=reason, message_id=message.id
        )
        self._count("ParametersFailed", 1)
        # Without the body, which may contain anything.
        self._queues.send_dead_letter(
            {name: reason}, found_by="event", message=message.id, body_sha256=message.fingerprint
        )

    def _skip(self, message: Message, reason: str) -> None:
        """The parameter itself is fine: the next reconciliation finds it when the region is back."""
        self._logger.warning(
            "parameter skipped until the next reconciliation",
            event="parameter-skipped",
            parameter=message.name,
            reason=reason,
        )
        self._count("ParametersSkipped", 1)
