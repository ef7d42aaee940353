"""Environment variables of the function: `cluster_arn` is read from CLUSTER_ARN, and so on."""

from typing import Literal

from pydantic import Field

from common.control.settings import ControlSettings


class Settings(ControlSettings):
    cluster_arn: str = Field(
        pattern=r"^arn:[^:]+:rds:[^:]+:\d+:cluster:.+$"
    )  # of the own region's member of the global cluster
    database_secret: str = Field(min_length=1)  # name or ARN, in the own region
    database_name: str = Field(min_length=1)
    database_engine: Literal["aurora-postgresql", "aurora-mysql"]
    event_bus: str = Field(min_length=1)  # name, the same in both regions
    event_endpoint_parameter: str | None = None  # holds the global endpoint's id; None: there is no endpoint
    poison_queue_url: str = Field(min_length=1)
    backlog_table: str = Field(min_length=1)
    peer_backlog_table: str = Field(min_length=1)
    audit_segments: int = Field(default=4, ge=1, le=64)  # scanned in parallel
    audit_grace_seconds: float = Field(default=300.0, ge=0)  # a younger payment that one side lacks is pending
    clock_speed: float = Field(default=1.0, gt=0)  # AWS seconds per real second; other than 1 only in rehearsals
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)
