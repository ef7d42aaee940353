"""DynamoDB global tables: each write reaches the other replicas after a lag, and the last writer wins.

AWS keeps, per item, the write with the latest time, in every replica (multi-Region eventual consistency) [DYNAMODB-4].
So a write that arrives late never replaces a newer one made where it arrives, and all replicas end up the same.
"""

import functools
import threading
import time
from typing import Any

from localaws import emulator
from localaws.services.replication import Replication

_KIND = "dynamodb"
_Item = tuple[str, str, str, str]  # account, region, table, key


class GlobalTables:
    """Replicates global tables through `replication`."""

    def __init__(self, replication: Replication) -> None:
        self._replication = replication
        # Time of the last write each replica has seen, kept only while an older one may still arrive.
        self._seen: dict[_Item, int] = {}
        self._last = 0
        self._lock = threading.Lock()

    def install(self) -> None:
        """Take over from the emulator's own replication, which is part of the writer's call."""
        self._apply = emulator.replication.intercept_global_table_writes(self._written)

    def _written(
        self, *, account: str, source: str, regions: list[str], table: str, key: str, event: str, old: Any, new: Any
    ) -> None:
        with self._lock:
            written = self._last = max(self._last + 1, time.time_ns())
            self._see((account, source, table, key), written)
            for region in regions:
                arrive = functools.partial(self._arrive, written, account, source, region, table, key, event, old, new)
                self._replication.send(_KIND, source, region, arrive, written=written)

    def _arrive(
        self,
        written: int,
        account: str,
        source: str,
        destination: str,
        table: str,
        key: str,
        event: str,
        old: Any,
        new: Any,
    ) -> None:
        item = (account, destination, table, key)
        with self._lock:
            if self._seen.get(item, 0) > written:
                return
            self._see(item, written)
        self._apply(account=account, source=source, destination=destination, table=table, event=event, old=old, new=new)

    def _see(self, item: _Item, written: int) -> None:
        """Remember the newest write to an item, and forget what nothing on its way could be older than."""
        self._seen.pop(item, None)
        self._seen[item] = written
        oldest = self._replication.oldest_written(_KIND)
        while (first := next(iter(self._seen))) != item and (oldest is None or self._seen[first] < oldest):
            del self._seen[first]
