"""Clients of the AWS services that decide and recover: short deadlines, few retries, the region always spelled out."""

import threading
from typing import Any

from botocore.config import Config
from botocore.session import Session


class AwsClients:
    """Makes a client once per service and region. Making one calls nothing and needs no network.

    `deadline_seconds` holds for connecting and for reading each; with `attempts` it bounds what a silent service costs.
    """

    def __init__(self, *, deadline_seconds: float, attempts: int = 2) -> None:
        self._session = Session()
        self._lock = threading.Lock()  # botocore: clients may be shared by threads, making them may not
        self._made: dict[tuple[str, str], Any] = {}
        self._config = Config(
            connect_timeout=deadline_seconds,
            read_timeout=deadline_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
        )

    def client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._made:
                config = Config(region_name=region).merge(self._config)
                make: Any = self._session.create_client  # the stubs know each service by name only
                self._made[service, region] = make(service, config=config)
            return self._made[service, region]
