"""Event source mappings of DynamoDB streams: each region's functions read their own region's stream, in order.

ministack ignores reported failures of single records, and never bisects a batch. A lost region's mappings stop at their
position and continue from it after the outage. A mapping that is more than 24 hours behind misses records [DYNAMODB-7].
With a ParallelizationFactor, its partition keys are divided among as many lanes, each with its own order, position and
retries [LAMBDA-18].

Sources: [LAMBDA-11] (what counts as a failure of which record), [LAMBDA-12] (limits, destination), API
Lambda.CreateEventSourceMapping (bisecting does not count as a try).
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outages
from localaws.emulator.event_sources import Found, Lane, StreamMapping

REPORT = "ReportBatchItemFailures"


def first_failure(result: dict[str, Any], numbers: Sequence[str], *, reports: bool) -> int | None:
    """The first failed record of a batch (with its sequence `numbers`); None if all succeeded."""
    if result.get("error"):
        return 0
    response = _read(result.get("body"))
    failures = response.get("batchItemFailures") if isinstance(response, dict) else None
    if not reports or not failures:
        return None
    try:
        return min(numbers.index(each["itemIdentifier"]) for each in failures)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0  # an invalid response counts as a failure of all


def _read(body: Any) -> Any:
    if not isinstance(body, str | bytes):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None


@dataclass
class Progress:
    """Progress of a mapping in its current batch. Positions are those of records in the stream."""

    tries: int = 0  # failed ones without any progress
    ends: list[int] = field(default_factory=list)  # where the parts of a bisected batch end, the current one last

    def succeeded(self, position: int) -> None:
        """Everything before `position` has been processed."""
        self.tries = 0
        while self.ends and self.ends[-1] <= position:
            self.ends.pop()

    def failed(self, positions: Sequence[int], end: int, failure: int, *, bisect: bool) -> int:
        """The position to continue at after `positions[failure]` failed, in a batch that ends before `end`."""
        if not self.ends:
            self.ends.append(end)
        if failure:
            self.tries = 1
        elif bisect and len(positions) > 1:
            self.ends.append(positions[len(positions) // 2])
        else:
            self.tries += 1
        return positions[failure]


# AWS seconds between two tries of a batch. AWS documents that they grow, without figures.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
LEAST_PAUSE = 0.2  # of this machine: a try costs it as much at any speed
RETENTION = 24 * 3600.0  # AWS seconds that a stream keeps a record
MOST_AT_ONCE = 4
"""Batches of one mapping that run at the same time: half of a function's workers, so that others still find one."""
POLL_INTERVAL = 0.5  # seconds of this machine between two checks without a write

logger = logging.getLogger(__name__)


@dataclass
class _Reader:
    """One lane of a mapping. Only one thread at a time reads for it."""

    mapping: StreamMapping
    lane: Lane
    position: int  # everything of the lane before it has been processed
    turns: threading.Semaphore  # of the mapping
    progress: Progress = field(default_factory=Progress)
    busy: bool = False
    not_before: float = 0.0  # monotonic
    gathering_since: float | None = None  # monotonic: when the first record of the batch was read


