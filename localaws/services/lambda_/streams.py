"""Event source mappings of DynamoDB streams: each region's functions read their own region's stream, in order.

ministack has them too, but goes on after a reported failure as if all had succeeded, and never divides a batch. A lost
region's mappings stop where they are and go on there after the heal.
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
from localaws.core.outages import Gate
from localaws.emulator.event_sources import StreamMapping

# What a function's answer to a batch of stream records means for the mapping: go on, go back, divide, or give up.
#
# Sources: [LAMBDA-11] (what counts as a failure of which record), [LAMBDA-12] (limits, destination), API
# Lambda.CreateEventSourceMapping (bisecting does not count as a try).


REPORT = "ReportBatchItemFailures"


def first_failure(result: dict[str, Any], numbers: Sequence[str], *, reports: bool) -> int | None:
    """Which record of a batch (its sequence `numbers`) is the first that failed; None if all succeeded."""
    if result.get("error"):
        return 0
    answer = _read(result.get("body"))
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not reports or not failures:
        return None
    try:
        return min(numbers.index(each["itemIdentifier"]) for each in failures)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0  # what cannot be understood counts as a failure of all


def _read(body: Any) -> Any:
    if not isinstance(body, str | bytes):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None


@dataclass
class Progress:
    """How far a mapping's current batch has come. Positions are those of records in the stream."""

    tries: int = 0  # that failed without any progress
    ends: list[int] = field(default_factory=list)  # where the parts of a divided batch end, the current one last

    def succeeded(self, position: int) -> None:
        """Everything before `position` is done."""
        self.tries = 0
        while self.ends and self.ends[-1] <= position:
            self.ends.pop()

    def failed(self, positions: Sequence[int], end: int, failure: int, *, bisect: bool) -> int:
        """Where to go on after a failure of the record `positions[failure]`, in a batch that ended before `end`."""
        if not self.ends:
            self.ends.append(end)
        if failure:
            self.tries = 1
        elif bisect and len(positions) > 1:
            self.ends.append(positions[len(positions) // 2])
        else:
            self.tries += 1
        return positions[failure]


# AWS seconds between two tries of a batch. AWS documents that they grow, and no figure.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
LEAST_PAUSE = 0.2  # of this machine: a try costs it as much at any speed
LOOK = 0.5  # seconds of this machine between two looks when nobody writes

logger = logging.getLogger(__name__)


@dataclass
class _Reader:
    """One mapping at work. Only one thread at a time reads for it."""

    mapping: StreamMapping
    progress: Progress = field(default_factory=Progress)
    busy: bool = False
    not_before: float = 0.0  # monotonic
    gathering_since: float | None = None  # monotonic: when the first record of the batch was seen


class StreamMappings:
    """Reads from `start` to `stop`, in threads of its own."""

    def __init__(self, clock: Clock, gate: Gate) -> None:
        self._clock = clock
        self._gate = gate
        self._readers: dict[str, _Reader] = {}
        self._changed = threading.Condition()
        self._news = False
        self._quiet_until = 0.0  # monotonic: until then a new record changes nothing, as every mapping gathers or runs
        self._ended = False

    def install(self) -> None:
        emulator.event_sources.take_over_streams(self._written)
        self._gate.on_change(lambda _region, _outage: self._wake())

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
            self._news = True
            self._changed.notify_all()

    def _run(self) -> None:
        while not self._ended:
            pause = self._look()
            with self._changed:
                self._changed.wait_for(lambda: self._news, timeout=pause)
                self._news = False

    def _look(self) -> float:
        """Set every mapping to work that may; returns how long nothing else can be due."""
        mappings = {mapping.id: mapping for mapping in emulator.event_sources.stream_mappings()}
        for gone in self._readers.keys() - mappings.keys():
            del self._readers[gone]
        self._quiet_until = 0.0  # a record that arrives from here on is news
        now, pause, idle = time.monotonic(), LOOK, False
        for key, mapping in mappings.items():
            reader = self._readers.setdefault(key, _Reader(mapping))
            if reader.busy or not self._may_run(mapping):
                continue
            if reader.not_before > now:
                pause = min(pause, reader.not_before - now)
            elif emulator.event_sources.stream_records(mapping, 1)[1]:
                reader.busy = True
                threading.Thread(target=self._read, args=(reader,), name="stream", daemon=True).start()
            else:
                idle = True
        if not idle:
            self._quiet_until = now + pause
        return pause

    def _may_run(self, mapping: StreamMapping) -> bool:
        return mapping.settings.get("Enabled", True) and not self._gate.is_lost(mapping.region) and not self._ended

    def _read(self, reader: _Reader) -> None:
        """Batch after batch, until there is none or the mapping has to pause."""
        try:
            while self._may_run(reader.mapping) and reader.not_before <= time.monotonic():
                if not self._batch(reader):
                    break
        except Exception:
            logger.exception("the mapping %s stopped; it is tried again", reader.mapping.id)
            reader.not_before = time.monotonic() + 1.0
        finally:
            reader.busy = False
            self._wake()

    def _batch(self, reader: _Reader) -> bool:
        """Try the next batch; whether there was one to try."""
        mapping, progress = reader.mapping, reader.progress
        # Lambda's default for streams [LAMBDA-13]; ministack notes that of queues when none is given.
        size = int(mapping.settings.get("BatchSize") or 100)
        start, records = emulator.event_sources.stream_records(mapping, size)
        if progress.ends:
            records = records[: max(1, progress.ends[-1] - start)]
        if not records or self._gathers(reader, records, size):
            return False
        end = start + len(records)
        kept = [
            (start + at, each)
            for at, each in enumerate(records)
            if emulator.event_sources.passes_filters(mapping, each)
        ]
        failure, result = None, {}
        if kept:
            result = emulator.event_sources.run_stream_function(mapping, [each for _, each in kept])
            if self._gate.is_lost(mapping.region):
                return False  # whatever it did: nobody heard of it
            numbers = [each["dynamodb"]["SequenceNumber"] for _, each in kept]
            reports = REPORT in (mapping.settings.get("FunctionResponseTypes") or [])
            failure = first_failure(result, numbers, reports=reports)
        if failure is None:
            emulator.event_sources.advance_stream(mapping, end)
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
        emulator.event_sources.advance_stream(mapping, here)
        if why := self._given_up(settings, progress.tries, left[0][1]):
            emulator.event_sources.discard_stream_records(mapping, [each for _, each in left], result, why)
            emulator.event_sources.advance_stream(mapping, end)
            progress.succeeded(end)
        elif failure == 0 and len(progress.ends) <= max(parts, 1):
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (min(progress.tries, 9) - 1))
            reader.not_before = time.monotonic() + max(LEAST_PAUSE, self._clock.real(pause))

    def _given_up(self, settings: dict[str, Any], tries: int, oldest: dict[str, Any]) -> str | None:
        """Why a batch is tried no more, if so: AWS's word for it. Without limits it is tried as long as it takes."""
        most, longest = settings.get("MaximumRetryAttempts", -1), settings.get("MaximumRecordAgeInSeconds", -1)
        if most >= 0 and tries > most:
            return "RetryAttemptsExhausted"
        if longest >= 0 and self._age(oldest) > longest:
            return "MaxRecordAgeExceeded"
        return None

    def _age(self, record: dict[str, Any]) -> float:
        """AWS seconds since a record was written."""
        return self._clock.elapsed(time.time() - float(record["dynamodb"]["ApproximateCreationDateTime"]))

    def _gathers(self, reader: _Reader, records: list[dict[str, Any]], size: int) -> bool:
        """Whether the batch still waits for more records, for as long as the mapping's window says.

        The window begins when the first record is seen [LAMBDA-13]. A record's own time is of no use for that: it is in
        whole seconds.
        """
        window = float(reader.mapping.settings.get("MaximumBatchingWindowInSeconds") or 0)
        now = time.monotonic()
        since = reader.gathering_since = reader.gathering_since or now
        ends = since + self._clock.real(window)
        if len(records) >= size or ends <= now or reader.progress.ends:
            reader.gathering_since = None
            return False
        reader.not_before = ends
        return True
