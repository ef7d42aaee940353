"""The record of the load: what every client sent, and the answer it got."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """The outcome of one attempt, as its client saw it."""

    OK = "ok"  # acknowledged: 200, 201 or 202 with the payment's own id
    ERROR = "error"  # the server failed or was overloaded (5xx, 429)
    RESET = "reset"  # no connection, or one that broke
    UNTRUSTED = "untrusted"  # a server whose certificate is not of the service
    TIMEOUT = "timeout"  # no answer in time: the payment may or may not have been accepted
    REJECTED = "rejected"  # the request itself was refused (4xx): sending it again cannot help
    WRONG = "wrong"  # an acknowledgement that is not one: no JSON, or another payment's id

    @property
    def retried(self) -> bool:
        return self not in (Outcome.OK, Outcome.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One HTTP request. Times are seconds since the run started."""

    intent: int
    sent: float
    seconds: float
    outcome: Outcome
    status: int | None = None
    region: str | None = None  # that answered, in its own words
    is_retry: bool = False  # of a payment that was sent before
    reason: str = ""  # what the connection failed with

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def ended(self) -> float:
        return self.sent + self.seconds


@dataclass(slots=True, kw_only=True)
class Intent:
    """A client's wish to pay once: however often it is sent, it is one payment with one id and one content."""

    number: int
    reference: str
    payment_id: str
    body: dict[str, Any]
    offered: float  # seconds since the run started
    attempts: int = 0
    acknowledged: float | None = None
    durability: str | None = None
    given_up: str | None = None  # why the client stopped asking


@dataclass(slots=True)
class Record:
    """Everything the load did, in the order in which it ended."""

    intents: list[Intent] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    shed: int = 0  # arrivals not sent, since too many requests were already under way
    latest: float = 0.0  # seconds by which an arrival left later than its schedule, at worst
    skipped: float = 0.0  # seconds of the schedule left out, since the generator itself was held up for longer

    @property
    def acknowledged(self) -> list[Intent]:
        return [intent for intent in self.intents if intent.acknowledged is not None]

    @property
    def given_up(self) -> list[Intent]:
        return [intent for intent in self.intents if intent.given_up is not None]

    def recent(self, now: float, window: float) -> "Recent":
        """The responses of the last `window` seconds."""
        ok = failed = retries = 0
        by_region: dict[str, int] = {}
        for attempt in reversed(self.attempts):
            if attempt.ended < now - window:
                break
            retries += attempt.is_retry
            if attempt.ok:
                ok += 1
                by_region[attempt.region or "unknown"] = by_region.get(attempt.region or "unknown", 0) + 1
            else:
                failed += 1
        return Recent(
            ok=ok / window,
            failed=failed / window,
            retries=retries / window,
            by_region={region: count / window for region, count in by_region.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Answers a second, lately."""

    ok: float = 0.0  # goodput: each acknowledges a payment
    failed: float = 0.0
    retries: float = 0.0  # among both
    by_region: dict[str, float] = field(default_factory=dict)
