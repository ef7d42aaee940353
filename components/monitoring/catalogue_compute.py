"""Alarms on what runs: functions, rules, dead-letter queues."""

import functools
from collections.abc import Mapping

from components.monitoring.alarms import Alarm
from shared.functions import Trigger

_LAMBDA = "[LAMBDA-8], dimensions: [CW-5]"

# Defaults for alarms on functions.
_on_function = functools.partial(
    Alarm,
    namespace="AWS/Lambda",
    dimensions={"FunctionName": "function"},
    evaluation_periods=5,
    missing_reason="a function without invocations reports nothing",
    source=_LAMBDA,
)

_ERRORS = _on_function(
    key="errors",
    metric="Errors",
    datapoints=2,
    reason="The function failed: it raised an error, ran out of time or memory, or could not start. See its log group.",
    urgent=True,
)
_THROTTLES = _on_function(
    key="throttles",
    metric="Throttles",
    datapoints=2,
    reason="Invocations were throttled: the concurrency limit was reached. After a failover one region carries the "
    "load of both: compare the account's concurrency limits in the two.",
    urgent=True,
)
_DURATION = _on_function(
    key="duration",
    metric="Duration",
    statistic="p99",
    datapoints=3,
    threshold=0.8,
    share_of="timeout_ms",
    reason="The slowest calls come close to the function's time limit; what waits behind them is next. See its traces.",
)
_DEAD_LETTER_ERRORS = _on_function(
    key="dead-letter-errors",
    metric="DeadLetterErrors",
    evaluation_periods=1,
    datapoints=1,
    missing_reason="nothing had to be sent to the dead-letter queue",
    reason="An event could not even be put into the dead-letter queue and is lost: check the function's rights to the "
    "queue and to its key.",
)
_ITERATOR_AGE = _on_function(
    key="behind",
    metric="IteratorAge",
    statistic="Maximum",
    datapoints=3,
    threshold=60_000,  # milliseconds
    comparison="GreaterThanThreshold",
    missing_reason="a stream without new records has no age",
    reason="The function is more than a minute behind its stream: it fails on a record and retries it, or is too slow.",
)
_silent = functools.partial(
    _on_function,
    key="silent",
    metric="Invocations",
    datapoints=5,
    comparison="LessThanThreshold",
    missing="breaching",
    missing_reason="a function that a schedule calls every minute and that reports nothing is not called",
)

FUNCTION = (_ERRORS, _THROTTLES, _DURATION)
"""For every function. Role `function`; limit `timeout_ms`, the function's time limit in milliseconds."""
ASYNC_FUNCTION = (*FUNCTION, _DEAD_LETTER_ERRORS)
"""For a function that events start, with a dead-letter queue of its own."""
STREAM_FUNCTION = (*FUNCTION, _ITERATOR_AGE)
"""For a function that reads a stream."""
BY_TRIGGER: Mapping[Trigger, tuple[Alarm, ...]] = {
    "request": FUNCTION,
    "stream": STREAM_FUNCTION,
    "event": ASYNC_FUNCTION,
}
SCHEDULED: Mapping[str, Alarm] = {
    "sentinel": _silent(
        reason="Nothing watches the other region: its loss would move traffic, but not the database. See the schedule, "
        "its role and the dead-letter queue.",
        urgent=True,
    ),
    "announcer": _silent(
        reason="Nothing sweeps payments that are not announced yet. See the schedule, its role and the dead-letter "
        "queue.",
    ),
}
"""Besides the above, for the functions that a schedule calls every minute."""

_on_announcements = functools.partial(
    Alarm,
    namespace=None,
    dimensions={"service": "function"},
    missing_reason="only the announcer of the writer's region reports it",
    source="[CW-7]",
)

ANNOUNCEMENTS = (
    _on_announcements(
        key="oldest",
        metric="UnannouncedOldestSeconds",
        statistic="Maximum",
        evaluation_periods=3,
        datapoints=2,
        threshold=15 * 60,  # seconds
        comparison="GreaterThanThreshold",
        reason="A payment was posted more than 15 minutes ago and is not announced yet: EventBridge does not accept "
        "events, neither through the endpoint nor on the own bus. Nothing is lost; see the announcer's log group.",
    ),
    _on_announcements(
        key="failing",
        metric="SweepsFailed",
        evaluation_periods=10,
        datapoints=10,
        reason="The announcer has not been able to read the ledger for ten minutes, so payments may be posted and not "
        "announced. See its log group.",
    ),
)
"""On what the announcer leaves. Role `function`: its name in the catalogue of functions."""

