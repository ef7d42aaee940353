"""What ministack lacks or gets wrong in AWS's control planes, and the events that go between regions."""

from collections.abc import Callable

from localaws import apigateway_access, ec2_endpoints, ec2_flow_logs, ec2_peering, parameter_store
from localaws.backup_api import BackupApi
from localaws.certificates import Authority
from localaws.control import Control
from localaws.event_buses import EventBuses
from localaws.event_endpoints import EventEndpoints
from localaws.parameter_events import ParameterEvents
from localaws.replication import Replication
from localaws.waf_logging import WebAclLogs


class ControlPlanes:
    """A part of the server that only answers calls. `is_healthy(health check id)` is Route 53's word."""

    def __init__(self, replication: Replication, is_healthy: Callable[[str], bool]) -> None:
        self._buses = EventBuses(replication.send)
        self._endpoints = EventEndpoints(self._buses, is_healthy)
        self._parameters = ParameterEvents(replication.send)

    def install(self, _control: Control) -> None:
        ec2_peering.install()
        ec2_endpoints.install()
        ec2_flow_logs.install()
        apigateway_access.install()
        Authority().install()
        BackupApi().install()
        WebAclLogs().install()
        self._buses.install()
        self._endpoints.install()
        parameter_store.install()
        self._parameters.install()

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to end."""
