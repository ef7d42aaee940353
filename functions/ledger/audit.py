"""Audit: compares the region's whole replica of the journal and the whole ledger table, in both directions.

Journal to ledger: a parallel Scan, and the rows of each page in one statement. Ledger to journal: pages of the table in
the order of its key, and a BatchGetItem for each hundred rows. Resumable, and read-only unless what is missing in the
ledger is to be recorded in the backlog, from where the next replay posts it. A finding is a payment id and a
kind; nothing else of a payment leaves the function. Calls for n entries and n rows, in s segments, without findings:
2n/1000 + n/1000 + n/100, and at most 3s + 2 more in each invocation.
"""

import random
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from common.backlog import Backlog
from common.clock import Pace, timestamp
from common.payment_record import JournalEntry, JournalItemError, payment_key
from common.table_replica import KEY, Item

from .contents import LIMIT, Content, Contents, StoredPayment
from .database import CHUNK
from .journal_pages import PER_BATCH, JournalPages, JournalUnreadable

# Ids that an invocation returns at most, but for those of the pages under way when it is reached.
MOST_IDS = 1000
_ROWS = "rows"  # position of the direction from the ledger to the journal


class AuditRequestError(ValueError):
    """The audit request is invalid; the message is the requirement."""


class Kind(StrEnum):
    NOT_IN_LEDGER = "not-in-ledger"
    NOT_IN_JOURNAL = "not-in-journal"
    DIFFERS = "differs"


@dataclass(frozen=True, kw_only=True)
class Finding:
    payment_id: str
    kind: Kind