class StreamMappings:
    """Reads between `start` and `stop`, in threads of its own."""

    def __init__(self, clock: Clock, outages: Outages) -> None:
        self._clock = clock
        self._outages = outages
        self._readers: dict[str, list[_Reader]] = {}  # by mapping
        self._changed = threading.Condition()
        self._pending = False
        self._quiet_until = 0.0  # monotonic: until then every mapping gathers or runs
        self._ended = False

    def install(self) -> None:
        emulator.event_sources.take_over_streams(self._written)
        emulator.event_sources.expire_stream_records(lambda written: self._elapsed(written) > RETENTION)
        self._outages.on_change(lambda _region, _outage: self._wake())

    def start(self) -> None:
        threading.Thread(target=self._run, name="streams", daemon=True).start()

    def stop(self) -> None:
        self._ended = True
        self._wake()

    def _written(self) -> None:
        if time.monotonic() >= self._quiet_until:
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._pending = True
            self._changed.notify_all()

    def _run(self) -> None:
        while not self._ended:
            pause = self._start_readers()
            with self._changed:
                self._changed.wait_for(lambda: self._pending, timeout=pause)
                self._pending = False

    def _start_readers(self) -> float:
        """Start a reader for every mapping that has records; returns how long nothing else can be due."""
        mappings = {mapping.id: mapping for mapping in emulator.event_sources.stream_mappings()}
        for gone in self._readers.keys() - mappings.keys():
            del self._readers[gone]
        self._quiet_until = 0.0  # a record that arrives from here on starts a check
        now, pause, idle = time.monotonic(), POLL_INTERVAL, False
        for mapping in mappings.values():
            for reader in self._lanes(mapping):
                if reader.busy or not self._may_run(reader):
                    continue
                if reader.not_before > now:
                    pause = min(pause, reader.not_before - now)
                elif (found := self._find(reader, 1)).records:
                    reader.busy = True
                    threading.Thread(target=self._read, args=(reader,), name="stream", daemon=True).start()
                else:
                    self._advance(reader, found.end)
                    idle = True
        if not idle:
            self._quiet_until = now + pause
        return pause

    def _lanes(self, mapping: StreamMapping) -> list[_Reader]:
        """The readers of a mapping; new ones when its number of lanes has changed. They deliver some records again."""
        count = int(mapping.settings.get("ParallelizationFactor") or 1)
        readers = self._readers.get(mapping.id, [])
        if len(readers) != count:
            position, turns = emulator.event_sources.stream_position(mapping), threading.Semaphore(MOST_AT_ONCE)
            readers = [_Reader(mapping, Lane(number, count), position, turns) for number in range(count)]
            self._readers[mapping.id] = readers
        return readers

    def _find(self, reader: _Reader, count: int) -> Found:
        return emulator.event_sources.stream_records(reader.mapping, reader.lane, reader.position, count)

    def _advance(self, reader: _Reader, position: int) -> None:
        """Go on at `position`. The mapping as a whole is where the last of its lanes is."""
        if position != reader.position:
            reader.position = position
            positions = [each.position for each in self._readers.get(reader.mapping.id, [])]
            if positions:
                emulator.event_sources.advance_stream(reader.mapping, min(positions))

    def _may_run(self, reader: _Reader) -> bool:
        mapping = reader.mapping
        known = any(each is reader for each in self._readers.get(mapping.id, []))
        enabled = mapping.settings.get("Enabled", True)
        return known and enabled and not self._outages.is_lost(mapping.region) and not self._ended

    def _read(self, reader: _Reader) -> None:
        """Batch after batch, until there is none or the mapping has to pause."""
        try:
            while self._may_run(reader) and reader.not_before <= time.monotonic():
                if not self._batch(reader):
                    break
        except Exception:
            logger.exception("event=stream_mapping_failed %s; it is retried", reader.mapping.id)
            reader.not_before = time.monotonic() + 1.0
        finally:
            reader.busy = False
            self._wake()

    def _batch(self, reader: _Reader) -> bool:
        """Try the next batch. False when there is none."""
        mapping, progress = reader.mapping, reader.progress
        # Lambda's default for streams [LAMBDA-13]; ministack stores the one of queues.
        size = int(mapping.settings.get("BatchSize") or 100)
        found = self._find(reader, size)
        records, end = found.records, found.end
        if progress.ends and records:
            within = [each for each in records if each[0] < progress.ends[-1]]
            records, end = (within, min(end, progress.ends[-1])) if within else (records[:1], records[0][0] + 1)
        if not records or self._gathers(reader, len(records), size):
            return False
        kept = [each for each in records if emulator.event_sources.passes_filters(mapping, each[1])]
        failure, result = None, {}
        if kept:
            with reader.turns:
                result = emulator.event_sources.run_stream_function(mapping, [each for _, each in kept])
            if self._outages.is_lost(mapping.region):
                return False  # its response is lost with the region
            if result.get("throttle"):
                self._pause(reader, FIRST_PAUSE)  # it did not run: no try, and nothing to bisect
                return True
            numbers = [each["dynamodb"]["SequenceNumber"] for _, each in kept]
            reports = REPORT in (mapping.settings.get("FunctionResponseTypes") or [])
            failure = first_failure(result, numbers, reports=reports)
        if failure is None:
            self._advance(reader, end)
            progress.succeeded(end)
            return True
        self._failed(reader, kept, end, failure, result)
        return True

    def _failed(
        self, reader: _Reader, kept: list[tuple[int, dict[str, Any]]], end: int, failure: int, result: dict[str, Any]
    ) -> None:
        mapping, progress = reader.mapping, reader.progress
        settings, left = mapping.settings, kept[failure:]
        bisect = bool(settings.get("BisectBatchOnFunctionError"))
        parts = len(progress.ends)
        here = progress.failed([position for position, _ in kept], end, failure, bisect=bisect)
        self._advance(reader, here)
        if reason := self._discard_reason(settings, progress.tries, left[0][1]):
            emulator.event_sources.discard_stream_records(mapping, [each for _, each in left], result, reason)
            self._advance(reader, end)
            progress.succeeded(end)
        elif failure == 0 and len(progress.ends) <= max(parts, 1):
            self._pause(reader, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (min(progress.tries, 9) - 1)))

    def _pause(self, reader: _Reader, aws_seconds: float) -> None:
        reader.not_before = time.monotonic() + max(LEAST_PAUSE, self._clock.real(aws_seconds))

    def _discard_reason(self, settings: dict[str, Any], tries: int, oldest: dict[str, Any]) -> str | None:
        """AWS's reason why a batch is not retried; None while it is. Without limits it is retried forever."""
        most, longest = settings.get("MaximumRetryAttempts", -1), settings.get("MaximumRecordAgeInSeconds", -1)
        if most >= 0 and tries > most:
            return "RetryAttemptsExhausted"
        if longest >= 0 and self._age(oldest) > longest:
            return "MaxRecordAgeExceeded"
        return None

    def _age(self, record: dict[str, Any]) -> float:
        """AWS seconds since a record was written."""
        return self._elapsed(float(record["dynamodb"]["ApproximateCreationDateTime"]))

    def _elapsed(self, written: float) -> float:
        """AWS seconds since a Unix time."""
        return self._clock.elapsed(time.time() - written)

    def _gathers(self, reader: _Reader, records: int, size: int) -> bool:
        """Whether the batch waits for more records until the end of the mapping's batching window.

        It begins when the first record is read [LAMBDA-13]. A record's own time is too coarse, in whole seconds.
        """
        window = float(reader.mapping.settings.get("MaximumBatchingWindowInSeconds") or 0)
        now = time.monotonic()
        since = reader.gathering_since = reader.gathering_since or now
        ends = since + self._clock.real(window)
        if records >= size or ends <= now or reader.progress.ends:
            reader.gathering_since = None
            return False
        reader.not_before = ends
        return True
