"""Checks of Global Accelerator's requests: against the service's own model, port ranges, and endpoints."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from botocore.session import get_session
from botocore.validate import ParamValidator

from localaws.emulator.services import AwsRefusal
from localaws.services.elb.deployed import snapshot
from localaws.services.globalaccelerator.distance import kilometres
from localaws.services.globalaccelerator.records import Document, Endpoint

DEFAULT_WEIGHT = 128  # API GlobalAccelerator.EndpointConfiguration
PORTS_PER_LISTENER = 32  # the embedded AWS opens each one for real


@cache
def model() -> ServiceModel:
    return get_session().get_service_model("globalaccelerator")


def check_parameters(operation: str, parameters: Document) -> None:
    """Refuse what the service's model does not allow. Raises InvalidArgumentException with the first problems."""
    shape = model().operation_model(operation).input_shape
    if shape is None:
        return
    report = ParamValidator().validate(parameters, shape)
    problems = [report.generate_report()] if report.has_errors() else _beyond_limits(shape, parameters, "")
    if problems:
        raise invalid("; ".join(problems[:3]))


def check_region(region: str) -> None:
    """Raises InvalidArgumentException for a region AWS does not have."""
    try:
        kilometres(region, region)
    except ValueError as problem:
        raise invalid(str(problem)) from None


def port_ranges(parameters: Mapping[str, Any], taken: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """A listener's ranges: they run upwards, and no port belongs to two listeners. Raises InvalidPortRangeException."""
    ranges = tuple((entry.get("FromPort", 0), entry.get("ToPort", 0)) for entry in parameters["PortRanges"])
    if sum(last - first + 1 for first, last in ranges) > PORTS_PER_LISTENER:
        raise invalid(f"The embedded AWS opens {PORTS_PER_LISTENER} ports of a listener at most.")
    seen = list(taken)
    for first, last in ranges:
        if not 0 < first <= last:
            raise AwsRefusal(
                "InvalidPortRangeException", f"The port range {first}-{last} runs backwards or lacks an end."
            )
        for other_first, other_last in seen:
            if first <= other_last and other_first <= last:
                overlap = f"The port range {first}-{last} overlaps with {other_first}-{other_last} of this accelerator."
                raise AwsRefusal("InvalidPortRangeException", overlap)
        seen.append((first, last))
    return ranges


def endpoints(configurations: Sequence[Mapping[str, Any]], region: str) -> tuple[Endpoint, ...]:
    """The endpoints of a group in `region`. Raises InvalidArgumentException.

    Client address preservation: https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoints.sipp-caveats.html
    """
    checked = tuple(_endpoint(configuration, region) for configuration in configurations)
    if len({entry.id for entry in checked}) < len(checked):
        raise invalid("An endpoint is named twice.")
    return checked


def invalid(message: str) -> AwsRefusal:
    return AwsRefusal("InvalidArgumentException", message)


def _endpoint(configuration: Mapping[str, Any], region: str) -> Endpoint:
    name = configuration.get("EndpointId", "")
    if ":loadbalancer/" not in name:
        raise invalid(f"The embedded AWS has load balancers as endpoints only, not {name or 'none'}.")
    balancer = snapshot().load_balancers.get(name)
    if balancer is None:
        raise invalid(f"The load balancer {name} does not exist.")
    if balancer.region != region:
        raise invalid(f"The endpoint {name} is in {balancer.region}, its endpoint group in {region}.")
    network = balancer.kind == "network"
    preserves = configuration.get("ClientIPPreservationEnabled", not network)
    if network and preserves and not balancer.security_groups:
        raise invalid("A Network Load Balancer needs security groups for client IP address preservation.")
    if network and balancer.internal and not preserves:
        raise invalid("An internal Network Load Balancer needs client IP address preservation.")
    weight = configuration.get("Weight", DEFAULT_WEIGHT)
    return Endpoint(id=name, weight=int(weight), preserves_client_address=bool(preserves))


def _beyond_limits(shape: Shape, value: Any, path: str) -> list[str]:
    """Upper limits and enumerations, which botocore leaves to the service."""
    if isinstance(shape, StructureShape):
        return [
            problem
            for name, member in shape.members.items()
            if name in value
            for problem in _beyond_limits(member, value[name], f"{path}.{name}".lstrip("."))
        ]
    most = shape.metadata.get("max")
    size = value if shape.type_name in ("integer", "float") else len(value) if isinstance(value, str | list) else None
    if most is not None and size is not None and size > most:
        return [f"{path} is {size}; {most} is the most"]
    if isinstance(shape, ListShape):
        return [
            problem
            for place, entry in enumerate(value)
            for problem in _beyond_limits(shape.member, entry, f"{path}[{place}]")
        ]
    allowed = getattr(shape, "enum", None)
    return [f"{path} is {value}; it must be one of {', '.join(allowed)}"] if allowed and value not in allowed else []
