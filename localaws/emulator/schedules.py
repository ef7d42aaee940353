"""Schedules that repeat at a rate, of EventBridge Scheduler and of rules."""

import functools
import json
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from localaws.emulator.patches import original, patch, patch_value

_NEVER = 10**15  # seconds

IsCurrent = Callable[[], bool]
_is_current: ContextVar[IsCurrent] = ContextVar("_is_current", default=lambda: True)
"""Whether no restart of the schedules has ended the run that invokes a function."""


@dataclass(frozen=True)
class RateSchedule:
    """`key` is the schedule's as long as it exists; `fire` delivers to its targets, without waiting for them, and is
    given whether this run is still current."""

    key: tuple[str, str, str, str]
    seconds: int
    first_at_once: bool  # Scheduler begins with the creation, a rule counts from it
    fire: Callable[[IsCurrent], None]


def take_over_rates() -> Callable[[], list[RateSchedule]]:
    """End ministack's own firing of rates, which checks every ten seconds; returns a function that lists them."""
    name = "services.eventbridge:_parse_rate_seconds"
    patch(name, lambda seconds_of, expression: None if seconds_of(expression) is None else _NEVER)
    return functools.partial(_rate_schedules, original(name))


def _rate_schedules(seconds_of: Callable[[str], int | None]) -> list[RateSchedule]:
    from ministack.services import eventbridge, scheduler

    found, now = [], time.time()
    for (account, region, name), schedule in list(scheduler._schedules._data.items()):
        seconds = seconds_of(schedule.get("ScheduleExpression", ""))
        begins, ends = scheduler._to_epoch(schedule.get("StartDate")), scheduler._to_epoch(schedule.get("EndDate"))
        if seconds and schedule.get("State") == "ENABLED" and (begins or 0) <= now <= (ends or now):
            fire = functools.partial(_fire, account, region, schedule, "aws.scheduler", [schedule["Target"]])
            found.append(RateSchedule(("schedule", account, region, name), seconds, True, fire))
    for (account, region, name), rule in list(eventbridge._rules._data.items()):
        seconds = seconds_of(rule.get("ScheduleExpression", ""))
        if seconds and rule.get("State") == "ENABLED":
            targets = eventbridge._targets._data.get((account, region, name), [])
            fire = functools.partial(_fire, account, region, rule, "aws.events", targets)
            found.append(RateSchedule(("rule", account, region, name), seconds, False, fire))
    return found


def _fire(
    account: str,
    region: str,
    record: dict[str, Any],
    source: str,
    targets: list[dict[str, Any]],
    is_current: IsCurrent,
) -> None:
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    event = {
        "EventId": str(uuid.uuid4()),
        "Source": source,
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "EventBusName": record.get("EventBusName", "default"),
        "Time": time.time(),
        "Resources": [record.get("Arn", "")],
        "Account": account,
        "Region": region,
    }
    token = _is_current.set(is_current)  # for the threads of its invocations, which copy this context
    try:
        with request_scope(account, region):
            for target in list(targets):
                eventbridge._invoke_target(target, event, record)
    finally:
        _is_current.reset(token)


def invoke_targets_asynchronously() -> None:
    """Let rules and schedules invoke functions as AWS does: queued, tried again, then given to the dead letters."""
    from ministack.services import lambda_svc

    def dispatch(to_lambda: Any, arn: str, payload: str) -> None:
        function, configuration, _ = lambda_svc._get_func_record_for_ref(arn)
        if not function or not configuration:
            to_lambda(arn, payload)  # which logs it
            return
        # ministack counts the invocations that arrive by its API only.
        lambda_svc._emit_lambda_metrics(configuration["FunctionName"], duration_ms=0.0, error=False, throttle=False)
        lambda_svc.invoke_async_with_retry(
            lambda_svc._execution_record_for_config(function, configuration), json.loads(payload)
        )

    patch("services.eventbridge:_dispatch_to_lambda", dispatch)


def retry_only_current_runs() -> None:
    """Let Lambda drop the retry of an invocation whose schedule's run is no longer current, without a dead letter."""

    def execute(execute_function: Any, func: dict[str, Any], event: Any) -> Any:
        return execute_function(func, event) if _is_current.get()() else {"body": None}

    patch("services.lambda_svc:_execute_function", execute)


def pace_asynchronous_retries(first_delay: float, longest_delay: float) -> None:
    """Let Lambda wait `first_delay` seconds of this machine before it tries an asynchronous invocation again.

    Then it waits twice as long, up to `longest_delay`. A wait that has begun keeps its length. ministack reads the
    environment variables of these delays when it is imported only, and the speed of this AWS changes later.
    """
    patch_value("services.lambda_svc:_LAMBDA_ASYNC_RETRY_BASE_SECONDS", lambda _value: first_delay)
    patch_value("services.lambda_svc:_LAMBDA_ASYNC_RETRY_MAX_SECONDS", lambda _value: longest_delay)
