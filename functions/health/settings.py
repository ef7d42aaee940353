"""Environment variables of the function: `service_version` is read from SERVICE_VERSION, and so on."""

from pydantic import Field

from common.control.settings import ControlSettings


class Settings(ControlSettings):
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)
