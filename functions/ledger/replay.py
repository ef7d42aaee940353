"""Replay: walks the region's whole replica and posts whatever the database lacks. It may be repeated, and resumed.

The replica is scanned. It is keyed by payment id alone, so a payment's time is no way to find it, and an index by time
could lag behind just the entries that a failover is about; a scan can be read consistently. The walk goes through
several segments at once and asks the database for ids only. Its cost grows with the table, not with what is missing.
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

# Items per page: small enough for a page to be done well within what is kept in hand of a Lambda's time.
_PAGE = 1000


class ReplayRequestError(ValueError):
    """The request for a replay is wrong; the message says what is needed."""


class JournalUnreadable(Exception):
    """The own replica did not give a page; the message is an error's name."""


@dataclass(kw_only=True)
class Counts:
    """Of all runs of one replay together, but for what was looked at twice after a failure."""

    checked: int = 0  # payments of the journal in question
    missing: int = 0  # of these, not in the database
    posted: int = 0
    poisoned: int = 0  # cannot be posted; reported
    conflicting: int = 0  # in the database with other content; reported
    fallen_back: int = 0  # announced on the own bus

    def add(self, other: "Counts") -> None:
        for name in (known.name for known in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """`since`: entries accepted at this time or later, in the journal's own form. `places`: the key after which each
    segment goes on, and no entry for a segment that is done."""

    since: str
    places: dict[int, str | None]
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def parse(cls, event: Mapping[str, Any], *, segments: int) -> "ReplayRequest":
        """From `{"operation": "replay", "since": ISO 8601 with a zone, "continuation": of the last answer or null}`.

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
            return cls(since=moment, places=dict.fromkeys(range(segments)))
        try:
            if continuation["segments"] != segments:
                raise ReplayRequestError("the function now walks in other segments; start the replay anew")
            places = {int(segment): after for segment, after in continuation["places"].items()}
            return cls(since=moment, places=places, counts=Counts(**continuation["counts"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ReplayRequestError):
                raise
            raise ReplayRequestError("`continuation` must be what the last answer gave, or null") from None


class Replay:
    """`client` is of DynamoDB in the own region."""

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
        """Walk until all is done or `time_is_up`. The answer counts, and holds the `continuation` of what is left.

        Raises Paused, DatabaseUnavailable, EventsUnavailable, PoisonQueueUnavailable and JournalUnreadable; a replay
        that ended so may be asked for again from where it began.
        """
        total = Counts(**asdict(request.counts))
        left: dict[str, str | None] = {}
        with ThreadPoolExecutor(max_workers=self._segments) as pool:
            walks = {
                segment: pool.submit(self._walk, segment, after, request.since, time_is_up)
                for segment, after in request.places.items()
            }
        for segment, walk in walks.items():
            counts, done, after = walk.result()
            total.add(counts)
            if not done:
                left[str(segment)] = after
        continuation = {"segments": self._segments, "places": left, "counts": asdict(total)} if left else None
        return {**asdict(total), "done": continuation is None, "continuation": continuation}

    def _walk(
        self, segment: int, after: str | None, since: str, time_is_up: Callable[[], bool]
    ) -> tuple[Counts, bool, str | None]:
        counts = Counts()
        while not time_is_up():
            items, after = self._page(segment, after, since)
            self._settle(items, counts)
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

    def _settle(self, items: list[dict[str, Any]], counts: Counts) -> None:
        """Post those of one page that the database lacks."""
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
            there = self._database.find([entry.payment_id for entry in part])
            missing = [entry for entry in part if entry.payment_id not in there]
            for entry in part:
                if there.get(entry.payment_id, entry.content_hash) != entry.content_hash:
                    self._ledger.report(entry.payment_id, "the ledger's row has other content than the journal")
                    counts.conflicting += 1
            # Announced first: if this ends between the two, the next replay announces again instead of never.
            counts.fallen_back += self._events.announce(missing)
            refused = self._ledger.post(missing)
            for payment_id, reason in refused.items():
                self._ledger.report(payment_id, reason)
            counts.missing += len(missing)
            counts.posted += len(missing) - len(refused)
            counts.poisoned += len(refused)
