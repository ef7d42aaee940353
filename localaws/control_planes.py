"""Parts of AWS's control planes that ministack lacks or gets wrong, in one place: settings kept and read back."""

from localaws import apigateway_access, ec2_endpoints, ec2_flow_logs, ec2_peering
from localaws.backup_api import BackupApi
from localaws.control import Control
from localaws.waf_logging import WebAclLogs


class ControlPlanes:
    """A part of the server that only answers calls: nothing runs."""

    def install(self, _control: Control) -> None:
        ec2_peering.install()
        ec2_endpoints.install()
        ec2_flow_logs.install()
        apigateway_access.install()
        BackupApi().install()
        WebAclLogs().install()

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to end."""
