"""The history of the ledger's writers, and the rows that a promotion lost. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from drill.model.status import DatabaseStatus, Row


@dataclass(frozen=True, kw_only=True)
class Written:
    """All rows posted under one epoch of the writer's record."""

    epoch: int
    region: str
    rows: int
    first: datetime
    last: datetime


def spans(rows: Iterable[Row]) -> list[Written]:
    """By epoch and region, the oldest epoch first."""
    groups: defaultdict[tuple[int, str], list[datetime]] = defaultdict(list)
    for row in rows:
        groups[row.writer_epoch, row.posted_in].append(row.posted_at)
    return [
        Written(epoch=epoch, region=region, rows=len(moments), first=min(moments), last=max(moments))
        for (epoch, region), moments in sorted(groups.items())
    ]


def two_at_once(rows: Iterable[Row], databases: Sequence[DatabaseStatus]) -> list[str]:
    """Every moment at which two regions wrote, one sentence each: by the rows' own epochs, and by the intervals in
    which the databases accepted writes."""
    written = spans(rows)
    found = [
        f"{later.region} and {earlier.region} both posted under epoch {later.epoch}"
        for earlier, later in pairwise(written)
        if earlier.epoch == later.epoch
    ]
    found += [
        f"{later.region} posted under epoch {later.epoch} from {_clock(later.first)}, while {earlier.region} posted "
        f"under epoch {earlier.epoch} until {_clock(earlier.last)}"
        for earlier, later in pairwise(written)
        if earlier.epoch < later.epoch and earlier.region != later.region and later.first < earlier.last
    ]
    times = sorted(
        (interval.since, interval.until, member.region) for member in databases for interval in member.writer_intervals
    )
    found += [
        f"the database in {later[2]} accepted writes from {_unix(later[0])}, while the one in {earlier[2]} did "
        f"until {'now' if earlier[1] is None else _unix(earlier[1])}"
        for earlier, later in pairwise(times)
        if earlier[2] != later[2] and (earlier[1] is None or later[0] < earlier[1])
    ]
    return found


@dataclass(frozen=True, kw_only=True)
class PromotionLoss:
    """The rows of the lost database that the promoted one lacked."""

    had: int  # rows of the lost writer, when the snapshot was taken
    lost: int  # of these, not in the promoted member: posted there again
    brought_back: int


def lost_by_promotion(before: Mapping[str, Row], after: Mapping[str, Row]) -> PromotionLoss:
    """`before`: the lost writer's rows; `after`: the new writer's. A row that survived keeps the region and epoch that
    posted it; one that was lost and replayed has others."""
    survived = {payment_id for payment_id, row in before.items() if _is_same(row, after.get(payment_id))}
    lost = set(before) - survived
    return PromotionLoss(had=len(before), lost=len(lost), brought_back=len(lost & set(after)))


def _is_same(before: Row, after: Row | None) -> bool:
    marks = (before.posted_in, before.writer_epoch, before.posted_at)
    return after is not None and marks == (after.posted_in, after.writer_epoch, after.posted_at)


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def _unix(moment: float) -> str:
    return _clock(datetime.fromtimestamp(moment, UTC))
