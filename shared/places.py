"""Places, where resources are deployed. A place never changes; a failover moves roles (writer, active, ...)."""

from enum import StrEnum


class Place(StrEnum):
    """One of the two regional stacks."""

    PRIMARY = "primary"
    SECONDARY = "secondary"

    @property
    def other(self) -> "Place":
        return Place.SECONDARY if self is Place.PRIMARY else Place.PRIMARY


PROJECTS = {
    "primary": "dr-primary",
    "secondary": "dr-secondary",
    "global": "dr-global",
}
"""Stack folder to Pulumi project name, as in each `stacks/*/Pulumi.yaml` (a test holds that they agree)."""
