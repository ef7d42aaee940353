"""How long an expectation took to come true."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """What became of an `Await`. Seconds on this machine."""

    name: str
    limit: float
    seconds: float
    met: bool
    evidence: str
    at: float = 0.0  # since the run started
