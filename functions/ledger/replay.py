"""Replay: posts what the regions' backlogs hold and the database lacks, and empties the backlogs. Idempotent.

Its cost depends on the backlogs only, never on the journal. What it has checked is removed, so a run that ends early
goes on where it was, by its continuation or without one. A batch leaves a backlog once its payments are in the database
and durable in both regions: a promotion of either, and of one after the other, then keeps them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from common.backlog import Backlog, BacklogUnavailable, Batch
from common.clock import Pace, timestamp
from common.payment_record import JournalEntry, JournalItemError, payment_key
from common.table_replica import Item, Replica, ReplicaUnavailable

from .database import FIND_LIMIT, Database, DatabaseUnavailable, Row
from .events import PoisonQueueUnavailable
from .journal_pages import JournalUnreadable
from .posting import Ledger, Paused

_PAGE = 100
"""Batches that are read together. A batch holds from one payment, at a low rate, to some hundreds."""
_TOGETHER = 100  # payments of one read of the journal, and of the statement after it (API BatchGetItem)
_KEPT = 20_000
"""Rows that are kept for the other region's page of the same time."""
_MARGIN_SECONDS = 60.0
"""AWS seconds. A statement may commit this much later than the time that its rows carry: the Data API continues one for
45 s after the caller gave up [AURORA-17]."""


class ReplayRequestError(ValueError):
    """The replay request is invalid; the message is the requirement."""


REPLAY_ERRORS = (
    BacklogUnavailable,
    DatabaseUnavailable,
    JournalUnreadable,
    Paused,
    PoisonQueueUnavailable,
)
"""The errors that `Replay.run` raises. The same request may then be sent again."""


