"""Evaluates whether this region may serve and post: reads both replicas and the witness, applies `control_rules`,
stores the result."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..aws_clients import Clients
from ..circuit_breaker import Breaker
from ..table_replica import Replica, ReplicaUnavailable
from .memory import memory_key, memory_of, store_memory
from .records import WRITER_KEY, ControlRecords, Regions, read_records, records_of
from .rules import Decision, Memory, Times, View, Witness, decide, remember
from .settings import ControlSettings
from .witness import ask_witness
from .writes import last_run

# A memory is written at least this many times a lease, so that functions of the cell see each other's good words.
_WRITES_PER_LEASE = 5
_WRITE_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen at one moment, and what follows from it. `silence` names who did not answer, and why."""

    view: View
    decision: Decision
    silence: dict[str, str] = field(default_factory=dict)


class Control:
    """Looks no more often than a decision lasts, however often it is asked. May be shared by threads."""

    def __init__(
        self,
        *,
        regions: Regions,
        times: Times,
        local: Replica,
        peer: Replica,
        breaker: Breaker,
        witness: Callable[[], Witness],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`breaker` spares the wait for a silent peer; it must not be shared with callers of other things."""
        self._regions = regions
        self._times = times
        self._local = local
        self._peer = peer
        self._breaker = breaker
        self._witness = witness
        self._clock = clock
        self._last: Look | None = None
        self._unsaved: Memory | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: ControlSettings, clients: Clients) -> "Control":
        """The control of the cell that `settings` describe."""

        def replica(region: str, timeout_ms: int) -> Replica:
            client = clients.dynamodb(region, timeout_seconds=timeout_ms / 1000)
            return Replica(client, region=region, table=settings.journal_table)

        return cls(
            regions=settings.regions,
            times=settings.times,
            local=replica(settings.region, settings.local_timeout_ms),
            peer=replica(settings.peer_region, settings.peer_timeout_ms),
            breaker=Breaker(failures_to_open=settings.peer_failures_to_open, trial_seconds=settings.peer_trial_seconds),
            witness=lambda: ask_witness(
                settings.witness_name,
                server=settings.witness_resolver,
                timeout=settings.witness_timeout_ms / 1000,
            ),
        )

    def look(self, *, fresh: bool = False, within: float | None = None) -> Look:
        """The last look while its decision lasts, or while it is younger than `within` seconds for whoever does not
        post on it; else a new one. Always a new one if `fresh`.

        A look is as old as its beginning: what it saw may have changed before it was complete.
        """
        with self._lock:
            longest = self._times.decision if within is None else within
            if fresh or self._last is None or not 0 <= self._clock() - self._last.view.at < longest:
                self._last = self._look()
            return self._last

    def writer_here(self) -> str | None:
        """The region that the own replica names as the writer at this moment; None if it names none.

        One consistent read, where `look` asks both replicas and the witness. Raises ReplicaUnavailable.
        """
        item = self._local.read(WRITER_KEY)
        return records_of({WRITER_KEY: item} if item else {}, self._regions).writer.region

    def last_run(self) -> str | None:
        """The run of this region's state machines that went on last (`control_run`). Raises ReplicaUnavailable."""
        return last_run(self._local)

    def _look(self) -> Look:
        silence: dict[str, str] = {}
        at = self._clock()
        peer = self._ask_peer(silence)
        witness = self._witness()
        for _ in range(_WRITE_TRIES):
            own, memory = self._read_own(silence)
            view = View(
                region=self._regions.own,
                at=at,
                own=own,
                peer=peer,
                memory=memory,
                witness=witness,
                times=self._times,
            )
            if view.records is None or self._keep(remember(view, view.records), memory, silence):
                break
        return Look(view=view, decision=decide(view), silence=silence)

    def _ask_peer(self, silence: dict[str, str]) -> ControlRecords | None:
        if not self._breaker.permits():
            silence["peer"] = "NotAsked"
            return None
        try:
            records = read_records(self._peer, self._regions)
        except ReplicaUnavailable as unavailable:
            self._breaker.failed()
            silence["peer"] = unavailable.reason
            return None
        self._breaker.succeeded()
        return records

    def _read_own(self, silence: dict[str, str]) -> tuple[ControlRecords | None, Memory | None]:
        key = memory_key(self._regions.own)
        try:
            items = self._local.read_all([*self._regions.keys, key])
        except ReplicaUnavailable as unavailable:
            silence["journal"] = unavailable.reason
            return None, None
        memory = memory_of(items.get(key), self._regions)
        return records_of(items, self._regions), self._with_unsaved(memory)

    def _keep(self, new: Memory, old: Memory | None, silence: dict[str, str]) -> bool:
        """Whether nothing is left to be written: False when another function of the cell was quicker."""
        said = old is not None and _says_the_same(new, old)
        if said and old and new.seen_at - old.seen_at < self._times.lease / _WRITES_PER_LEASE:
            return True
        self._unsaved = new  # until it is written
        try:
            if not store_memory(self._local, self._regions, new):
                return False
        except ReplicaUnavailable as unavailable:
            silence["memory"] = unavailable.reason
        else:
            self._unsaved = None
        return True

    def _with_unsaved(self, stored: Memory | None) -> Memory | None:
        """`stored`, but with the chain broken if this process saw it break and could not write that down."""
        if stored and self._unsaved and self._unsaved.vouched_at is None:
            return replace(stored, vouched_at=None)
        return stored


def _says_the_same(new: Memory, old: Memory) -> bool:
    """But for the times that move with every look."""
    same_chain = (new.vouched_at is None) == (old.vouched_at is None)
    return same_chain and new.known == old.known and new.back_at == old.back_at
