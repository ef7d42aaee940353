"""Environment variables of the function (`peer_region` is read from PEER_REGION, and so on), and the scope: parameters
below `prefix` are synchronized, except those below `private_prefix`, which each region has for itself.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from common.environment import Environment


class Settings(Environment):
    """Settings of the function in one region."""

    region: str = Field(validation_alias="AWS_REGION", min_length=1)  # set by Lambda
    place: Literal["primary", "secondary"]
    peer_region: str = Field(min_length=1)
    prefix: str = Field(pattern=r"^/.+[^/]$")
    private_prefix: str = Field(pattern=r"^/.+[^/]$")
    key_alias: str = Field(pattern=r"^alias/.+")  # each region has its own key with this alias
    copier_roles: str = Field(min_length=1)  # this function's roles in both regions, comma-separated: its own writes
    queue_url: str = Field(min_length=1)
    dead_letter_url: str = Field(min_length=1)
    deletions_parameter: str = Field(pattern=r"^/.+")  # counts deletions in its region
    peer_deletions_parameter: str = Field(pattern=r"^/.+")
    attempts: int = Field(default=5, ge=1)  # of one message; below the queue's own limit, which is for crashes
    retry_seconds: int = Field(default=30, ge=0, le=900)  # before the second attempt; doubled for each further one
    settling_seconds: int = Field(default=30, ge=0, le=900)  # see `Synchronizer`
    reconcile_minutes: int = Field(default=15, ge=1, le=1440)  # between two reconciliations by this region
    turns: int = Field(default=96, ge=1)  # reconciliations in which each parameter's tags and labels are compared once
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)

    @field_validator("peer_region")
    @classmethod
    def _is_the_other_region(cls, peer: str, info: ValidationInfo) -> str:
        if peer == info.data.get("region"):
            raise ValueError("must name the other region, not the function's own")
        return peer

    @field_validator("deletions_parameter", "peer_deletions_parameter")
    @classmethod
    def _is_not_synchronized(cls, record: str, info: ValidationInfo) -> str:
        if record.startswith(f"{info.data.get('prefix')}/"):
            raise ValueError("must not lie below PREFIX, whose changes are events for the function")
        return record

    @field_validator("private_prefix")
    @classmethod
    def _is_inside(cls, private: str, info: ValidationInfo) -> str:
        if not private.startswith(f"{info.data.get('prefix')}/"):
            raise ValueError("must lie below PREFIX")
        return private

    @property
    def peer_place(self) -> str:
        """The peer region's place."""
        return "secondary" if self.place == "primary" else "primary"

    def is_sync_role(self, arn: str) -> bool:
        """Whether `arn` is a session of one of this function's roles:
        `arn:aws:sts::<account>:assumed-role/<role>/<session>`."""
        return any(f":assumed-role/{role}/" in arn for role in self.copier_roles.split(","))


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The scope of the synchronization. Paths without a trailing slash."""

    prefix: str
    private: str  # below `prefix`: a region's own parameters, never copied

    def objection(self, name: str) -> str | None:
        """The reason that the parameter `name` is out of scope; None if it is in scope."""
        if not name.startswith(f"{self.prefix}/"):
            return f"it is not below {self.prefix}/"
        if name.startswith(f"{self.private}/"):
            return f"it is below {self.private}/, which each region has for itself"
        return None
