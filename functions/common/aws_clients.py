"""botocore clients with short timeouts and few retries; the region is always given.

botocore is used without boto3: the resource layer is not needed, and leaving it out saves about 40 ms of CPU in a cold
start. One session lets all clients share the parsed service model: a client after the first costs about 5 ms instead of
50 ms.
"""

import threading
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class AwsClients:
    """Creates one client per service and region. Creating one makes no call and needs no network.

    `deadline_seconds` is the connect timeout and the read timeout, each; times `attempts` it bounds what a service that
    does not answer costs.
    """

    def __init__(self, *, deadline_seconds: float, attempts: int = 2) -> None:
        self._session = Session()
        self._lock = threading.Lock()  # botocore: clients may be shared by threads, creating them is not thread-safe
        self._clients: dict[tuple[str, str], Any] = {}
        self._config = Config(
            connect_timeout=deadline_seconds,
            read_timeout=deadline_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
        )

    def client(self, service: str, region: str) -> Any:
        """The client of `service` (botocore's name) in `region`; the same one for every call."""
        with self._lock:
            if (service, region) not in self._clients:
                config = Config(region_name=region).merge(self._config)
                create: Any = self._session.create_client  # the stubs accept literal service names only
                self._clients[service, region] = create(service, config=config)
            return self._clients[service, region]


class DynamoDbClients:
    """Creates DynamoDB clients of several regions. Creating one makes no call and needs no network."""

    def __init__(self) -> None:
        self._session = Session()
        self._lock = threading.Lock()  # botocore: clients may be shared by threads, creating them is not thread-safe

    def dynamodb(self, region: str, *, timeout_seconds: float) -> "DynamoDBClient":
        """A client without retries; `timeout_seconds` is the connect timeout and the read timeout, each.

        `common.table_replica` decides what is retried: a retry that is right for a stale connection would only double
        the wait for a region that does not answer.
        """
        config = Config(
            region_name=region,
            connect_timeout=timeout_seconds,
            read_timeout=timeout_seconds,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
            parameter_validation=False,  # saves CPU in every call; DynamoDB validates the same
            # Names of the form <account>.ddb.<region> are not covered by an interface endpoint's private DNS.
            account_id_endpoint_mode="disabled",
        )
        with self._lock:
            client: Any = self._session.create_client("dynamodb", config=config)
        typed: DynamoDBClient = client
        return typed
