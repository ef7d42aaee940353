"""Return of a fenced region to service, once it has been well for a while and the writer role is elsewhere.

Without it the region could not take over, and the loss of the other one would leave no survivor. Only fences that a
sentinel's failover set are lifted: a region that an operator left by hand returns by hand.
"""

from common.control.records import ControlRecords, RegionState
from common.control.rules import View
from common.health_endpoints import FENCED

SENTINEL_RUNS = "failover-"
"""The prefix of the executions that a sentinel starts; a control record holds the name of the one that changed it."""


def can_return(view: View, peer_health: dict[str, str]) -> bool:
    """Whether the fenced peer may return: this region has the writer role, every endpoint of the peer reports the fence
    (so its functions and its journal work), and its replica holds the newest records. `peer_health`: by endpoint."""
    known = view.records
    if known is None or view.peer is None or known.own.state is RegionState.FENCED:
        return False
    fenced = known.peer.state is RegionState.FENCED and known.peer.by.startswith(SENTINEL_RUNS)
    well = bool(peer_health) and set(peer_health.values()) == {FENCED}
    return fenced and well and known.writer.region == view.region and _epochs(view.peer) == _epochs(known)


def _epochs(records: ControlRecords) -> tuple[int, int, int]:
    return records.own.epoch, records.peer.epoch, records.writer.epoch


class ReturnTimer:
    """Measures for how long the peer could return, from one round of probes to the next. Times are AWS seconds.

    `wait`: after which it is returned; 0: never. `gap`: between two rounds, after which the measurement starts again.
    """

    def __init__(self, *, wait: float, gap: float) -> None:
        self._wait = wait
        self._gap = gap
        self._since: float | None = None
        self._last = 0.0

    def is_due(self, at: float, *, ready: bool) -> bool:
        """Whether to return the peer now; True once per wait, so that an execution that fails is repeated."""
        if not ready or self._since is None or at - self._last > self._gap:
            self._since = at if ready else None
        self._last = at
        if self._since is None or not self._wait or at - self._since < self._wait:
            return False
        self._since = at
        return True
