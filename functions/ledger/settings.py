"""The environment variables of the function; `cluster_arn` is read from CLUSTER_ARN, and so on."""

from typing import Literal

from pydantic import Field

from common.control.settings import ControlSettings


class Settings(ControlSettings):
    cluster_arn: str = Field(pattern=r"^arn:[^:]+:rds:[^:]+:\d+:cluster:.+$")  # the own region's member
    database_secret: str = Field(min_length=1)  # name or ARN, in the own region
    database_name: str = Field(min_length=1)
    database_engine: Literal["aurora-postgresql", "aurora-mysql"]
    event_bus: str = Field(min_length=1)  # has the same name in both regions
    event_endpoint_parameter: str | None = None  # the parameter that holds the event endpoint's id, if there is one
    poison_queue_url: str = Field(min_length=1)
    replay_segments: int = Field(default=4, ge=1, le=64)  # parts of the journal that are walked at the same time
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)
