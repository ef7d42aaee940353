"""Posting what arrives by the stream: who posts, who skips, who waits, and what happens to what cannot be posted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from common.control.observe import Control, Look
from common.payment_record import JournalEntry
from common.table_replica import ReplicaUnavailable

from .database import CHUNK, Database, DatabaseUnavailable
from .events import Events, EventsUnavailable, Poison, PoisonQueue, PoisonQueueUnavailable
from .stream import Arrival


class Did(StrEnum):
    POSTED = "posted"  # all that could be
    SKIPPED = "skipped"  # the other region is the writer; it posts them, or will replay them
    WAITING = "waiting"  # this region is the writer and may not post just now; the stream brings them again
    FAILED = "failed"  # something did not answer; the stream brings the rest again


@dataclass(kw_only=True)
class Outcome:
    """What became of a batch. `retry_from` is the first record that the stream is to bring again, with all after it."""

    did: Did
    reason: str
    epoch: int
    records: int
    posted: int = 0  # handed to the database, whether or not it had them
    poisoned: list[str] = field(default_factory=list)  # payment ids
    fallen_back: int = 0  # announced on the own bus
    retry_from: str | None = None


class Ledger:
    """One region's ledger function."""

    def __init__(
        self,
        *,
        region: str,
        peer_region: str,
        control: Control,
        database: Database,
        events: Events,
        poison: PoisonQueue,
    ) -> None:
        self._region = region
        self._peer_region = peer_region
        self._control = control
        self._database = database
        self._events = events
        self._poison = poison

    def take(self, arrived: Sequence[Arrival]) -> Outcome:
        """Post what arrived, if this region may."""
        look = self._control.look()
        if look.decision.writer == self._peer_region and self._is_skipped_safely():
            return _outcome(Did.SKIPPED, look, arrived)
        if not look.decision.may_post:
            # The last look may be older than these records, and this region may have been named writer since.
            look = self._control.look(fresh=True)
        outcome = _outcome(Did.POSTED, look, arrived)
        if not look.decision.may_post:
            # Only a read that followed the arrival allows to skip, and that read has just found the peer not named.
            outcome.did, outcome.retry_from = Did.WAITING, arrived[0].sequence if arrived else None
            return outcome
        for start in range(0, len(arrived), CHUNK):
            part = arrived[start : start + CHUNK]
            try:
                self._post(part, outcome)
            except (Paused, DatabaseUnavailable, EventsUnavailable, PoisonQueueUnavailable) as problem:
                outcome.did = Did.WAITING if isinstance(problem, Paused) else Did.FAILED
                outcome.reason = f"{type(problem).__name__}: {problem}"
                outcome.retry_from = part[0].sequence
                break
        return outcome

    def permit(self) -> int:
        """The writer's epoch, if this region may post now. Raises Paused."""
        decision = self._control.look().decision
        if not decision.may_post:
            raise Paused(decision.reason.value)
        return decision.epoch

    def post(self, entries: Sequence[JournalEntry]) -> dict[str, str]:
        """Post at most CHUNK entries; why some never can be, by id. Raises Paused and DatabaseUnavailable."""
        return self._database.post(entries, region=self._region, permit=self.permit) if entries else {}

    def report(self, payment_id: str, reason: str, sequence: str | None = None) -> None:
        """Hand an entry to people. Raises PoisonQueueUnavailable."""
        self._poison.put(Poison(payment_id=payment_id, reason=reason, found_in=self._region, sequence=sequence))

    def _post(self, part: Sequence[Arrival], outcome: Outcome) -> None:
        last = {arrival.payment_id: arrival.entry for arrival in part if arrival.entry}
        refused = self.post(list(last.values()))
        posted = [entry for payment_id, entry in last.items() if payment_id not in refused]
        outcome.fallen_back += self._events.announce(posted)
        for arrival in part:
            if reason := refused.get(arrival.payment_id) or arrival.problem:
                self.report(arrival.payment_id, reason, arrival.sequence)
                outcome.poisoned.append(arrival.payment_id)
        outcome.posted += len(posted)

    def _is_skipped_safely(self) -> bool:
        """Whether the own replica names the peer as the writer, read after the records arrived.

        A skipped record never comes back from the stream. Whoever moves the writer role here writes it to this replica
        and replays the journal afterwards: if this read still finds the peer, the replay finds these records.
        """
        try:
            return self._control.writer_here() == self._peer_region
        except ReplicaUnavailable:
            return False


def _outcome(did: Did, look: Look, arrived: Sequence[Arrival]) -> Outcome:
    decision = look.decision
    return Outcome(did=did, reason=decision.reason.value, epoch=decision.epoch, records=len(arrived))


class Paused(Exception):
    """This region may not post now; the message is the control rules' reason."""
