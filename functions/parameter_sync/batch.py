"""A batch of the queue: each name looked at once, each message done with, tried again, or buried with its reason."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from .errors import Busy, NotCopyable, NotYet, RegionUnavailable
from .messages import Message, Queues, Unreadable, received, understood
from .settings import Scope, Settings
from .sync import Copying, Outcome

_LONGEST_PAUSE = 900  # seconds until a message is tried again


class Errands:
    """Makes Lambda's answer to a batch: the messages that are to come again [LAMBDA-10]."""

    def __init__(
        self,
        settings: Settings,
        scope: Scope,
        copying: Copying,
        queues: Queues,
        logger: Logger,
        tell: Callable[[Outcome], None],
        count: Callable[[str, int], None],
    ) -> None:
        self._settings, self._scope = settings, scope
        self._copying, self._queues = copying, queues
        self._logger, self._tell, self._count = logger, tell, count

    def run(self, records: Sequence[Mapping[str, Any]], go_on: Callable[[str], None]) -> dict[str, Any]:
        """`go_on(after)` continues a reconciliation."""
        again: list[str] = []
        seen: set[str] = set()
        lost: RegionUnavailable | None = None
        for record in records:
            message = received(record)
            try:
                message = understood(message, self._scope)
                if message.name and message.name in seen:
                    continue  # an event that came twice, or two of one change
                seen.add(message.name)
                if lost:
                    raise lost  # asking again for each would take the time of all
                self._do(message, go_on)
            except (Unreadable, NotCopyable) as problem:
                self._bury(message, str(problem))
            except NotYet as soon:
                self._queues.look_again(message.name, seconds=soon.seconds)
            except Busy as busy:
                again += self._again_or(message, str(busy), partial(self._bury, message))
            except RegionUnavailable as problem:
                lost = problem
                again += self._again_or(message, str(problem), partial(self._leave, message))
        return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}

    def _do(self, message: Message, go_on: Callable[[str], None]) -> None:
        if message.after is not None:
            go_on(message.after)
        else:
            self._tell(self._copying.look(message.name))

    def _again_or(self, message: Message, reason: str, otherwise: Callable[[str], None]) -> list[str]:
        """The message's id if it is to come again; after the last attempt `otherwise`."""
        if message.receives >= self._settings.attempts:
            otherwise(f"{reason}, {message.receives} times")
            return []
        pause = self._settings.retry_seconds * 2 ** (message.receives - 1)
        self._logger.warning(
            "parameter retried later", event="parameter-retried", parameter=message.name, reason=reason, seconds=pause
        )
        self._queues.retry(message, seconds=min(pause, _LONGEST_PAUSE))
        return [message.id]

    def _bury(self, message: Message, reason: str) -> None:
        name = message.name or "unknown"
        self._logger.error(
            "parameter not copied", event="parameter-failed", parameter=name, reason=reason, message_id=message.id
        )
        self._count("ParametersFailed", 1)
        # Not the body, in which anything may stand.
        self._queues.bury({name: reason}, found_by="event", message=message.id, body_sha256=message.fingerprint)

    def _leave(self, message: Message, reason: str) -> None:
        """Nothing is wrong with the parameter: when the region is back, the next reconciliation finds it."""
        self._logger.warning(
            "parameter skipped until the next reconciliation",
            event="parameter-skipped",
            parameter=message.name,
            reason=reason,
        )
        self._count("ParametersSkipped", 1)
