"""The control record of a region: the item of the global table that says whether the region may serve.

`state` is a role and moves; it says nothing about the place. This module reads; the failover writes.
"""

from enum import StrEnum
from typing import Any

from .replica import Replica


class RegionState(StrEnum):
    ABSENT = "absent"  # nobody has written a record yet
    ACTIVE = "active"
    FENCED = "fenced"
    UNKNOWN = "unknown"  # a record without a state that we know


def control_key(region: str) -> str:
    """The key of a region's control record."""
    return f"region#{region}"


def read_state(replica: Replica, region: str) -> RegionState:
    """What `replica` knows of `region`. Raises ReplicaUnavailable."""
    item = replica.read(control_key(region))
    if item is None:
        return RegionState.ABSENT
    value: Any = item.get("state", {}).get("S")
    return RegionState(value) if value in (RegionState.ACTIVE, RegionState.FENCED) else RegionState.UNKNOWN
