"""Global Accelerator's API as a handler of the emulator: JSON 1.1, one method per operation."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws import emulator
from localaws.services.elb import deployed
from localaws.services.globalaccelerator import wire
from localaws.services.globalaccelerator.records import Accelerator, Endpoint, EndpointGroup
from localaws.services.globalaccelerator.rules import ApiError, check_region, endpoint
from localaws.services.globalaccelerator.state import GlobalAccelerator
from localaws.services.globalaccelerator.wire import Document

Parameters = Mapping[str, Any]


class GlobalAcceleratorApi:
    """Answers on the emulator's event loop. `health_of` gives INITIAL, HEALTHY or UNHEALTHY for an endpoint id."""

    def __init__(self, state: GlobalAccelerator, health_of: Callable[[str], str]) -> None:
        self._state = state
        self._health_of = health_of
        self._operations: dict[str, Callable[[str, Parameters], Document]] = {
            "CreateAccelerator": self.create_accelerator,
            "DescribeAccelerator": self.describe_accelerator,
            "UpdateAccelerator": self.update_accelerator,
            "DeleteAccelerator": self.delete_accelerator,
            "ListAccelerators": self.list_accelerators,
            "DescribeAcceleratorAttributes": self.describe_attributes,
            "UpdateAcceleratorAttributes": self.update_attributes,
            "CreateListener": self.create_listener,
            "DescribeListener": self.describe_listener,
            "UpdateListener": self.update_listener,
            "DeleteListener": self.delete_listener,
            "ListListeners": self.list_listeners,
            "CreateEndpointGroup": self.create_endpoint_group,
            "DescribeEndpointGroup": self.describe_endpoint_group,
            "UpdateEndpointGroup": self.update_endpoint_group,
            "DeleteEndpointGroup": self.delete_endpoint_group,
            "ListEndpointGroups": self.list_endpoint_groups,
            "AddEndpoints": self.add_endpoints,
            "RemoveEndpoints": self.remove_endpoints,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    async def handle(
        self, _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
    ) -> emulator.services.Answer:
        """One request, as the emulator hands it on."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            if operation not in self._operations:
                problem = (
                    "is not emulated here" if wire.knows(operation) else "is not an operation of Global Accelerator"
                )
                raise ApiError("UnknownOperationException", f"{operation or 'This'} {problem}.")
            parameters = wire.parsed(body)
            wire.check(operation, parameters)
            return _answer(200, self._operations[operation](emulator.services.request_account(), parameters))
        except ApiError as refusal:
            return _answer(400, {"__type": refusal.code, "Message": str(refusal)})

    def create_accelerator(self, account: str, parameters: Parameters) -> Document:
        if parameters.get("IpAddressType", "IPV4") != "IPV4" or parameters.get("IpAddresses"):
            raise ApiError("InvalidArgumentException", "The embedded AWS has IPv4 addresses of its own only.")
        created = self._state.create_accelerator(
            account,
            parameters["Name"],
            enabled=parameters.get("Enabled", True),
            tags={tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())},
            token=parameters["IdempotencyToken"],
        )
        return self._accelerator(created)

    def describe_accelerator(self, account: str, parameters: Parameters) -> Document:
        return self._accelerator(self._state.accelerator(account, parameters["AcceleratorArn"]))

    def update_accelerator(self, account: str, parameters: Parameters) -> Document:
        if parameters.get("IpAddressType", "IPV4") != "IPV4" or parameters.get("IpAddresses"):
            raise ApiError("InvalidArgumentException", "The embedded AWS has IPv4 addresses of its own only.")
        names = {"Name": "name", "Enabled": "enabled"}
        changes = {names[key]: parameters[key] for key in names if key in parameters}
        return self._accelerator(self._state.update_accelerator(account, parameters["AcceleratorArn"], **changes))

    def delete_accelerator(self, account: str, parameters: Parameters) -> Document:
        self._state.delete_accelerator(account, parameters["AcceleratorArn"])
        return {}

    def list_accelerators(self, account: str, parameters: Parameters) -> Document:
        records = [self._accelerator(record)["Accelerator"] for record in self._state.accelerators_of(account)]
        return wire.page(records, parameters, "Accelerators")

    def describe_attributes(self, account: str, parameters: Parameters) -> Document:
        return {"AcceleratorAttributes": dict(self._state.accelerator(account, parameters["AcceleratorArn"]).flow_logs)}

    def update_attributes(self, account: str, parameters: Parameters) -> Document:
        arn = parameters["AcceleratorArn"]
        given = {key: value for key, value in parameters.items() if key.startswith("FlowLogs")}
        flow_logs = dict(self._state.accelerator(account, arn).flow_logs) | given
        if flow_logs["FlowLogsEnabled"] and not flow_logs.get("FlowLogsS3Bucket"):
            raise ApiError("InvalidArgumentException", "Flow logs need FlowLogsS3Bucket.")
        changed = self._state.update_accelerator(account, arn, flow_logs=flow_logs)
        return {"AcceleratorAttributes": dict(changed.flow_logs)}

    def create_listener(self, account: str, parameters: Parameters) -> Document:
        wire.refuse_udp(parameters)
        created = self._state.create_listener(
            account,
            parameters["AcceleratorArn"],
            wire.port_ranges(parameters),
            client_affinity=parameters.get("ClientAffinity", "NONE"),
            token=parameters["IdempotencyToken"],
        )
        return {"Listener": wire.listener(created)}

    def describe_listener(self, account: str, parameters: Parameters) -> Document:
        return {"Listener": wire.listener(self._state.listener(account, parameters["ListenerArn"]))}

    def update_listener(self, account: str, parameters: Parameters) -> Document:
        wire.refuse_udp(parameters)
        ranges = wire.port_ranges(parameters) if "PortRanges" in parameters else None
        changed = self._state.update_listener(
            account, parameters["ListenerArn"], ranges, parameters.get("ClientAffinity")
        )
        return {"Listener": wire.listener(changed)}

    def delete_listener(self, account: str, parameters: Parameters) -> Document:
        self._state.delete_listener(account, parameters["ListenerArn"])
        return {}

    def list_listeners(self, account: str, parameters: Parameters) -> Document:
        arn = self._state.accelerator(account, parameters["AcceleratorArn"]).arn
        return wire.page([wire.listener(record) for record in self._state.listeners_of(arn)], parameters, "Listeners")

    def create_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        region = parameters["EndpointGroupRegion"]
        check_region(region)
        listener = self._state.listener(account, parameters["ListenerArn"])
        defaults = wire.HEALTH_CHECK_DEFAULTS | {"HealthCheckPort": listener.ports[0]}
        created = self._state.create_endpoint_group(
            account,
            listener.arn,
            region,
            token=parameters["IdempotencyToken"],
            dial=float(parameters.get("TrafficDialPercentage", 100)),
            endpoints=_endpoints(parameters.get("EndpointConfigurations", ()), region),
            port_overrides=wire.port_overrides(parameters),
            health_check=defaults | wire.health_check(parameters),
        )
        return self._endpoint_group(created)

    def describe_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        return self._endpoint_group(self._state.endpoint_group(account, parameters["EndpointGroupArn"]))

    def update_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        group = self._state.endpoint_group(account, parameters["EndpointGroupArn"])
        changes: Document = {"health_check": dict(group.health_check) | wire.health_check(parameters)}
        if "TrafficDialPercentage" in parameters:
            changes["dial"] = float(parameters["TrafficDialPercentage"])
        if "EndpointConfigurations" in parameters:
            changes["endpoints"] = _endpoints(parameters["EndpointConfigurations"], group.region)
        if "PortOverrides" in parameters:
            changes["port_overrides"] = wire.port_overrides(parameters)
        return self._endpoint_group(self._state.update_endpoint_group(account, group.arn, **changes))

    def delete_endpoint_group(self, account: str, parameters: Parameters) -> Document:
        self._state.delete_endpoint_group(account, parameters["EndpointGroupArn"])
        return {}

    def list_endpoint_groups(self, account: str, parameters: Parameters) -> Document:
        listener = self._state.listener(account, parameters["ListenerArn"])
        records = [self._endpoint_group(record)["EndpointGroup"] for record in self._state.groups_of(listener.arn)]
        return wire.page(records, parameters, "EndpointGroups")

    def add_endpoints(self, account: str, parameters: Parameters) -> Document:
        group = self._state.endpoint_group(account, parameters["EndpointGroupArn"])
        added = _endpoints(parameters["EndpointConfigurations"], group.region)
        kept = [endpoint for endpoint in group.endpoints if endpoint.id not in {new.id for new in added}]
        changed = self._state.update_endpoint_group(account, group.arn, endpoints=(*kept, *added))
        return {"EndpointGroupArn": group.arn, "EndpointDescriptions": wire.endpoints(changed, self._health(changed))}

    def remove_endpoints(self, account: str, parameters: Parameters) -> Document:
        group = self._state.endpoint_group(account, parameters["EndpointGroupArn"])
        leaving = {identifier["EndpointId"] for identifier in parameters["EndpointIdentifiers"]}
        if unknown := leaving - {endpoint.id for endpoint in group.endpoints}:
            reason = f"Not in the endpoint group: {', '.join(sorted(unknown))}."
            raise ApiError("InvalidArgumentException", reason)
        kept = tuple(endpoint for endpoint in group.endpoints if endpoint.id not in leaving)
        self._state.update_endpoint_group(account, group.arn, endpoints=kept)
        return {}

    def tag(self, account: str, parameters: Parameters) -> Document:
        tags = self._tags(account, parameters)
        tags.update({tag["Key"]: tag["Value"] for tag in parameters["Tags"]})
        return {}

    def untag(self, account: str, parameters: Parameters) -> Document:
        tags = self._tags(account, parameters)
        for key in parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, account: str, parameters: Parameters) -> Document:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags(account, parameters).items()]}

    def _tags(self, account: str, parameters: Parameters) -> dict[str, str]:
        return self._state.tags[self._state.accelerator(account, parameters["ResourceArn"]).arn]

    def _accelerator(self, record: Accelerator) -> Document:
        return {"Accelerator": wire.accelerator(record, self._state.status(record))}

    def _endpoint_group(self, record: EndpointGroup) -> Document:
        return {"EndpointGroup": wire.endpoint_group(record, self._health(record))}

    def _health(self, group: EndpointGroup) -> dict[str, str]:
        return {endpoint.id: self._health_of(endpoint.id) for endpoint in group.endpoints}


def _answer(status: int, document: Document) -> emulator.services.Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()


def _endpoints(configurations: Any, region: str) -> tuple[Endpoint, ...]:
    load_balancers = deployed.look().load_balancers
    checked = tuple(endpoint(configuration, region, load_balancers) for configuration in configurations)
    if len({entry.id for entry in checked}) < len(checked):
        raise ApiError("InvalidArgumentException", "An endpoint is named twice.")
    return checked
