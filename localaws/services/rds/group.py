"""The Aurora clusters that share data: the members of one global cluster, or a standalone cluster.

One thread per group brings its members into the state that follows from RDS and the outages, in the order of the
changes. A switchover stops the writer in order and promotes the standby once it has everything; a failover promotes
what has arrived and rebuilds the old writer when its region is back, as Aurora does [AURORA-18].
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg2

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import OutageKind, Outages
from localaws.emulator.aurora import AuroraCluster
from localaws.services.rds import replication_status
from localaws.services.rds.member import Member
from localaws.services.rds.postgres.host import PostgresHost
from localaws.services.rds.postgres.lag import Lag, measure_lag
from localaws.services.rds.postgres.relay import RelayLoop


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The duration of a change of writer in AWS seconds, from the call until the new writer accepts writes.

    AWS documents about a minute for a failover and no figure for a switchover.
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
        """The status RDS shows meanwhile, for the global cluster and for both members."""
        return "failing-over" if self.data_loss else "switching-over"


DRAIN_SECONDS = 30.0  # on this machine, besides the lag of the link

log = logging.getLogger(__name__)


class Group:
    """Members by cluster ARN. `changed` is called after a switch, so that the desired state is read again."""

    def __init__(
        self,
        host: PostgresHost,
        relays: RelayLoop,
        outages: Outages,
        clock: Clock,
        timing: Timing,
        changed: Callable[[], None],
    ) -> None:
        self.members: dict[str, Member] = {}
        self.switch: Switch | None = None
        self._host = host
        self._relays = relays
        self._outages = outages
        self._clock = clock
        self._timing = timing
        self._changed = changed
        self._wanted: list[AuroraCluster] = []
        self._down: set[str] = set()
        self._lag = 0.0  # AWS seconds
        self._closing = threading.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aurora-group")

    def want(self, clusters: list[AuroraCluster]) -> None:
        """Bring the members into this state, in the background. Others are stopped and their data deleted."""
        for cluster in clusters:
            if cluster.arn not in self.members:
                member = Member(cluster, self._host, self._relays)
                member.link.set_lag(self._clock.real(self._lag))
                self.members[cluster.arn] = member
        self._wanted = clusters
        self._do(self._apply)

    def region_changed(self, region: str) -> None:
        """A region was lost or is back: cut its links at once, then bring the members into the right state."""
        outage = self._outages.outage(region)
        for member in list(self.members.values()):
            if outage and member.cluster.region == region:
                member.isolate(outage.kind)
            elif outage:
                member.link.cut()
        self._do(self._apply)

    def is_down(self, region: str) -> bool:
        """Whether the member of a region is down although its region is not."""
        return region in self._down

    def set_down(self, region: str, down: bool) -> None:
        """Make the member of a region unavailable, and nothing else there, or bring it back."""
        if down:
            self._down.add(region)
            for member in list(self.members.values()):
                if member.cluster.region == region:
                    member.isolate()
                else:
                    member.link.cut()
        else:
            self._down.discard(region)
        self._do(self._apply)

    def links_changed(self) -> None:
        """Regions were partitioned or joined: what is under way on a link that was cut never arrives."""
        for member in list(self.members.values()):
            if self._is_cut_off(member.cluster):
                member.link.cut()
        self._do(self._apply)

    def _is_cut_off(self, cluster: AuroraCluster) -> bool:
        writer = self._writer_for(cluster)
        return writer is not None and self._outages.is_cut(writer.cluster.region, cluster.region)

    def begin(self, switch: Switch) -> None:
        """Start a change of writer. With data loss allowed, what has not arrived by now is lost."""
        self.switch = switch
        self._fence(switch)
        self._do(lambda: (self._fail_over if switch.data_loss else self._switch_over)(switch))

    def set_lag(self, aws_seconds: float) -> None:
        """Deliver WAL `aws_seconds` after it was sent, at every member."""
        self._lag = aws_seconds
        self.pace_lag()

    def pace_lag(self) -> None:
        """Convert the lag into seconds of this machine again: the speed has changed."""
        for member in list(self.members.values()):
            member.link.set_lag(self._clock.real(self._lag))

    def lag(self, standby: Member) -> Lag | None:
        """Measured by SQL; None for a writer, or when one of the two does not answer."""
        writer = self._writer_for(standby.cluster)
        if writer is None or writer is standby or not (writer.writes and standby.answers):
            return None
        try:
            return measure_lag(writer.instance, standby.instance)
        except psycopg2.OperationalError:
            return None  # lost between the two queries

    def refresh_status(self, writer: Member) -> None:
        """Measure the global database that `writer` belongs to, for `aurora_global_db_status()`.

        Raises psycopg2.OperationalError or FileNotFoundError if the writer is lost meanwhile.
        """
        name = writer.cluster.global_cluster
        replication_status.refresh(
            writer, [member for member in list(self.members.values()) if member.cluster.global_cluster == name]
        )

    def close(self) -> None:
        """Stop all servers. A switch under way is abandoned."""
        self._closing.set()
        self._wanted = []
        for member in list(self.members.values()):
            member.isolate()
        self._do(self._apply)
        self._worker.shutdown()

    def settled(self) -> Future[None]:
        """Done once all work submitted so far is done."""
        return self._worker.submit(lambda: None)

    def _do(self, work: Callable[[], None]) -> Future[None]:
        future = self._worker.submit(work)
        future.add_done_callback(_report)
        return future

    def _apply(self) -> None:
        wanted = {cluster.arn: cluster for cluster in self._wanted}
        for arn in self.members.keys() - wanted.keys():
            self.members.pop(arn).remove()
        for cluster in sorted(wanted.values(), key=lambda one: not one.is_writer):
            member = self.members[cluster.arn]
            member.cluster = cluster
            try:
                self._bring(member)
            except Exception as problem:
                member.problem = f"{type(problem).__name__}: {problem}"
                raise

    def _bring(self, member: Member) -> None:
        if outage := self._outages.outage(member.cluster.region):
            member.lose(outage.kind)
        elif self.is_down(member.cluster.region):
            member.lose(OutageKind.RESET)
        elif member.cluster.is_writer:
            member.write()
        else:
            writer = None if self._is_cut_off(member.cluster) else self._writer_for(member.cluster)
            member.read(writer)

    def _writer_for(self, cluster: AuroraCluster) -> Member | None:
        for member in list(self.members.values()):
            if member.cluster.is_writer and member.cluster.global_cluster == cluster.global_cluster:
                return member
        return None

    def _fail_over(self, switch: Switch) -> None:
        source, target = self.members[switch.source], self.members[switch.target]
        try:
            self._fence(switch)  # again: the worker may have opened a link meanwhile
            source.instance.kill()  # whatever it would still accept would be lost
            self._wait(self._timing.failover_seconds)
            if self._may_promote(target):
                target.promote()
                emulator.aurora.set_global_writer(switch.global_cluster, switch.target)
        finally:
            self.switch = None
            self._changed()

    def _switch_over(self, switch: Switch) -> None:
        source, target = self.members[switch.source], self.members[switch.target]
        try:
            self._fence(switch)
            # Again: a change that was under way may have found no writer to follow, and cut the link.
            complete = self._are_connected(source, target) and target.follow(source)
            if complete:
                source.retire(DRAIN_SECONDS + target.link.lag)
                complete = target.instance.received() > source.instance.last_checkpoint()
            self._wait(self._timing.switchover_seconds)
            if not complete:
                log.warning("event=switchover_abandoned %s has not received everything", switch.target)
            elif self._may_promote(target) and not self._outages.is_lost(source.cluster.region):
                target.promote()
                source.instance.follow()
                emulator.aurora.set_global_writer(switch.global_cluster, switch.target)
        finally:
            self.switch = None
            self._changed()

    def _fence(self, switch: Switch) -> None:
        source, target = self.members[switch.source], self.members[switch.target]
        source.answers = source.writes = False
        if not self._outages.is_lost(source.cluster.region):
            source.front.cut()
        if switch.data_loss:
            target.link.cut()

    def _are_connected(self, source: Member, target: Member) -> bool:
        regions = (source.cluster.region, target.cluster.region)
        apart = any(self._outages.is_lost(each) or self.is_down(each) for each in regions)
        return not (apart or self._outages.is_cut(*regions))

    def _may_promote(self, target: Member) -> bool:
        region = target.cluster.region
        return not (self._closing.is_set() or self._outages.is_lost(region) or self.is_down(region))

    def _wait(self, aws_seconds: float) -> None:
        self._closing.wait(self._clock.real(aws_seconds))


def _report(done: Future[None]) -> None:
    if problem := done.exception():
        log.error("event=database_change_failed", exc_info=problem)
