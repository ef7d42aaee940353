"""EventBridge across regions: rules whose target is a bus in another region, and global endpoints.

ministack accepts such a target and drops the events. Delivery waits while either region is lost and resumes afterwards;
AWS retries for a day [EVENTS-8].

A global endpoint sends events to the primary's bus, or to the secondary's while the primary's health check fails.
Sources: [EVENTS-4], API EventBridge.CreateEndpoint and API EventBridge.PutEvents. An endpoint's record is kept in the
region that made it, its id is valid everywhere. Left out: the managed rules by which AWS replicates (replication itself
works).
"""

import logging
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localaws import emulator
from localaws.core import routing
from localaws.emulator.eventbridge import Event
from localaws.emulator.services import AwsRefusal, JsonCall

Document = dict[str, Any]
Send = Callable[[str, str, str, Callable[[], None]], None]  # kind, from region, to region, delivery

_LETTERS = string.ascii_lowercase + string.digits
_MUTABLE = ("Description", "RoutingConfig", "ReplicationConfig", "EventBuses", "RoleArn")
_LISTED = 100  # API EventBridge.ListEndpoints.MaxResults, its upper limit
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
            logger.warning("event=event_loop_stopped rule %s of %s", rule, source)
            return
        self.deliver(account, source, destination, bus, {**event, "_Crossed": [*event.get("_Crossed", ()), crossing]})

    def deliver(self, account: str, source: str, destination: str, bus: str, event: Event) -> None:
        """Deliver the event to `bus` after its lag; it keeps its id and the region it came from."""

        def arrive() -> None:
            if not emulator.eventbridge.deliver_event(account, destination, bus, event):
                logger.warning("event=event_dropped no bus %s in %s, from %s", bus, destination, source)

        self._send(KIND, source, destination, arrive)


@dataclass
class _Endpoint:
    account: str
    region: str  # in which it was made
    document: Document = field(repr=False)

    def bus_in(self, region: str) -> str | None:
        """Name of the endpoint's bus in a region."""
        for bus in self.document["EventBuses"]:
            _, _, _, bus_region, _, resource = bus["EventBusArn"].split(":", 5)
            if bus_region == region:
                return str(resource.partition("/")[2])
        return None

    @property
    def secondary(self) -> str:
        return str(self.document["RoutingConfig"]["FailoverConfig"]["Secondary"]["Route"])

    @property
    def primary(self) -> str:
        regions = [bus["EventBusArn"].split(":")[3] for bus in self.document["EventBuses"]]
        return str(next(region for region in regions if region != self.secondary))

    @property
    def health_check(self) -> str:
        arn = self.document["RoutingConfig"]["FailoverConfig"]["Primary"]["HealthCheck"]
        return str(arn.rpartition("/")[2])


