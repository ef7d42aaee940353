"""The health endpoints of both regions: read from Parameter Store, and kept in the own region's journal replica for the
time when Parameter Store does not answer.

Without the copy a sentinel in a new execution environment could monitor nothing, and a recovery could verify nothing,
as long as Parameter Store of the surviving region is out. Each region writes items of its own, so regions never
conflict.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from .health_endpoints import API, LOAD_BALANCER, Endpoints, EndpointsNotFound, read_endpoints
from .table_replica import KEY, Item, Replica, ReplicaUnavailable


class Warn(Protocol):
    """Logs a warning: `event` is a stable slug, `region` the one whose endpoints are meant, `reason` an error."""

    def __call__(self, event: str, *, region: str, reason: str) -> None: ...


class EndpointDirectory:
    """Finds a region's endpoints; not thread-safe. With `keeps` it also writes the copy, in the sentinel only."""

    def __init__(
        self, ssm: Callable[[], Any], *, prefix: str, local: Replica, warn: Warn | None = None, keeps: bool = False
    ) -> None:
        self._ssm = ssm
        self._prefix = prefix
        self._local = local
        self._warn = warn
        self._keeps = keeps
        self._last: dict[str, Endpoints] = {}  # by region, of this process
        self._kept: dict[str, Endpoints] = {}

    def find(self, region: str) -> Endpoints:
        """From Parameter Store; else as last read by this process; else from the journal's copy.

        Raises EndpointsNotFound, or botocore's errors of Parameter Store, if there is none of them.
        """
        try:
            found = read_endpoints(self._ssm(), self._prefix, region)
        except (ClientError, BotoCoreError, EndpointsNotFound) as error:
            earlier = self._last.get(region) or self._read_copy(region)
            if earlier is None:
                raise
            self._report("stale-endpoints", region, type(error).__name__)
            found = earlier
        else:
            if self._keeps and self._kept.get(region) != found:
                self._keep(region, found)
        self._last[region] = found
        return found

    def _key(self, region: str) -> str:
        return f"endpoints#{self._local.region}#{region}"

    def _read_copy(self, region: str) -> Endpoints | None:
        try:
            item = self._local.read(self._key(region))
        except ReplicaUnavailable as error:
            self._report("endpoint-copy-unreadable", region, error.reason)
            return None
        return _of(item) if item else None

    def _keep(self, region: str, found: Endpoints) -> None:
        """Optional: a copy that cannot be written is written by a later invocation."""
        item: Item = {KEY: {"S": self._key(region)}, "urls": {"S": json.dumps(found.urls(), sort_keys=True)}}
        try:
            held = self._local.add(item)
            if held is not None and held.get("urls") != item["urls"]:
                self._local.exchange(item, unless_changed={KEY: item[KEY]})
        except ReplicaUnavailable as error:
            self._report("endpoint-copy-not-written", region, error.reason)
        else:
            self._kept[region] = found

    def _report(self, event: str, region: str, reason: str) -> None:
        if self._warn:
            self._warn(event, region=region, reason=reason)


def _of(item: Item) -> Endpoints | None:
    """None for an item of another format."""
    try:
        urls = json.loads(item["urls"]["S"])
        return Endpoints(load_balancer=str(urls[LOAD_BALANCER]), api=str(urls[API]))
    except (KeyError, TypeError, ValueError):
        return None
