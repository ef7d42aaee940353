"""What ministack lacks or gets wrong in AWS's control planes, and the events that go between regions."""

from collections.abc import Callable

from localaws.core.control import Control
from localaws.services import apigateway, ssm
from localaws.services.acm import CertificateAuthority
from localaws.services.backup import BackupApi
from localaws.services.component import Component
from localaws.services.ec2 import flow_logs, peering, vpc_endpoints
from localaws.services.eventbridge import EventBuses, EventEndpoints
from localaws.services.replication import Replication
from localaws.services.ssm import ParameterEvents
from localaws.services.wafv2 import WebAclLogs


class ControlPlanes(Component):
    """A part of the server that only answers calls. `is_healthy(health check id)` is Route 53's word."""

    def __init__(self, replication: Replication, is_healthy: Callable[[str], bool]) -> None:
        self._buses = EventBuses(replication.send)
        self._endpoints = EventEndpoints(self._buses, is_healthy)
        self._parameters = ParameterEvents(replication.send)

    def install(self, _control: Control) -> None:
        peering.install()
        vpc_endpoints.install()
        flow_logs.install()
        apigateway.install()
        CertificateAuthority().install()
        BackupApi().install()
        WebAclLogs().install()
        self._buses.install()
        self._endpoints.install()
        ssm.install()
        self._parameters.install()