class EventEndpoints:
    """`is_healthy(health check id)` is the status of a Route 53 health check."""

    def __init__(self, buses: EventBuses, is_healthy: Callable[[str], bool]) -> None:
        self._buses = buses
        self._is_healthy = is_healthy
        self._endpoints: dict[tuple[str, str, str], _Endpoint] = {}  # by account, region, name

    def install(self) -> None:
        actions = {
            "CreateEndpoint": self._create,
            "DescribeEndpoint": lambda call: self._of(call).document,
            "UpdateEndpoint": self._update,
            "DeleteEndpoint": self._delete,
            "ListEndpoints": self._list,
            "PutEvents": self._check,
        }
        emulator.services.answer_json_actions("eventbridge", actions, self._endpoints.clear)
        emulator.eventbridge.on_published_events(self._published)
        routing.serve_every_region("events", "PutEvents", self._region)

    def _create(self, call: JsonCall) -> Document:
        name = call.parameters["Name"]
        key = (call.account, call.region, name)
        if key in self._endpoints:
            raise AwsRefusal("ResourceAlreadyExistsException", f"Endpoint {name} already exists.")
        identity = "".join(secrets.choice(_LETTERS) for _ in range(10)) + ".veo"
        now = time.time()
        document = {
            "Name": name,
            "Arn": f"arn:aws:events:{call.region}:{call.account}:endpoint/{name}",
            "EndpointId": identity,
            "EndpointUrl": f"https://{identity}.endpoint.events.amazonaws.com/",
            "State": "ACTIVE",
            "CreationTime": now,
            "LastModifiedTime": now,
            "ReplicationConfig": {"State": "ENABLED"},
        }
        document |= _changeable(call.parameters)
        self._endpoints[key] = _checked(_Endpoint(call.account, call.region, document))
        return document

    def _update(self, call: JsonCall) -> Document:
        endpoint = self._of(call)
        changed = endpoint.document | _changeable(call.parameters) | {"LastModifiedTime": time.time()}
        _checked(_Endpoint(endpoint.account, endpoint.region, changed))
        endpoint.document = changed
        return changed

    def _delete(self, call: JsonCall) -> Document:
        self._of(call)
        del self._endpoints[call.account, call.region, call.parameters["Name"]]
        return {}

    def _list(self, call: JsonCall) -> Document:
        prefix, requested_region = call.parameters.get("NamePrefix", ""), call.parameters.get("HomeRegion", call.region)
        found = [
            endpoint.document
            for (account, region, name), endpoint in sorted(self._endpoints.items())
            if account == call.account and region == requested_region and name.startswith(prefix)
        ]
        return {"Endpoints": found[: call.parameters.get("MaxResults", _LISTED)]}

    def _check(self, call: JsonCall) -> None:
        """Refuse events for an endpoint that does not exist, or for a bus that is not its own."""
        if not (identity := call.parameters.get("EndpointId")):
            return
        endpoint = self._by_id(identity)
        if endpoint is None or endpoint.account != call.account:
            raise AwsRefusal("ResourceNotFoundException", f"Endpoint {identity} does not exist.")
        own = endpoint.bus_in(call.region)
        if any(entry.get("EventBusName", "default") != own for entry in call.parameters["Entries"]):
            raise AwsRefusal("ValidationException", f"Endpoint {identity} takes events for its bus {own} only.")

    def _region(self, parameters: Document) -> str | None:
        """The region that the events of a request go to now."""
        endpoint = self._by_id(parameters.get("EndpointId", ""))
        if endpoint is None:
            return None
        return endpoint.primary if self._is_healthy(endpoint.health_check) else endpoint.secondary

    def _published(self, account: str, region: str, parameters: Document, events: list[Event]) -> None:
        """Replicate events of an endpoint to its other bus."""
        endpoint = self._by_id(parameters.get("EndpointId", ""))
        if endpoint is None or endpoint.document["ReplicationConfig"]["State"] != "ENABLED":
            return
        other = endpoint.secondary if region == endpoint.primary else endpoint.primary
        for event in events:
            self._buses.deliver(account, region, other, event["EventBusName"], event)

    def _of(self, call: JsonCall) -> _Endpoint:
        key = (call.account, call.region, call.parameters["Name"])
        if (endpoint := self._endpoints.get(key)) is None:
            raise AwsRefusal("ResourceNotFoundException", f"Endpoint {key[2]} does not exist.")
        return endpoint

    def _by_id(self, identity: str) -> _Endpoint | None:
        found = self._endpoints.values()
        return next((endpoint for endpoint in found if endpoint.document["EndpointId"] == identity), None)


def _changeable(parameters: Document) -> Document:
    return {name: parameters[name] for name in _MUTABLE if name in parameters}


def _checked(endpoint: _Endpoint) -> _Endpoint:
    """Check what AWS checks: two existing buses of one name, in two regions; a role where events are replicated."""
    document = endpoint.document
    arns = [bus["EventBusArn"].split(":", 5) for bus in document["EventBuses"]]
    regions, names = {arn[3] for arn in arns}, {arn[5] for arn in arns}
    if len(arns) != 2 or len(regions) != 2 or len(names) != 1:
        raise AwsRefusal("ValidationException", "An endpoint needs two event buses of one name, in two Regions.")
    if "event-bus/default" in names:
        raise AwsRefusal("ValidationException", "An endpoint needs custom event buses.")
    missing = [
        arn[3]
        for arn in arns
        if not emulator.eventbridge.event_bus_exists(endpoint.account, arn[3], arn[5].partition("/")[2])
    ]
    if missing:
        raise AwsRefusal("ResourceNotFoundException", f"The event bus does not exist in {', '.join(missing)}.")
    if endpoint.secondary not in regions or endpoint.primary != endpoint.region:
        reason = "The secondary Route must be the Region of the other event bus, and the endpoint made in the primary."
        raise AwsRefusal("ValidationException", reason)
    if document["ReplicationConfig"]["State"] == "ENABLED" and not document.get("RoleArn"):
        raise AwsRefusal("ValidationException", "RoleArn is needed when event replication is enabled.")
    return endpoint
