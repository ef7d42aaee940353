"""AWS Global Accelerator's API for standard accelerators, and what is deployed by it.

Left out, and refused with a reason: UDP listeners, dual-stack and brought addresses, endpoints other than load
balancers, custom routing, cross-account attachments. Lists come in one page. Sources: the service's API reference (the
model botocore ships) and https://docs.aws.amazon.com/global-accelerator/latest/dg/.
"""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from botocore import xform_name

from localaws import emulator
from localaws.core.clock import Clock
from localaws.emulator.services import Answer, AwsRefusal
from localaws.services.globalaccelerator import validation
from localaws.services.globalaccelerator.records import Accelerator, Document, EndpointGroup, Listener
from localaws.services.globalaccelerator.validation import invalid

TARGET_PREFIX = "GlobalAccelerator_V20180706"
# AWS seconds in IN_PROGRESS after a change; on AWS it is minutes, which would show nothing more here.
DEPLOYING_SECONDS = 2.0
ACCELERATORS_PER_ACCOUNT = 20
HEALTH_CHECK_DEFAULTS = {
    "HealthCheckProtocol": "TCP",
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 30,
    "ThresholdCount": 3,
}

Parameters = Mapping[str, Any]
Record = TypeVar("Record", Accelerator, Listener, EndpointGroup)


