"""Events on their way to a bus in another region, which ministack accepts as a target and then forgets.

Delivery waits while either region is lost and goes on after the heal; on AWS it is tried again for a day
[EVENTS-8].
"""

import logging
from collections.abc import Callable

from localaws import emulator
from localaws.emulator.eventbridge import Event

Send = Callable[[str, str, str, Callable[[], None]], None]  # kind, from region, to region, what does it

KIND = "events"
logger = logging.getLogger(__name__)


class EventBuses:
    """`send` is `Replication.send`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def install(self) -> None:
        emulator.eventbridge.forward_to_other_buses(self._forward)

    def _forward(self, account: str, source: str, rule: str, destination: str, bus: str, event: Event) -> None:
        crossing = f"{source}/{rule}"
        if crossing in event.get("_Crossed", ()):
            logger.warning("rule %s of %s would send an event round in circles; it stops here", rule, source)
            return
        self.deliver(account, source, destination, bus, {**event, "_Crossed": [*event.get("_Crossed", ()), crossing]})

    def deliver(self, account: str, source: str, destination: str, bus: str, event: Event) -> None:
        """Let the rules of `bus` see the event after its way; it keeps its id and the region it came from."""

        def arrive() -> None:
            if not emulator.eventbridge.deliver_event(account, destination, bus, event):
                logger.warning("no event bus %s in %s: an event from %s is dropped", bus, destination, source)

        self._send(KIND, source, destination, arrive)
