"""Evaluates whether this region may serve and post: reads both replicas and the witness, applies `rules`, stores the
cell's memory."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..aws_clients import DynamoDbClients
from ..circuit_breaker import Breaker
from ..table_replica import Replica, ReplicaUnavailable
from .memory import memory_key, memory_of, store_memory
from .records import WRITER_KEY, ControlRecords, Regions, read_records, records_of
from .rules import Decision, Memory, Times, View, Witness, decide, remember
from .settings import ControlSettings
from .witness import query_witness
from .writes import last_run

# The memory is written at least this many times per lease, so that functions of the cell share their confirmations.
_WRITES_PER_LEASE = 5
_WRITE_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The observation of one moment, and the decision. `unavailable`: error name by source (journal, peer, memory)."""

    view: View
    decision: Decision
    unavailable: dict[str, str] = field(default_factory=dict)


class ControlObserver:
    """Observes at most once per decision lifetime, however often `observe` is called. Thread-safe."""

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
        """`breaker` skips calls to an unreachable peer; it must not be shared with other calls. `clock` returns Unix
        seconds."""
        self._regions = regions
        self._times = times
        self._local = local
        self._peer = peer
        self._breaker = breaker
        self._witness = witness
        self._clock = clock
        self._last: Observation | None = None
        self._unsaved: Memory | None = None
        self._checked_at: float | None = None
        self._lock = threading.Lock()

    @classmethod
    def from_settings(cls, settings: ControlSettings, clients: DynamoDbClients) -> "ControlObserver":
        """An observer for the cell that `settings` describe."""

        def replica(region: str, timeout_ms: int) -> Replica:
            client = clients.dynamodb(region, timeout_seconds=timeout_ms / 1000)
            return Replica(client, region=region, table=settings.journal_table)

        return cls(
            regions=settings.regions,
            times=settings.times,
            local=replica(settings.region, settings.local_timeout_ms),
            peer=replica(settings.peer_region, settings.peer_timeout_ms),
            breaker=Breaker(failures_to_open=settings.peer_failures_to_open, trial_seconds=settings.peer_trial_seconds),
            witness=lambda: query_witness(
                settings.witness_name,
                server=settings.witness_resolver,
                timeout_seconds=settings.witness_timeout_ms / 1000,
            ),
        )

    def observe(
        self, *, fresh: bool = False, max_age_seconds: float | None = None, by_checker: bool = False
    ) -> Observation:
        """The last observation while it is younger than a decision lasts (or than `max_age_seconds`, for callers that
        do not post on it), else a new one; always a new one if `fresh`.

        Its age counts from its beginning, because what it read may have changed before it was complete. `by_checker`:
        for one of Route 53's health checkers, whose call is evidence if the answer is that the region is healthy.
        """
        with self._lock:
            max_age = self._times.decision if max_age_seconds is None else max_age_seconds
            if by_checker:
                # Stored by this call itself: the process may not be called again for a while.
                max_age = min(max_age, self._pause)
                self._checked_at = self._clock()
            if fresh or self._last is None or not 0 <= self._clock() - self._last.view.at < max_age:
                self._last = self._observe()
            if not self._last.decision.healthy:
                self._checked_at = None
            return self._last

    def vouch(self) -> bool:
        """Begin a new chain of confirmations: an operator confirmed, or a long wait has shown, that the peer is down.

        Returns whether it is stored. Raises ReplicaUnavailable for the own replica.
        """
        for _ in range(_WRITE_TRIES):
            memory = memory_of(self._local.read(memory_key(self._regions.own)), self._regions)
            if memory is None:
                return False
            new = replace(memory, vouched_at=self._clock(), revision=memory.revision + 1)
            if store_memory(self._local, self._regions, new):
                return True
        return False

    def writer_in_own_replica(self) -> str | None:
        """The region that the own replica names as the writer now; None if it names none.

        One consistent read, where `observe` reads both replicas and the witness. Raises ReplicaUnavailable.
        """
        item = self._local.read(WRITER_KEY)
        return records_of({WRITER_KEY: item} if item else {}, self._regions).writer.region

    def last_run(self) -> str | None:
        """The ARN of the execution that last took this region's run slot (`writes`). Raises ReplicaUnavailable."""
        return last_run(self._local)

    @property
    def _pause(self) -> float:
        """Seconds after which the memory is written again."""
        return self._times.lease / _WRITES_PER_LEASE

    def _observe(self) -> Observation:
        unavailable: dict[str, str] = {}
        at = self._clock()
        peer = self._read_peer(unavailable)
        witness = self._witness()
        for _ in range(_WRITE_TRIES):
            own, memory = self._read_own(unavailable)
            view = View(
                region=self._regions.own,
                at=at,
                own=own,
                peer=peer,
                memory=memory,
                witness=witness,
                checked_at=self._checked_at,
                times=self._times,
            )
            if not decide(view).healthy:
                view = replace(view, checked_at=None)
            if view.records is None or self._store(remember(view, view.records), memory, unavailable):
                break
        return Observation(view=view, decision=decide(view), unavailable=unavailable)

    def _read_peer(self, unavailable: dict[str, str]) -> ControlRecords | None:
        if not self._breaker.permits():
            unavailable["peer"] = "NotAsked"
            return None
        try:
            records = read_records(self._peer, self._regions)
        except ReplicaUnavailable as error:
            self._breaker.failed()
            unavailable["peer"] = error.reason
            return None
        self._breaker.succeeded()
        return records

    def _read_own(self, unavailable: dict[str, str]) -> tuple[ControlRecords | None, Memory | None]:
        key = memory_key(self._regions.own)
        try:
            items = self._local.read_all([*self._regions.keys, key])
        except ReplicaUnavailable as error:
            unavailable["journal"] = error.reason
            return None, None
        memory = memory_of(items.get(key), self._regions)
        return records_of(items, self._regions), self._with_unsaved(memory)

    def _store(self, new: Memory, old: Memory | None, unavailable: dict[str, str]) -> bool:
        """False if another function of the cell wrote in between, so that the own replica has to be read again."""
        recent = old is not None and new.seen_at - old.seen_at < self._pause
        if old and recent and _is_equivalent(new, old) and not _is_checked(new, old, self._pause):
            return True
        self._unsaved = new  # until it is stored
        try:
            if not store_memory(self._local, self._regions, new):
                return False
        except ReplicaUnavailable as error:
            unavailable["memory"] = error.reason
        else:
            self._unsaved = None
        return True

    def _with_unsaved(self, stored: Memory | None) -> Memory | None:
        """`stored`, with its chain broken if this process found it broken and could not store that."""
        if stored and self._unsaved and self._unsaved.vouched_at is None:
            return replace(stored, vouched_at=None)
        return stored


def _is_checked(new: Memory, old: Memory, pause: float) -> bool:
    """Whether `new` has a call of a health checker that `old` lacks, `pause` seconds after the last one or more."""
    if new.checked_at is None:
        return False
    return old.checked_at is None or new.checked_at - old.checked_at >= pause


def _is_equivalent(new: Memory, old: Memory) -> bool:
    """Whether both are equal apart from the times that change with every observation."""
    same_chain = (new.vouched_at is None) == (old.vouched_at is None)
    return same_chain and new.known == old.known and new.back_at == old.back_at
