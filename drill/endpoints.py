"""Where a local deployment answers, under the name the drill knows it by."""

from shared.local_endpoints import Endpoints, EndpointsError

__all__ = ["Endpoints", "EndpointsError"]
