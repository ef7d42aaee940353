"""Clients of the AWS services that decide and recover: short deadlines, few retries, the region always spelled out."""

import threading
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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


# DynamoDB clients for more than one region, made from one session.
#
# botocore is used without boto3: the resource layer is not needed, and leaving it out takes about 40 ms of CPU off a
# cold
# start. One session lets every client share the parsed service model; a client after the first costs about 5 ms
# instead of 50 ms.


class Clients:
    """Makes clients; making one calls nothing and needs no network."""

    def __init__(self) -> None:
        self._session = Session()
        self._lock = threading.Lock()  # botocore: clients may be shared by threads, making them may not

    def dynamodb(self, region: str, *, timeout_seconds: float) -> "DynamoDBClient":
        """A client that never retries and gives up after `timeout_seconds`, for connecting and for reading each.

        What is worth another try is decided by `common.replica`: a retry that is right for a stale connection would
        only double the wait for a region that has gone silent.
        """
        config = Config(
            region_name=region,
            connect_timeout=timeout_seconds,
            read_timeout=timeout_seconds,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
            parameter_validation=False,  # saves CPU in every call; DynamoDB checks the same things
            # Names of the form <account>.ddb.<region> are not covered by an interface endpoint's private DNS.
            account_id_endpoint_mode="disabled",
        )
        with self._lock:
            client: Any = self._session.create_client("dynamodb", config=config)
        made: DynamoDBClient = client
        return made