BACKLOG = (
    Alarm(
        key="oldest",
        namespace=None,
        metric="BacklogOldestSeconds",
        dimensions={"service": "function"},
        statistic="Maximum",
        evaluation_periods=5,
        datapoints=5,
        threshold=900,  # seconds
        comparison="GreaterThanThreshold",
        missing_reason="the ledger reports it every minute once the global stack has scheduled it; calls that fail are "
        "in the dead-letter queue, which has an alarm",
        reason="Acknowledged payments have waited for more than a quarter of an hour to be in this region's database. "
        "See docs/runbooks/ledger-backlog.md.",
        source="[CW-7]",
        urgent=True,
    ),
)
"""On a region's backlog. Role `function`: the ledger's name in the catalogue of functions."""

SURVIVOR = (
    Alarm(
        key="missing",
        namespace=None,
        metric="PeerUnableToTakeOver",
        dimensions={"service": "function"},
        statistic="Minimum",
        evaluation_periods=15,
        datapoints=15,
        missing_reason="the sentinel reports it every minute; its silence has an alarm",
        reason="If this region were lost now, none would be left to take over without an operator: the other one is "
        "fenced or does not answer. See docs/runbooks/failover.md#no-survivor.",
        source="[CW-7]",
    ),
)
"""On the writer's peer. Role `function`: the sentinel's name in the catalogue of functions."""

_on_machine = functools.partial(
    Alarm,
    namespace="AWS/States",
    dimensions={"StateMachineArn": "machine"},
    missing_reason="state machines without executions report nothing",
    source="[SFN-1]",
    urgent=True,
)

STATE_MACHINE = (
    _on_machine(
        key="failed",
        metric="ExecutionsFailed",
        reason="A run gave up after its retries. See docs/runbooks/failover.md.",
    ),
    _on_machine(
        key="timed-out",
        metric="ExecutionsTimedOut",
        reason="A run outlasted its time limit. See docs/runbooks/failover.md.",
    ),
    _on_machine(
        key="aborted",
        metric="ExecutionsAborted",
        reason="An operator stopped an execution: check which of its steps are done.",
    ),
)
"""For a state machine. Role `machine`: its ARN."""

DEAD_LETTER_QUEUE = (
    Alarm(
        key="depth",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": "queue"},
        statistic="Maximum",
        missing_reason="SQS stops reporting a queue that nobody has used for six hours, as this one should be",
        reason="Something could not be handled and waits here to be looked at; it is deleted after 14 days.",
        source="[SQS-1]",
    ),
)
"""Role `queue`: the queue's name."""

WORK_QUEUE = (
    Alarm(
        key="waiting",
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        dimensions={"QueueName": "queue"},
        statistic="Maximum",
        evaluation_periods=5,
        datapoints=5,
        threshold=900,  # seconds
        comparison="GreaterThanThreshold",
        missing_reason="SQS stops reporting a queue that nobody has used for six hours",
        reason="Something has waited for more than a quarter of an hour: the function behind this queue is not called, "
        "or fails again and again. See its log group.",
        source="[SQS-1]",
    ),
)
"""For a queue that a function works off. Role `queue`: the queue's name."""

EVENT_LATENCY = Alarm(
    key="latency",
    namespace="AWS/Events",
    metric="IngestionToInvocationStartLatency",
    # None: the whole service in the region, across all rules and buses [EVENTS-7].
    dimensions={},
    statistic="Average",
    evaluation_periods=5,
    datapoints=5,
    threshold=30_000,  # milliseconds
    comparison="GreaterThanThreshold",
    missing="missing",
    missing_reason="a quiet minute must not move events to the other region; AWS's own template has breaching, and "
    "advises to change that for buses that are used now and then",
    reason="EventBridge takes more than 30 seconds to deliver: the service itself is disturbed. The event endpoint's "
    "health check follows this alarm.",
    source="[EVENTS-6] [EVENTS-7]",
)
