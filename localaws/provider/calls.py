"""AWS calls over HTTP to the embedded AWS: clients shared by service and region, made when first needed.

Nothing of the user's AWS environment counts: no variable, no profile, no proxy, no configuration file.
"""

import threading
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

_lock = threading.RLock()


@lru_cache(maxsize=1)
def session() -> Any:
    """One botocore session that reads neither the environment nor the user's AWS configuration files."""
    nothing = {name: (None, None, row[2], row[3]) for name, row in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    return botocore.session.Session(session_vars=nothing)


def client(service: str, **settings: Any) -> Any:
    """A boto3 client of that session. Making one is not safe for threads, so they are made one at a time."""
    with _lock:
        return _boto3().client(service, **settings)


def operation(service: str, name: str) -> Any:
    """The botocore model of one operation, by boto3's name for it. Raises KeyError for one that is not there."""
    with _lock:
        return _service(service).operation_model(_operations(service)[name])


@lru_cache(maxsize=1)
def _boto3() -> Any:
    return boto3.Session(botocore_session=session())


@lru_cache
def _service(service: str) -> Any:
    return session().get_service_model(service)


@lru_cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in _service(service).operation_names}


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

    def bound(self, urn: str) -> "Aws":  # noqa: ARG002 - AWS distinguishes resources by itself
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
        return client(
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