class GlobalAccelerator:
    """All accounts' accelerators. Called on the emulator's event loop; its records may be read from any thread.

    `health_of` gives INITIAL, HEALTHY or UNHEALTHY for an endpoint id. An operation is the method with its name in
    snake case, which takes the account and the checked parameters and returns the response.
    """

    def __init__(self, clock: Clock, health_of: Callable[[str], str]) -> None:
        self.accelerators: dict[str, Accelerator] = {}
        self.listeners: dict[str, Listener] = {}
        self.endpoint_groups: dict[str, EndpointGroup] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._clock = clock
        self._health_of = health_of
        self._made = 0

    def install(self) -> None:
        emulator.services.register_service("globalaccelerator", TARGET_PREFIX, self.handle, self.clear)

    def clear(self) -> None:
        for records in (self.accelerators, self.listeners, self.endpoint_groups, self._tags, self._tokens):
            records.clear()

    def listeners_of(self, accelerator: str) -> list[Listener]:
        return [listener for listener in tuple(self.listeners.values()) if listener.accelerator == accelerator]

    def groups_of(self, listener: str) -> list[EndpointGroup]:
        return [group for group in tuple(self.endpoint_groups.values()) if group.listener == listener]

    async def handle(
        self, _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
    ) -> Answer:
        """One request in JSON 1.1, as the emulator passes it on."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            if operation not in validation.model().operation_names:
                reason = f"{operation or 'This'} is not an operation of Global Accelerator."
                raise AwsRefusal("UnknownOperationException", reason)
            method = getattr(self, xform_name(operation), None)
            if method is None:
                raise AwsRefusal("UnknownOperationException", f"{operation} is not emulated here.")
            parameters = json.loads(body or b"{}")
            validation.check_parameters(operation, parameters)
            document = method(emulator.services.request_account(), parameters)
            return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()
        except AwsRefusal as refusal:
            error = {"__type": refusal.code, "Message": str(refusal)}
            return refusal.status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(error).encode()

    def create_accelerator(self, account: str, parameters: Parameters) -> Document:
        _check_addresses(parameters)

        def create() -> Accelerator:
            if sum(one.account == account for one in self.accelerators.values()) >= ACCELERATORS_PER_ACCOUNT:
                reason = f"You can have {ACCELERATORS_PER_ACCOUNT} accelerators per account."
                raise AwsRefusal("LimitExceededException", reason)
            # One address from each of two networks, as AWS has two network zones; RFC 5737 keeps these from routing.
            host = self._made % 254 + 1
            self._made += 1
            accelerator = Accelerator(
                arn=f"arn:aws:globalaccelerator::{account}:accelerator/{uuid.uuid4()}",
                account=account,
                name=parameters["Name"],
                enabled=parameters.get("Enabled", True),
                dns_name=f"a{secrets.token_hex(8)}.awsglobalaccelerator.com",
                addresses=(f"198.51.100.{host}", f"203.0.113.{host}"),
                created=time.time(),
                modified=time.time(),
                changed_at=self._clock.now(),
            )
            self._tags[accelerator.arn] = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
            return accelerator

        return self._accelerator_document(self._create_once(account, parameters, self.accelerators, create))

    def describe_accelerator(self, account: str, parameters: Parameters) -> Document:
        return self._accelerator_document(self._accelerator(account, parameters))

    def list_accelerators(self, account: str, _parameters: Parameters) -> Document:
        records = [record for record in self.accelerators.values() if record.account == account]
        return {"Accelerators": [record.document(self._status(record)) for record in records]}

    def update_accelerator(self, account: str, parameters: Parameters) -> Document:
        _check_addresses(parameters)
        record = self._accelerator(account, parameters)
        name, enabled = parameters.get("Name", record.name), parameters.get("Enabled", record.enabled)
        self.accelerators[record.arn] = replace(record, name=name, enabled=enabled)
        return self._accelerator_document(self._touch(record.arn))

    def delete_accelerator(self, account: str, parameters: Parameters) -> Document:
        record = self._accelerator(account, parameters)
        if record.enabled:
            reason = "The accelerator must be disabled before it is deleted."
            raise AwsRefusal("AcceleratorNotDisabledException", reason)
        if self.listeners_of(record.arn):
            reason = "The accelerator still has a listener; delete it first."
            raise AwsRefusal("AssociatedListenerFoundException", reason)
        del self.accelerators[record.arn], self._tags[record.arn]
        return {}

    def describe_accelerator_attributes(self, account: str, parameters: Parameters) -> Document:
        return {"AcceleratorAttributes": dict(self._accelerator(account, parameters).flow_logs)}

    def update_accelerator_attributes(self, account: str, parameters: Parameters) -> Document:
        record = self._accelerator(account, parameters)
        given = {key: value for key, value in parameters.items() if key.startswith("FlowLogs")}
        flow_logs = {**record.flow_logs, **given}
        if flow_logs["FlowLogsEnabled"] and not flow_logs.get("FlowLogsS3Bucket"):
            raise invalid("Flow logs need FlowLogsS3Bucket.")
        self.accelerators[record.arn] = replace(record, flow_logs=flow_logs)
        return {"AcceleratorAttributes": dict(self._touch(record.arn).flow_logs)}

    def create_listener(self, account: str, parameters: Parameters) -> Document:
        _check_protocol(parameters)

        def create() -> Listener:
            accelerator = self._accelerator(account, parameters).arn
            return Listener(
                arn=f"{accelerator}/listener/{secrets.token_hex(4)}",
                accelerator=accelerator,
                port_ranges=validation.port_ranges(parameters, self._ports_taken(accelerator)),
                client_affinity=parameters.get("ClientAffinity", "NONE"),
            )

        created = self._create_once(account, parameters, self.listeners, create)
        return {"Listener": created.document()}

    def describe_listener(self, account: str, parameters: Parameters) -> Document:
        return {"Listener": self._listener(account, parameters).document()}

    def list_listeners(self, account: str, parameters: Parameters) -> Document:
        arn = self._accelerator(account, parameters).arn
        return {"Listeners": [record.document() for record in self.listeners_of(arn)]}

    def update_listener(self, account: str, parameters: Parameters) -> Document:
        _check_protocol(parameters)
        record = self._listener(account, parameters)
        if "PortRanges" in parameters:
            taken = self._ports_taken(record.accelerator, besides=record.arn)
            record = replace(record, port_ranges=validation.port_ranges(parameters, taken))
        record = replace(record, client_affinity=parameters.get("ClientAffinity", record.client_affinity))
        self.listeners[record.arn] = record
        self._touch(record.accelerator)
        return {"Listener": record.document()}

    def delete_listener(self, account: str, parameters: Parameters) -> Document:
        record = self._listener(account, parameters)
        if self.groups_of(record.arn):
            reason = "The listener still has an endpoint group; delete it first."
            raise AwsRefusal("AssociatedEndpointGroupFoundException", reason)
        del self.listeners[record.arn]
        self._touch(record.accelerator)
        return {}

    def create_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        region = parameters["EndpointGroupRegion"]
        validation.check_region(region)

        def create() -> EndpointGroup:
            listener = self._listener(account, parameters)
            if any(group.region == region for group in self.groups_of(listener.arn)):
                reason = f"The listener already has an endpoint group in {region}."
                raise AwsRefusal("EndpointGroupAlreadyExistsException", reason)
            empty = EndpointGroup(
                arn=f"{listener.arn}/endpoint-group/{secrets.token_hex(6)}",
                listener=listener.arn,
                region=region,
                dial=100.0,
                endpoints=(),
                port_overrides={},
                health_check=HEALTH_CHECK_DEFAULTS | {"HealthCheckPort": listener.ports[0]},
            )
            return _changed(empty, parameters)

        return self._group_document(self._create_once(account, parameters, self.endpoint_groups, create))

    def describe_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        return self._group_document(self._endpoint_group(account, parameters))

    def list_endpoint_groups(self, account: str, parameters: Parameters) -> Document:
        listener = self._listener(account, parameters)
        return {"EndpointGroups": [record.document(self._health_of) for record in self.groups_of(listener.arn)]}

    def update_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        record = _changed(self._endpoint_group(account, parameters), parameters)
        self.endpoint_groups[record.arn] = record
        self._touch(_accelerator_of(record.arn))
        return self._group_document(record)

    def delete_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        arn = self._endpoint_group(account, parameters).arn
        del self.endpoint_groups[arn]
        self._touch(_accelerator_of(arn))
        return {}

    def tag_resource(self, account: str, parameters: Parameters) -> Document:
        self._tags_of(account, parameters).update({tag["Key"]: tag["Value"] for tag in parameters["Tags"]})
        return {}

    def untag_resource(self, account: str, parameters: Parameters) -> Document:
        tags = self._tags_of(account, parameters)
        for key in parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, account: str, parameters: Parameters) -> Document:
        tags = self._tags_of(account, parameters)
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _accelerator(self, account: str, parameters: Parameters) -> Accelerator:
        arn = parameters.get("AcceleratorArn") or parameters["ResourceArn"]
        return _found(self.accelerators, account, arn, "AcceleratorNotFoundException", "accelerator")

    def _listener(self, account: str, parameters: Parameters) -> Listener:
        return _found(self.listeners, account, parameters["ListenerArn"], "ListenerNotFoundException", "listener")

    def _endpoint_group(self, account: str, parameters: Parameters) -> EndpointGroup:
        arn = parameters["EndpointGroupArn"]
        return _found(self.endpoint_groups, account, arn, "EndpointGroupNotFoundException", "endpoint group")

    def _tags_of(self, account: str, parameters: Parameters) -> dict[str, str]:
        return self._tags[self._accelerator(account, parameters).arn]

    def _ports_taken(self, accelerator: str, besides: str = "") -> list[tuple[int, int]]:
        others = [listener for listener in self.listeners_of(accelerator) if listener.arn != besides]
        return [ports for listener in others for ports in listener.port_ranges]

    def _status(self, accelerator: Accelerator) -> str:
        return "IN_PROGRESS" if self._clock.now() - accelerator.changed_at < DEPLOYING_SECONDS else "DEPLOYED"

    def _accelerator_document(self, record: Accelerator) -> Document:
        return {"Accelerator": record.document(self._status(record))}

    def _group_document(self, record: EndpointGroup) -> Document:
        return {"EndpointGroup": record.document(self._health_of)}

    def _touch(self, arn: str) -> Accelerator:
        """Every change below an accelerator deploys the accelerator again."""
        touched = replace(self.accelerators[arn], modified=time.time(), changed_at=self._clock.now())
        self.accelerators[arn] = touched
        return touched

    def _create_once(
        self, account: str, parameters: Parameters, records: dict[str, Record], create: Callable[[], Record]
    ) -> Record:
        """Create and keep a record, or return the one that the same idempotency token created before."""
        token = account, parameters["IdempotencyToken"]
        if (known := self._tokens.get(token)) and known in records:
            return records[known]
        record = create()
        records[record.arn] = record
        self._tokens[token] = record.arn
        self._touch(_accelerator_of(record.arn))
        return record


def _check_addresses(parameters: Parameters) -> None:
    if parameters.get("IpAddressType", "IPV4") != "IPV4" or parameters.get("IpAddresses"):
        raise invalid("The embedded AWS has IPv4 addresses of its own only.")


def _check_protocol(parameters: Parameters) -> None:
    if parameters.get("Protocol", "TCP") != "TCP":
        raise invalid("The embedded AWS carries TCP only.")


def _changed(group: EndpointGroup, parameters: Parameters) -> EndpointGroup:
    """`group` with the settings that a request names."""
    changes: Document = {}
    if "TrafficDialPercentage" in parameters:
        changes["dial"] = float(parameters["TrafficDialPercentage"])
    if "EndpointConfigurations" in parameters:
        changes["endpoints"] = validation.endpoints(parameters["EndpointConfigurations"], group.region)
    if "PortOverrides" in parameters:
        overrides = parameters["PortOverrides"]
        changes["port_overrides"] = {entry["ListenerPort"]: entry["EndpointPort"] for entry in overrides}
    settings = (*HEALTH_CHECK_DEFAULTS, "HealthCheckPort")
    given = {name: parameters[name] for name in settings if name in parameters}
    return replace(group, health_check={**group.health_check, **given}, **changes)


def _found(records: Mapping[str, Record], account: str, arn: str, code: str, what: str) -> Record:
    """The record of `arn`, which carries the account. Raises AwsRefusal."""
    record = records.get(arn)
    if record is None or arn.split(":")[4] != account:
        raise AwsRefusal(code, f"The {what} {arn} does not exist.")
    return record


def _accelerator_of(arn: str) -> str:
    """The accelerator that an accelerator's, listener's or endpoint group's ARN belongs to."""
    return arn.partition("/listener/")[0]