@dataclass(kw_only=True)
class Counts:
    """Numbers of payments, summed over all invocations of one replay; after a failure some are counted twice, and so is
    a payment that both backlogs hold."""

    checked: int = 0  # in a backlog
    missing: int = 0  # of these, not in the database
    posted: int = 0
    poisoned: int = 0  # can never be posted; dead letter sent
    waiting: int = 0  # in the database, but not yet durable in both regions, or in a replica that is away

    def added_to(self, other: "Counts") -> "Counts":
        """The sums of both."""
        return Counts(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """`until`: only batches that arrived before, ISO 8601. `positions`: by region that is not finished, the sort key
    after which its backlog is read. `seconds`: AWS seconds after which nothing more is looked up; None: no limit."""

    until: str
    positions: dict[str, str]
    counts: Counts = field(default_factory=Counts)
    seconds: float | None = None

    @classmethod
    def parse(cls, event: Mapping[str, Any], *, regions: Sequence[str], now: datetime) -> "ReplayRequest":
        """From `{"operation": "replay", "seconds": number or null, "continuation": of the last response or null}`.

        Raises ReplayRequestError.
        """
        seconds, continuation = event.get("seconds"), event.get("continuation")
        if not isinstance(seconds, int | float | None) or (seconds is not None and seconds <= 0):
            raise ReplayRequestError("`seconds` must be a positive number, or null")
        if continuation is None:
            return cls(until=timestamp(now), positions=dict.fromkeys(regions, ""), seconds=seconds)
        try:
            positions = {str(region): str(position) for region, position in continuation["positions"].items()}
            if not set(positions) <= set(regions):
                raise ValueError
            counts = Counts(**continuation["counts"])
            return cls(until=str(continuation["until"]), positions=positions, counts=counts, seconds=seconds)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise ReplayRequestError("`continuation` must be that of the last response, or null") from None


class Replay:
    """Replays the backlogs of both regions, the own one first. `replicas`: the journal's, the own one first.

    What one statement looks up is replayed together, whether it is a few large batches or many small ones.
    """

    def __init__(
        self,
        *,
        backlogs: Sequence[Backlog],
        replicas: Sequence[Replica],
        ledger: Ledger,
        database: Database,
        pace: Pace,
    ) -> None:
        self._backlogs = {backlog.region: backlog for backlog in backlogs}
        self._own = backlogs[0].region
        self._replicas = replicas
        self._ledger = ledger
        self._database = database
        self._pace = pace

    def run(self, request: ReplayRequest, time_is_up: Callable[[], bool]) -> dict[str, Any]:
        """Replay until the end or until `time_is_up`, at least one lookup. Returns the counts, `done`, the
        `continuation` of what is left, the regions whose backlog or replica was `unreachable`, and why durability is
        unknown, if it is; what is not known to be done stays in the backlogs.

        Raises REPLAY_ERRORS; BacklogUnavailable and JournalUnreadable for the own region only.
        """
        began = self._pace.clock()

        def ends() -> bool:
            spent = request.seconds is not None and self._pace.clock() - began >= request.seconds
            return spent or time_is_up()

        self._ledger.permit()
        durable_until, unknown = self._durable_everywhere_until()
        run = _Run(durable_until=durable_until)
        left = dict(request.positions)
        while left and not (run.lookups and ends()):
            # The backlog that is further behind: pages of the same time hold the same payments, looked up once.
            region = min(left, key=left.__getitem__)
            try:
                page = self._backlogs[region].page(after=left[region], until=request.until, limit=_PAGE)
                for batches in _lookups(page):
                    if run.lookups and ends():
                        break
                    self._replay(self._backlogs[region], batches, run)
                    left[region] = batches[-1].position
            except BacklogUnavailable as error:
                if region == self._own:
                    raise
                run.unreachable[region] = error.reason
                page = []
            if not page:
                del left[region]
        counts = run.counts.added_to(request.counts)
        continuation = {"until": request.until, "positions": left, "counts": asdict(counts)} if left else None
        return {
            **asdict(counts),
            "unreachable": run.unreachable,
            "durability_unknown": unknown,
            "done": continuation is None,
            "continuation": continuation,
        }

    def _durable_everywhere_until(self) -> tuple[datetime | None, str | None]:
        """Before when a row must have been posted to be durable in both regions, None if it is in no other one or not
        known; and why it cannot be read, which must not keep anything from being posted."""
        margin = timedelta(seconds=self._pace.real(_MARGIN_SECONDS))
        try:
            durable = self._database.durable_until()
        except DatabaseUnavailable as error:
            return None, str(error)
        peers = self._backlogs.keys() - {self._own}
        if not peers <= durable.keys():
            return None, None
        return min(durable[region] for region in peers) - margin, None

    def _replay(self, backlog: Backlog, batches: Sequence[Batch], run: "_Run") -> None:
        """Post what is missing of `batches`, and remove those that are done."""
        run.lookups += 1
        if len(run.rows) > _KEPT:
            run.rows.clear()
        payment_ids = list(dict.fromkeys(payment_id for batch in batches for payment_id in batch.payment_ids))
        run.counts.checked += len(payment_ids)
        for start in range(0, len(payment_ids), FIND_LIMIT):
            part = payment_ids[start : start + FIND_LIMIT]
            run.rows |= self._database.find([payment_id for payment_id in part if payment_id not in run.rows])
        missing = [payment_id for payment_id in payment_ids if payment_id not in run.rows]
        run.counts.missing += len(missing)
        never: set[str] = set()
        for start in range(0, len(missing), _TOGETHER):
            never |= self._post(missing[start : start + _TOGETHER], run)

        def is_settled(payment_id: str) -> bool:
            row = run.rows.get(payment_id)
            is_durable = row is not None and run.durable_until is not None and row.posted_at < run.durable_until
            return is_durable or payment_id in never

        done = [batch for batch in batches if all(map(is_settled, batch.payment_ids))]
        kept = [batch for batch in batches if batch not in done]
        for batch in kept:
            # What can never be posted leaves a batch that has to wait, or it would be reported again and again.
            if never & set(batch.payment_ids):
                backlog.shorten(batch, [each for each in batch.payment_ids if each not in never])
        backlog.remove(done)
        run.counts.waiting += sum(payment_id not in never for batch in kept for payment_id in batch.payment_ids)

    def _post(self, payment_ids: Sequence[str], run: "_Run") -> set[str]:
        """Post at most _TOGETHER payments. Returns the ids of those that can never be posted."""
        items = self._read(payment_ids, run)
        problems: dict[str, str] = {}
        entries = []
        for payment_id, item in items.items():
            try:
                entries.append(JournalEntry.from_item(item))
            except JournalItemError as error:
                problems[payment_id] = str(error)
        if not run.unreachable:
            absent = [payment_id for payment_id in payment_ids if payment_id not in items]
            problems |= dict.fromkeys(absent, "the backlog holds this payment, and no replica of the journal does")
        problems |= self._ledger.post(entries).rejected
        for payment_id, problem in problems.items():
            self._ledger.report(payment_id, problem)
        now = self._pace.now()
        posted = [entry for entry in entries if entry.payment_id not in problems]
        run.rows |= {entry.payment_id: Row(content_hash=entry.content_hash, posted_at=now) for entry in posted}
        run.counts.posted += len(posted)
        run.counts.poisoned += len(problems)
        return set(problems)

    def _read(self, payment_ids: Sequence[str], run: "_Run") -> dict[str, Item]:
        """The journal's items by payment id, from the own replica, or from the other one where it has none."""
        items: dict[str, Item] = {}
        for replica in self._replicas:
            keys = [payment_key(payment_id) for payment_id in payment_ids if payment_id not in items]
            if not keys or replica.region in run.unreachable:
                continue
            try:
                found = replica.read_all(keys)
            except ReplicaUnavailable as error:
                if replica.region == self._own:
                    raise JournalUnreadable(error.reason) from None
                run.unreachable[replica.region] = error.reason
            else:
                items |= {key.removeprefix(payment_key("")): item for key, item in found.items()}
        return items


@dataclass(kw_only=True)
class _Run:
    """The counts of an invocation so far."""

    durable_until: datetime | None
    rows: dict[str, Row] = field(default_factory=dict)  # by payment id; those of the last pages
    counts: Counts = field(default_factory=Counts)
    unreachable: dict[str, str] = field(default_factory=dict)  # reason by region
    lookups: int = 0


def _lookups(page: Sequence[Batch]) -> Iterator[list[Batch]]:
    """The batches in order, those together whose payments one statement looks up; a larger batch is alone."""
    together: list[Batch] = []
    for batch in page:
        if together and sum(len(each.payment_ids) for each in (*together, batch)) > FIND_LIMIT:
            yield together
            together = []
        together.append(batch)
    if together:
        yield together
