"""botocore without the user's settings: clients, and the models that say which parameters an operation has."""

import threading
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
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
