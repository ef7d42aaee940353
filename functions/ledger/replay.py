"""Replay: scans the region's whole replica and posts the payments that the database lacks. Idempotent and resumable.

The table has no index by time, and one could lag behind exactly the entries that a failover is about; a scan can be
strongly consistent. Several segments are scanned in parallel, and the database is queried for ids only. The cost grows
with the table, not with what is missing.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.payment_record import JournalEntry, JournalItemError, payment_key

from .database import Database, chunks
from .events import Events
from .posting import Ledger

# Items per page: small enough for a page to finish well within the reserved time (`application.RESERVE_MS`).
_PAGE = 1000


class ReplayRequestError(ValueError):
    """The replay request is invalid; the message is the requirement."""


class JournalUnreadable(Exception):
    """A page of the own replica could not be read; the message is an error's code or class name."""


@dataclass(kw_only=True)
class Counts:
    """Numbers of payments, summed over all invocations of one replay; after a failure some are counted twice."""

    checked: int = 0  # in the journal, accepted at `since` or later
    missing: int = 0  # of these, not in the database
    posted: int = 0
    poisoned: int = 0  # can never be posted; dead letter sent
    conflicting: int = 0  # in the database with other content; dead letter sent
    fallbacks: int = 0  # events that went to the own bus

    def add(self, other: "Counts") -> None:
        """Add the counts of another segment."""
        for name in (each.name for each in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """`since`: entries accepted at this time or later, as the journal writes it. `positions`: per unfinished segment,
    the key after which it continues; None: from its beginning."""

    since: str
    positions: dict[int, str | None]
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def parse(cls, event: Mapping[str, Any], *, segments: int) -> "ReplayRequest":
        """From `{"operation": "replay", "since": ISO 8601 with a zone, "continuation": of the last response or null}`.

        Raises ReplayRequestError.
        """
        try:
            since = datetime.fromisoformat(event["since"])
            if since.tzinfo is None:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise ReplayRequestError("replay needs `since`: a time in ISO 8601 with its zone") from None
        moment = since.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        continuation = event.get("continuation")
        if continuation is None:
            return cls(since=moment, positions=dict.fromkeys(range(segments)))
        try:
            if continuation["segments"] != segments:
                raise ReplayRequestError("the number of segments has changed; start the replay from the beginning")
            positions = {int(segment): after for segment, after in continuation["positions"].items()}
            return cls(since=moment, positions=positions, counts=Counts(**continuation["counts"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ReplayRequestError):
                raise
            raise ReplayRequestError("`continuation` must be that of the last response, or null") from None


class Replay:
    """Scans `table` in `segments` parallel segments. `client`: DynamoDB in the own region."""

    def __init__(
        self, client: Any, *, table: str, segments: int, ledger: Ledger, database: Database, events: Events
    ) -> None:
        self._client = client
        self._table = table
        self._segments = segments
        self._ledger = ledger
        self._database = database
        self._events = events

    def run(self, request: ReplayRequest, time_is_up: Callable[[], bool]) -> dict[str, Any]:
        """Scan until the end or until `time_is_up`. Returns the counts, `done`, and the `continuation` of what is left.

        Raises Paused, DatabaseUnavailable, EventsUnavailable, PoisonQueueUnavailable and JournalUnreadable; the same
        request may then be sent again.
        """
        total = Counts(**asdict(request.counts))
        left: dict[str, str | None] = {}
        with ThreadPoolExecutor(max_workers=self._segments) as pool:
            scans = {
                segment: pool.submit(self._scan, segment, after, request.since, time_is_up)
                for segment, after in request.positions.items()
            }
        for segment, scan in scans.items():
            counts, done, after = scan.result()
            total.add(counts)
            if not done:
                left[str(segment)] = after
        continuation = {"segments": self._segments, "positions": left, "counts": asdict(total)} if left else None
        return {**asdict(total), "done": continuation is None, "continuation": continuation}

    def _scan(
        self, segment: int, after: str | None, since: str, time_is_up: Callable[[], bool]
    ) -> tuple[Counts, bool, str | None]:
        counts = Counts()
        while not time_is_up():
            items, after = self._page(segment, after, since)
            self._post_missing(items, counts)
            if after is None:
                return counts, True, None
        return counts, False, after

    def _page(self, segment: int, after: str | None, since: str) -> tuple[list[dict[str, Any]], str | None]:
        start = {"ExclusiveStartKey": {"pk": {"S": after}}} if after else {}
        try:
            page = self._client.scan(
                TableName=self._table,
                Segment=segment,
                TotalSegments=self._segments,
                Limit=_PAGE,
                ConsistentRead=True,
                FilterExpression="begins_with(pk, :payments) AND (accepted_at >= :since OR NOT kind = :kind)",
                ExpressionAttributeValues={
                    ":payments": {"S": payment_key("")},
                    ":since": {"S": since},
                    ":kind": {"S": "payment"},
                },
                **start,
            )
        except ClientError as error:
            raise JournalUnreadable(error.response.get("Error", {}).get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise JournalUnreadable(type(error).__name__) from None
        last = page.get("LastEvaluatedKey")
        return page["Items"], last["pk"]["S"] if last else None

    def _post_missing(self, items: list[dict[str, Any]], counts: Counts) -> None:
        """Post the entries of one page that the database lacks."""
        self._ledger.permit()
        entries = []
        for item in items:
            counts.checked += 1
            try:
                entries.append(JournalEntry.from_item(item))
            except JournalItemError as problem:
                self._ledger.report(item["pk"]["S"].removeprefix(payment_key("")), str(problem))
                counts.poisoned += 1
        for part in chunks(entries):
            stored = self._database.find([entry.payment_id for entry in part])
            missing = [entry for entry in part if entry.payment_id not in stored]
            for entry in part:
                row = stored.get(entry.payment_id)
                if row and row.content_hash != entry.content_hash:
                    self._ledger.report(entry.payment_id, "the ledger's row has other content than the journal")
                    counts.conflicting += 1
            # Events first: if the function ends between the two, the next replay publishes them again instead of never.
            counts.fallbacks += self._events.announce(missing)
            rejected = self._ledger.post(missing)
            for payment_id, reason in rejected.items():
                self._ledger.report(payment_id, reason)
            counts.missing += len(missing)
            counts.posted += len(missing) - len(rejected)
            counts.poisoned += len(rejected)
