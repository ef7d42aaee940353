"""What Global Accelerator refuses: errors, port ranges, and endpoints that cannot be added."""

from collections.abc import Mapping, Sequence
from typing import Any

from localaws.services.elb.deployed import LoadBalancer
from localaws.services.globalaccelerator.distance import kilometres
from localaws.services.globalaccelerator.records import Endpoint

DEFAULT_WEIGHT = 128  # API GlobalAccelerator.EndpointConfiguration


class ApiError(Exception):
    """An error of the service, by the code its model names."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


PORTS_PER_LISTENER = 32  # the embedded AWS opens each one for real


def check_region(region: str) -> None:
    """Raises InvalidArgumentException for a region AWS does not have."""
    try:
        kilometres(region, region)
    except ValueError as problem:
        raise ApiError("InvalidArgumentException", str(problem)) from None


def check_port_ranges(ranges: Sequence[tuple[int, int]], *, taken: Sequence[tuple[int, int]]) -> None:
    """Ranges run upwards and no port belongs to two listeners. Raises InvalidPortRangeException."""
    if sum(last - first + 1 for first, last in ranges) > PORTS_PER_LISTENER:
        raise ApiError(
            "InvalidArgumentException", f"The embedded AWS opens {PORTS_PER_LISTENER} ports of a listener at most."
        )
    seen = list(taken)
    for first, last in ranges:
        if first > last:
            raise ApiError("InvalidPortRangeException", f"The port range {first}-{last} runs backwards.")
        for other_first, other_last in seen:
            if first <= other_last and other_first <= last:
                overlap = f"The port range {first}-{last} overlaps with {other_first}-{other_last} of this accelerator."
                raise ApiError("InvalidPortRangeException", overlap)
        seen.append((first, last))


def endpoint(configuration: Mapping[str, Any], region: str, load_balancers: Mapping[str, LoadBalancer]) -> Endpoint:
    """A checked endpoint of a group in `region`. Raises InvalidArgumentException.

    Client address preservation: https://docs.aws.amazon.com/global-accelerator/latest/dg/about-endpoints.sipp-caveats.html
    """
    name = configuration.get("EndpointId")
    if not name:
        raise ApiError("InvalidArgumentException", "An endpoint needs an EndpointId.")
    if ":loadbalancer/" not in name:
        reason = f"The embedded AWS has load balancers as endpoints only, not {name}."
        raise ApiError("InvalidArgumentException", reason)
    balancer = load_balancers.get(name)
    if balancer is None:
        raise ApiError("InvalidArgumentException", f"The load balancer {name} does not exist.")
    if balancer.region != region:
        reason = f"The endpoint {name} is in {balancer.region}, its endpoint group in {region}."
        raise ApiError("InvalidArgumentException", reason)
    network = balancer.kind == "network"
    preserves = configuration.get("ClientIPPreservationEnabled", not network)
    if network and preserves and not balancer.security_groups:
        reason = "A Network Load Balancer needs security groups for client IP address preservation."
        raise ApiError("InvalidArgumentException", reason)
    if network and balancer.internal and not preserves:
        reason = "An internal Network Load Balancer needs client IP address preservation."
        raise ApiError("InvalidArgumentException", reason)
    weight = configuration.get("Weight", DEFAULT_WEIGHT)
    return Endpoint(id=name, weight=int(weight), preserves_client_address=bool(preserves))
