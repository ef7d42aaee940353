"""A change of writer in a global cluster, and how long it takes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long a change of writer takes in AWS seconds, from the call until the new writer takes writes.

    AWS names about a minute for a failover and no figure for a switchover.
    """

    failover_seconds: float = 60.0
    switchover_seconds: float = 30.0


@dataclass(frozen=True)
class Switch:
    """A change of writer under way. `source` and `target` are cluster ARNs."""

    global_cluster: str
    source: str
    target: str
    data_loss: bool

    @property
    def status(self) -> str:
        """The word RDS shows meanwhile, for the global cluster and for both members."""
        return "failing-over" if self.data_loss else "switching-over"
