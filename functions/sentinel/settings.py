"""Environment variables of the function: `peer_region` is read from PEER_REGION, and so on.

Durations are AWS seconds, except those of `ControlSettings`. With the defaults a region that stops answering is
detected after at most `probe_interval_seconds * failures + probe_timeout_seconds` = 22 s, and 15 s later if the next
invocation runs in a new sandbox. Route 53's checkers need 30 s (3 probes, 10 s apart) and resolvers may cache their
"up" for 10 s, so the witness agrees after 30 to 40 s; until then it is queried every `eager_interval_seconds`. A
hanging endpoint fails a check after up to 6 s, and its state has to reach the name servers: 45 to 55 s in all [R53-13].
The schedule leaves no gap longer than `probe_interval_seconds` if the function's timeout is above `run_seconds` + 15.
"""

from typing import Self

from pydantic import Field, model_validator

from common.control.settings import ControlSettings


class Settings(ControlSettings):
    peer_witness_name: str = Field(min_length=1)  # DNS name of the peer's witness
    endpoints_prefix: str = Field(pattern=r"^/.+[^/]$")  # of the parameters with each region's endpoint URLs
    failover_arn: str = Field(min_length=1)  # this region's state machines
    failback_arn: str = Field(min_length=1)
    probe_interval_seconds: float = Field(default=5.0, gt=0, le=30)
    eager_interval_seconds: float = Field(default=2.0, gt=0, le=30)
    probe_timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    probes: int = Field(default=5, ge=1, le=20)  # M: rounds in the window
    failures: int = Field(default=4, ge=1, le=20)  # N: failed rounds that are needed
    run_seconds: float = Field(default=55.0, gt=0, le=840)  # ends before the next minute's invocation
    cool_down_seconds: float = Field(default=300.0, ge=0)  # after a failover or failback, before the next failover
    overload_seconds: float = Field(default=600.0, ge=0)  # of overload, after which the peer counts as lost
    retry_seconds: float = Field(default=60.0, ge=0)  # after the first failed execution; doubles with each further one
    retry_max_seconds: float = Field(default=900.0, ge=0)  # the longest of these pauses
    return_seconds: float = Field(default=600.0, ge=0)  # that a fenced region is well before it returns; 0: never
    api_timeout_seconds: float = Field(default=2.0, gt=0, le=30)  # of calls to AWS in the own region
    clock_speed: float = Field(default=1.0, gt=0)  # AWS seconds per real second; other than 1 only in rehearsals
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)

    @property
    def probe_deadline(self) -> float:
        """Real seconds after which an endpoint counts as unreachable."""
        return max(self.probe_timeout_seconds / self.clock_speed, self.answer_seconds)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.failures > self.probes:
            raise ValueError("FAILURES cannot be more than PROBES")
        if self.probe_timeout_seconds > self.probe_interval_seconds:
            raise ValueError("PROBE_TIMEOUT_SECONDS cannot be longer than PROBE_INTERVAL_SECONDS")
        if self.retry_seconds > self.retry_max_seconds:
            raise ValueError("RETRY_SECONDS cannot be longer than RETRY_MAX_SECONDS")
        return self