@dataclass(kw_only=True)
class Counts:
    """Numbers of payments, summed over all invocations of one audit."""

    entries: int = 0  # of the journal
    rows: int = 0  # of the ledger table
    pending: int = 0  # in one of the two only, and accepted less than the grace period ago
    not_in_ledger: int = 0
    not_in_journal: int = 0
    differing: int = 0
    recorded: int = 0  # in the backlog, of those not in the ledger

    def add(self, other: "Counts") -> None:
        for name in (each.name for each in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


FAULTS = ("not_in_ledger", "not_in_journal", "differing")
# Metrics of an invocation, and the counts they sum up.
AUDIT_METRICS = {
    "AuditCompared": ("entries", "rows"),
    "AuditMissing": ("not_in_ledger", "not_in_journal"),
    "AuditDiffering": ("differing",),
}


@dataclass(kw_only=True)
class Result:
    """Counts, and findings up to the limit of the request."""

    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        self.counts.add(other.counts)
        self.findings += other.findings

    def answer(self) -> dict[str, Any]:
        """The counts and the findings as JSON."""
        return {**asdict(self.counts), "findings": [asdict(finding) for finding in self.findings]}


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """`positions`: per unfinished segment, and for the ledger's rows, the key after which it continues; None: from the
    beginning. `sample`: a random part of this many entries and rows instead."""

    positions: dict[str, str | None]
    counts: Counts = field(default_factory=Counts)  # of the invocations before
    ids: int = MOST_IDS  # end the invocation after this many findings; 0: return none of them
    seconds: float | None = None  # end the invocation after this time
    sample: int | None = None
    record: bool = False  # record what is not in the ledger in the backlog

    @classmethod
    def parse(cls, event: Mapping[str, Any], *, segments: int) -> "AuditRequest":
        """From `{"operation": "audit"}` and any of `continuation` (of the last response, or null), `ids` (0 to
        MOST_IDS), `seconds`, `sample` (1 to LIMIT) and `record` (not with a sample). Raises AuditRequestError."""
        ids, seconds, sample = event.get("ids", MOST_IDS), event.get("seconds"), event.get("sample")
        if not _is_within(ids, 0, MOST_IDS):
            raise AuditRequestError(f"`ids` must be a whole number from 0 to {MOST_IDS}")
        if sample is not None and not _is_within(sample, 1, LIMIT):
            raise AuditRequestError(f"`sample` must be a whole number from 1 to {LIMIT}, or null")
        if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
            raise AuditRequestError("`seconds` must be a positive number, or null")
        record = event.get("record", False)
        if not isinstance(record, bool) or (record and sample is not None):
            raise AuditRequestError("`record` must be true or false, and only false for a sample")
        names = [*map(str, range(segments)), _ROWS]
        positions, counts = _continued(event.get("continuation"), names)
        return cls(positions=positions, counts=counts, ids=ids, seconds=seconds, sample=sample, record=record)


def _is_within(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _continued(continuation: Any, names: Sequence[str]) -> tuple[dict[str, str | None], Counts]:
    if continuation is None:
        return dict.fromkeys(names), Counts()
    try:
        if continuation["segments"] != len(names) - 1:
            raise AuditRequestError("the number of segments has changed; start the audit from the beginning")
        positions = dict(continuation["positions"])
        if not positions.keys() <= set(names):
            raise ValueError
        return positions, Counts(**continuation["counts"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, AuditRequestError):
            raise
        raise AuditRequestError("`continuation` must be that of the last response, or null") from None


# From the position after which a page begins, to the page's result and the next position, None at the end.
_Step = Callable[[str | None], tuple[Result, str | None]]


class Audit:
    """Compares journal and ledger of one region, whose database member must be the writer. `peer`: the other region's
    replica, which is read only for rows that the own one has no entry of. `grace_seconds`: AWS seconds."""

    def __init__(
        self,
        own: JournalPages,
        peer: JournalPages,
        *,
        contents: Contents,
        backlog: Backlog,
        segments: int,
        grace_seconds: float,
        pace: Pace | None = None,
    ) -> None:
        self._own = own
        self._peer = peer
        self._contents = contents
        self._backlog = backlog
        self._segments = segments
        self._grace_seconds = grace_seconds
        self._pace = pace or Pace()

    def run(self, request: AuditRequest, time_is_up: Callable[[], bool]) -> dict[str, Any]:
        """Compare until the end, until `time_is_up`, or until the request's limits, at least one page of each segment.
        Returns the counts of all invocations, this one's `findings`, `done`, and the `continuation` of what is left.

        Raises DatabaseUnavailable, JournalUnreadable and BacklogUnavailable; the same request may then be sent again.
        """
        began, found, lock = self._pace.monotonic(), Result(), threading.Lock()

        def add(result: Result) -> None:
            with lock:
                found.add(result)

        def ends() -> bool:
            spent = request.seconds is not None and self._pace.monotonic() - began >= request.seconds
            return time_is_up() or spent or 0 < request.ids <= len(found.findings)

        left: dict[str, str] = {}
        with ThreadPoolExecutor(max_workers=self._segments + 1) as pool:
            runs = {
                name: pool.submit(_until_end, self._step(name, request), after, add, ends)
                for name, after in request.positions.items()
            }
        for name, run in runs.items():
            after = run.result()
            if after is not None:
                left[name] = after
        if not request.ids:
            found.findings.clear()
        found.counts.add(request.counts)
        continuation = {"segments": self._segments, "positions": left, "counts": asdict(found.counts)} if left else None
        return {**found.answer(), "done": continuation is None, "continuation": continuation}

    def sample(self, limit: int) -> Result:
        """Compare `limit` (1 to LIMIT) entries from a random place of the journal on, and as many rows from a random
        one of them on; all, if there are no more. At most 5 + 2 * limit / 100 calls, without findings.

        Raises DatabaseUnavailable and JournalUnreadable.
        """
        found = Result()
        items = self._some_items(limit)
        found.add(self._compare_entries(items))
        ids = [_id_of(item) for item in items]
        # A place among the entries' ids, since rows are dense where entries are.
        found.add(self._compare_rows(self._some_rows(limit, after=random.choice(ids) if ids else "")))
        return found

    def _some_items(self, limit: int) -> list[Item]:
        # Keys are ordered by their hash [DYNAMODB-8], so a random key is a random place.
        items, last = self._own.page(after=payment_key(uuid.uuid4().hex), limit=limit)
        if last is None:
            more, _ = self._own.page(after=None, limit=limit)
            items = list({_id_of(item): item for item in (*items, *more)}.values())[:limit]
        return items

    def _some_rows(self, limit: int, *, after: str) -> list[StoredPayment]:
        rows = self._contents.page(after=after, limit=limit)
        if len(rows) < limit and after:
            more = self._contents.page(after="", limit=limit)
            rows = list({row.payment_id: row for row in (*rows, *more)}.values())[:limit]
        return rows

    def _step(self, name: str, request: AuditRequest) -> _Step:
        """Compares one page of a segment, or of the ledger's rows."""
        if name == _ROWS:
            return self._rows_after
        segment = (int(name), self._segments)

        def entries_after(after: str | None) -> tuple[Result, str | None]:
            items, last = self._own.page(after=after, limit=LIMIT, segment=segment)
            compared = self._compare_entries(items)
            if request.record:
                self._record(compared)
            return compared, last

        return entries_after

    def _record(self, compared: Result) -> None:
        missing = [finding.payment_id for finding in compared.findings if finding.kind is Kind.NOT_IN_LEDGER]
        for start in range(0, len(missing), CHUNK):
            self._backlog.record(missing[start : start + CHUNK], arrived=self._pace.now())
        compared.counts.recorded += len(missing)

    def _rows_after(self, after: str | None) -> tuple[Result, str | None]:
        rows = self._contents.page(after=after or "", limit=LIMIT)
        return self._compare_rows(rows), rows[-1].payment_id if len(rows) == LIMIT else None

    def _compare_entries(self, items: Sequence[Item]) -> Result:
        result = Result(counts=Counts(entries=len(items)))
        stored = self._contents.find([_id_of(item) for item in items])
        for item in items:
            row = stored.get(_id_of(item))
            if row is None:
                if self._is_young(item.get("accepted_at", {}).get("S")):
                    result.counts.pending += 1
                else:
                    result.counts.not_in_ledger += 1
                    result.findings.append(Finding(payment_id=_id_of(item), kind=Kind.NOT_IN_LEDGER))
            elif row.content != _content_of(item):
                result.counts.differing += 1
                result.findings.append(Finding(payment_id=_id_of(item), kind=Kind.DIFFERS))
        return result

    def _compare_rows(self, rows: Sequence[StoredPayment]) -> Result:
        result = Result(counts=Counts(rows=len(rows)))
        accepted = {row.payment_id: row.accepted_at for row in rows}
        for payment_id in self._without_entry(list(accepted)):
            if self._is_young(timestamp(accepted[payment_id])):
                result.counts.pending += 1
            else:
                result.counts.not_in_journal += 1
                result.findings.append(Finding(payment_id=payment_id, kind=Kind.NOT_IN_JOURNAL))
        return result

    def _without_entry(self, payment_ids: Sequence[str]) -> list[str]:
        """Those that neither replica has an entry of; the own one decides while the other does not answer."""
        absent = _in_batches(self._own.without_entry, payment_ids)
        try:
            return _in_batches(self._peer.without_entry, absent)
        except JournalUnreadable:
            return absent

    def _is_young(self, accepted_at: str | None) -> bool:
        """False also for an entry without a valid time."""
        try:
            return accepted_at is not None and self._pace.since(accepted_at) < self._grace_seconds
        except (ValueError, TypeError):
            return False


def _until_end(step: _Step, after: str | None, add: Callable[[Result], None], ends: Callable[[], bool]) -> str | None:
    """The position from which to go on; None at the end."""
    while True:
        result, after = step(after)
        add(result)
        if after is None or ends():
            return after


def _in_batches(without_entry: Callable[[Sequence[str]], set[str]], payment_ids: Sequence[str]) -> list[str]:
    absent: Iterable[str] = ()
    for start in range(0, len(payment_ids), PER_BATCH):
        absent = (*absent, *without_entry(payment_ids[start : start + PER_BATCH]))
    return sorted(absent)


def _id_of(item: Item) -> str:
    key: str = item[KEY]["S"]
    return key.removeprefix(payment_key(""))


def _content_of(item: Item) -> Content | None:
    """None for an item that is no valid payment, or that contradicts itself."""
    try:
        return Content.of_entry(JournalEntry.from_item(item))
    except JournalItemError:
        return None
