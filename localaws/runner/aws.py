"""AWS calls over HTTP to the embedded AWS: clients shared by service and region, made when first needed.

Nothing of the user's AWS environment counts: no variable, no profile, no proxy, no configuration file.
"""

import threading
from typing import Any

from botocore.config import Config

from localaws.runner import models

ACCOUNT = "000000000000"  # the embedded AWS takes a 12-digit access key as the account

_LONGEST_CALL = 120  # seconds; making a database's standby on a busy machine takes most of a minute


class Aws:
    """Calls one endpoint as one account. Safe to use from several threads."""

    synthetic = False

    def __init__(self, endpoint: str, account: str = ACCOUNT) -> None:
        self.account = account
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def bound(self, urn: str) -> "Aws":  # noqa: ARG002 - AWS tells resources apart by itself
        return self

    def __call__(self, service: str, operation: str, region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self._client(service, region), operation)(**parameters)
        return answer

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make(service, region)
            return self._clients[service, region]

    def _make(self, service: str, region: str) -> Any:
        return models.client(
            service,
            region_name=region,
            endpoint_url=self._endpoint,
            aws_access_key_id=self.account,
            aws_secret_access_key="local",
            config=Config(
                connect_timeout=5,
                read_timeout=_LONGEST_CALL,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=16,
                proxies={},
                s3={"addressing_style": "path"},
                parameter_validation=True,
            ),
        )
