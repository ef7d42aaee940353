"""What a function's answer to a batch of stream records means for the mapping: go on, go back, divide, or give up.

Sources: [LAMBDA-11] (what counts as a failure of which record), [LAMBDA-12] (limits, destination), API
Lambda.CreateEventSourceMapping (bisecting does not count as a try).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
