"""Makes AWS sessions and clients with the region spelled out: a tool for two regions has no default region."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

NO_ENVIRONMENT = {
    name: (key, None, default, convert)
    for name, (key, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
} | {
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""botocore's settings without their environment variables: what runs on the embedded AWS must not depend on the user's
AWS set-up, and a profile named there that does not exist would stop even a client with explicit keys."""

LOCAL_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    proxies={},  # a proxy of the environment must not be used for loopback
    s3={"addressing_style": "path"},  # a bucket's own host name does not resolve to loopback
)
_AWS_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})

Watcher = Callable[[boto3.Session], None]
"""Gets every session before its first client is made, to register on `session.events`."""


@dataclass(frozen=True, kw_only=True)
class LocalAccess:
    """The embedded AWS: it accepts the account as access key, and any secret."""

    endpoint: str
    account: str


class Sessions:
    """One session a region and one client a service and region. Threads may share it."""

    def __init__(self, local: LocalAccess | None = None) -> None:
        self._local = local
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str, int | None], Any] = {}
        self._watchers: list[Watcher] = []
        self._lock = threading.RLock()  # making clients of one session is not thread-safe

    def session(self, region: str) -> boto3.Session:
        with self._lock:
            if region not in self._sessions:
                session = self._new(region)
                for watcher in self._watchers:
                    watcher(session)
                self._sessions[region] = session
            return self._sessions[region]

    def client(self, service: str, region: str, *, answer_within: int | None = None) -> Any:
        """`answer_within` seconds a call may take, and then it is not tried again: for calls that work meanwhile."""
        key = (service, region, answer_within)
        with self._lock:
            if key not in self._clients:
                make: Any = self.session(region).client  # its stubs want the service as a literal
                place = {"endpoint_url": self._local.endpoint} if self._local else {}
                config = LOCAL_CONFIG if self._local else _AWS_CONFIG
                if answer_within is not None:
                    config = config.merge(Config(read_timeout=answer_within, retries={"total_max_attempts": 1}))
                self._clients[key] = make(service, region_name=region, config=config, **place)
            return self._clients[key]

    def watch(self, watcher: Watcher) -> None:
        """From now on every client is made of watched sessions; clients handed out before are not watched."""
        with self._lock:
            self._watchers.append(watcher)
            self._sessions.clear()
            self._clients.clear()

    def _new(self, region: str) -> boto3.Session:
        if self._local is None:
            return boto3.Session(region_name=region)
        return boto3.Session(
            botocore_session=botocore.session.Session(session_vars=NO_ENVIRONMENT),
            region_name=region,
            aws_access_key_id=self._local.account,
            aws_secret_access_key="embedded",
        )
