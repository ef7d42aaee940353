"""Environment variables of the functions: `cluster_arn` is read from CLUSTER_ARN, and so on."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from common.control.settings import ControlSettings


class DatabaseSettings(ControlSettings):
    """Settings of both functions: the ledger table, clock, version and metrics."""

    cluster_arn: str = Field(
        pattern=r"^arn:[^:]+:rds:[^:]+:\d+:cluster:.+$"
    )  # of the own region's member of the global cluster
    database_secret: str = Field(min_length=1)  # name or ARN, in the own region
    database_name: str = Field(min_length=1)
    database_engine: Literal["aurora-postgresql", "aurora-mysql"]
    clock_speed: float = Field(default=1.0, gt=0)  # AWS seconds per real second; other than 1 only in rehearsals
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)


class Settings(DatabaseSettings):
    """Of the function `ledger`."""

    announcer_function: str = Field(min_length=1)  # the own region's
    poison_queue_url: str = Field(min_length=1)
    backlog_table: str = Field(min_length=1)
    peer_backlog_table: str = Field(min_length=1)
    audit_segments: int = Field(default=4, ge=1, le=64)  # scanned in parallel
    audit_grace_seconds: float = Field(default=300.0, ge=0)  # a younger payment that one side lacks is pending


class AnnouncerSettings(DatabaseSettings):
    """Of the function `announcer`. Durations are AWS seconds."""

    event_bus: str = Field(min_length=1)  # name, the same in both regions
    event_endpoint_parameter: str | None = None  # holds the global endpoint's id; None: there is no endpoint
    # Rows up to the first age are announced with their batch, rows from the second one on by a sweep. In between, a
    # batch that has read its rows publishes and marks them.
    announce_young_seconds: float = Field(default=20.0, gt=0)
    announce_settled_seconds: float = Field(default=30.0, gt=0)

    @field_validator("announce_settled_seconds")
    @classmethod
    def _leaves_time_to_publish(cls, settled: float, info: ValidationInfo) -> float:
        if settled <= info.data.get("announce_young_seconds", 0):
            raise ValueError("must be more than announce_young_seconds, or both would announce the same rows")
        return settled
