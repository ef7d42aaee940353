"""EventBridge and SNS: published events, buses of other regions, deliveries to targets and queues."""

import contextvars
import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from localaws.emulator.patches import PassOn, patch

Event = dict[str, Any]


def on_published_events(listener: Callable[[str, str, dict[str, Any], list[Event]], None]) -> None:
    """Call `listener(account, region, request, accepted events)` after each PutEvents."""
    from ministack.core.responses import get_account_id, get_region

    published: ContextVar[list[Event] | None] = ContextVar("published", default=None)

    def put_and_notify(put_events: Any, data: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        accepted: list[Event] = []
        token = published.set(accepted)
        try:
            answer = put_events(data, *arguments, **named)
        finally:
            published.reset(token)
        listener(get_account_id(), get_region(), data, accepted)
        return answer

    def dispatch_and_note(dispatch_event: Any, event: Event, view: Any = None) -> None:
        accepted = published.get()
        if accepted is not None and "_DispatchPath" not in event:
            accepted.append(event)
        dispatch_event(event, view)

    patch("services.eventbridge:_put_events", put_and_notify)
    patch("services.eventbridge:_dispatch_event", dispatch_and_note)


def deliver_event(account: str, region: str, bus: str, event: Event) -> bool:
    """Let the rules of a bus see an event that came from elsewhere; False if there is no such bus."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    with request_scope(account, region):
        if bus not in eventbridge._event_buses:
            return False
        arrived = {**event, "EventBusName": bus}
        eventbridge._dispatch_event({"_DispatchPath": [], **arrived})
        eventbridge._archive_event({key: value for key, value in arrived.items() if not key.startswith("_")})
    return True


def forward_to_other_buses(forward: Callable[[str, str, str, str, str, Event], None]) -> None:
    """Call `forward(account, from region, rule, to region, bus, event)` for a target that is a bus of another region.

    ministack accepts such a target and drops what goes there.
    """
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import eventbridge

    def dispatch(
        original: Any, spec: Any, event: Event, rule: dict[str, Any], path: Any, payload: str | None = None
    ) -> None:
        account, region = get_account_id(), get_region()
        if spec.region == region or spec.account_id != account or not spec.resource.startswith("event-bus/"):
            original(spec, event, rule, path, payload)
            return
        crossing = event if payload is None else {**event, "Detail": payload}
        source = str(eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default")))
        forward(account, region, source, spec.region, spec.resource.partition("/")[2], crossing)

    patch("services.eventbridge:_dispatch_to_event_bus", dispatch)


def event_bus_exists(account: str, region: str, name: str) -> bool:
    from ministack.services import eventbridge

    return bool(eventbridge._event_buses.contains_scoped(account, region, name))


def gate_event_targets(pass_on: Callable[[str, dict[str, Any], Callable[[], None]], None]) -> None:
    """Pass each delivery of a rule or schedule to a target through `pass_on(region, rule, deliver)`."""
    from ministack.core.responses import get_region

    def gated(
        invoke_target: Any, target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        context = contextvars.copy_context()
        pass_on(get_region(), rule, lambda: context.run(invoke_target, target, event, rule, view))

    patch("services.eventbridge:_invoke_target", gated)


def gate_queue_deliveries(pass_on: PassOn) -> None:
    """Pass each delivery of a topic to a queue through `pass_on(topic region, queue region, deliver)`."""

    def region(arn: str) -> str:
        return arn.split(":")[3]

    def gated(deliver_to_sqs: Any, endpoint: str, *arguments: Any, topic_arn: str, **named: Any) -> None:
        context = contextvars.copy_context()
        deliver = functools.partial(deliver_to_sqs, endpoint, *arguments, topic_arn=topic_arn, **named)
        pass_on(region(topic_arn), region(endpoint), lambda: context.run(deliver))

    patch("services.sns:_deliver_to_sqs", gated)
