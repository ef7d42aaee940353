"""Environment variables of functions that use the journal, and of those that evaluate the control rules."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from ..environment import Environment
from .records import Regions
from .rules import Times

_WORK_MS = 200  # of a response, besides the time waited for others


class JournalSettings(Environment):
    """The journal's two replicas, and the timeouts of their clients. Units are part of the names."""

    region: str = Field(validation_alias="AWS_REGION", min_length=1)  # set by Lambda
    place: Literal["primary", "secondary"]
    peer_region: str = Field(min_length=1)
    journal_table: str = Field(min_length=1)
    local_timeout_ms: int = Field(default=1000, ge=50, le=10_000)
    peer_timeout_ms: int = Field(default=500, ge=50, le=10_000)
    peer_failures_to_open: int = Field(default=3, ge=1)
    peer_trial_seconds: float = Field(default=2.0, gt=0, le=60)

    @field_validator("peer_region")
    @classmethod
    def _is_the_other_region(cls, peer: str, info: ValidationInfo) -> str:
        if peer == info.data.get("region"):
            raise ValueError("must name the other region, not the function's own")
        return peer


class ControlSettings(JournalSettings):
    """The witness and the times of the control rules; the control records are items of the journal."""

    witness_name: str = ""  # DNS name of the own region's witness; empty: none, it never confirms
    witness_resolver: str | None = Field(default=None, pattern=r"^[^:]+:\d+$")  # address:port; by default the system's
    witness_timeout_ms: int = Field(default=500, ge=50, le=10_000)
    control_lease_seconds: float = Field(default=15.0, gt=0, le=120)
    control_fenced_lease_seconds: float = Field(default=300.0, gt=0, le=3600)
    control_away_seconds: float = Field(default=30.0, gt=0, le=600)
    control_grace_seconds: float = Field(default=30.0, ge=0, le=600)
    control_decision_seconds: float = Field(default=2.0, gt=0, le=30)
    control_statement_seconds: float = Field(default=3.0, gt=0, le=30)
    control_witness_ttl_seconds: float = Field(default=10.0, gt=0, le=120)

    @property
    def regions(self) -> Regions:
        """The regions from this function's side; the primary place has the first writer."""
        first = self.region if self.place == "primary" else self.peer_region
        return Regions(own=self.region, peer=self.peer_region, first_writer=first)

    @property
    def answer_seconds(self) -> float:
        """Real seconds within which a cell with an unreachable peer answers a request, at any clock speed."""
        return (self.peer_timeout_ms + _WORK_MS) / 1000

    @property
    def times(self) -> Times:
        """The durations of the control rules."""
        return Times(
            lease=self.control_lease_seconds,
            fenced_lease=self.control_fenced_lease_seconds,
            away=self.control_away_seconds,
            grace=self.control_grace_seconds,
            decision=self.control_decision_seconds,
            statement=self.control_statement_seconds,
            witness_ttl=self.control_witness_ttl_seconds,
        )
