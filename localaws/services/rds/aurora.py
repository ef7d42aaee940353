"""Aurora PostgreSQL clusters as real PostgreSQL servers with streaming replication.

ministack serves RDS, and this follows its state after every call: a cluster gets a server, a member of a global cluster
streams from the writer, a switchover or failover moves the writer, a lost region takes its servers with it. What RDS
shows is corrected accordingly: nothing is available before PostgreSQL answers.

Aurora MySQL has its control plane only; its Data API returns an error.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from localaws import emulator
from localaws.core.clock import Clock
from localaws.core.outages import Outage, Outages
from localaws.core.reaper import Reaper
from localaws.emulator.aurora import AuroraCluster
from localaws.emulator.services import AwsRefusal
from localaws.services.rds.data_api import DataApi
from localaws.services.rds.group import Group, Switch, Timing
from localaws.services.rds.member import Member
from localaws.services.rds.postgres.host import PostgresHost
from localaws.services.rds.postgres.relay import RelayLoop
from localaws.services.rds.views import AuroraViews


class AuroraPairs:
    """Follows RDS from construction until `close`. Methods may be called from any thread."""

    def __init__(
        self,
        clock: Clock,
        outages: Outages,
        data_dir: Path,
        reaper: Reaper | None = None,
        timing: Timing | None = None,
    ) -> None:
        """Data goes below `data_dir`. Raises RuntimeError if PostgreSQL cannot run on this machine."""
        self._clock = clock
        self._outages = outages
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        self._open = True
        self._groups: list[Group] = []
        self._ending: list[threading.Thread] = []
        self._views = AuroraViews(lambda: list(self._groups))
        self._lags: dict[str, tuple[int, float] | None] = {}
        self._lag = 0.0  # of every new group, in AWS seconds
        self._measuring: Future[None] | None = None
        self._measurer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aurora-lag")
        self._host = PostgresHost(data_dir, reaper)
        self._relays = RelayLoop()
        self._hooks = ExitStack()
        views = self._views
        self._hooks.callback(emulator.aurora.add_to_rds_views(views.cluster, views.instance, views.global_cluster))
        self._hooks.callback(emulator.aurora.intercept_writer_switches(self._begin_switch))
        self._hooks.callback(emulator.aurora.on_rds_changes(self._follow))
        self._hooks.callback(DataApi(self._member, self._refresh_status).attach())
        outages.on_change(self._region_changed)
        outages.on_link_change(self._links_changed)
        clock.on_change(self._speed_changed)

    def close(self) -> None:
        """Stop every server and delete all data. RDS goes on without databases."""
        with self._lock:
            self._open = False
            groups, self._groups = self._groups, []
        self._hooks.close()
        self._measurer.shutdown(cancel_futures=True)
        for group in groups:
            group.close()
        for thread in self._ending:
            thread.join()
        self._relays.close()
        self._host.close()

    def status(self) -> list[dict[str, Any]]:
        """Each cluster's role, state, URL and lag, for the control API. Returns at once, with the lag last measured.

        A call starts a measurement, so that a regular caller gets the figure of the previous call. `lag_bytes` and
        `lag_seconds` (of AWS) are None for a writer and where there is nothing to measure.
        """
        if self._measuring is None or self._measuring.done():
            self._measuring = self._measurer.submit(self._measure)
        rows = self._views.status()
        for row in rows:
            row["lag_bytes"], row["lag_seconds"] = self._lags.get(row["cluster"]) or (None, None)
        return rows

    def lag(self, cluster: str) -> tuple[int, float] | None:
        """The lag of a standby (cluster ARN) in bytes and AWS seconds; None if it cannot be measured."""
        group, member = self._group_of(cluster), self._member(cluster)
        measured = group.lag(member) if group and member else None
        return (measured.bytes, self._clock.elapsed(measured.seconds)) if measured else None

    def addresses(self) -> dict[str, str]:
        """`"<AWS endpoint>:<port>"` to `"127.0.0.1:<port>"` for every cluster, instance and global endpoint."""
        return self._views.addresses()

    def set_lag(self, aws_seconds: float) -> None:
        """Delay WAL by this much on its way to every reader, present and future."""
        self._lag = aws_seconds
        for group in list(self._groups):
            group.set_lag(self._lag)

    def set_down(self, region: str, down: bool) -> None:
        """Make the databases of a region unavailable, and nothing else there, or bring them back."""
        for group in list(self._groups):
            group.set_down(region, down)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until all pending work is done. Raises TimeoutError."""
        for group in list(self._groups):
            group.settled().result(timeout=seconds)

    def _follow(self) -> None:
        """Assign every cluster to a group. Under one lock, so that an older state never overtakes a newer one."""
        with self._lock:
            if not self._open:
                return
            wanted: dict[Group, list[AuroraCluster]] = {group: [] for group in self._groups}
            places = {arn: group for group in self._groups for arn in list(group.members)}
            for cluster in sorted(emulator.aurora.aurora_clusters(), key=lambda one: not one.is_writer):
                group = places.get(cluster.arn) or places.get(cluster.global_cluster or "") or self._new_group()
                places[cluster.arn] = group
                if cluster.global_cluster:
                    places[cluster.global_cluster] = group
                wanted.setdefault(group, []).append(cluster)
            self._groups = [group for group in wanted if wanted[group]]
            for group, clusters in wanted.items():
                if clusters:
                    group.want(clusters)
                else:
                    ending = threading.Thread(target=group.close, name="aurora-close")
                    ending.start()
                    self._ending.append(ending)

    def _new_group(self) -> Group:
        group = Group(self._host, self._relays, self._outages, self._clock, self._timing, self._follow)
        group.set_lag(self._lag)
        return group

    def _begin_switch(self, global_cluster: str, target: str, data_loss: bool) -> None:
        group, members = self._named(global_cluster.rpartition(":")[2])
        source = next(member for member in members if member.cluster.is_writer)
        if group.switch:
            name = global_cluster.rpartition(":")[2]
            raise AwsRefusal("InvalidGlobalClusterStateFault", f"Global cluster {name} is {group.switch.status}.")
        for member in members:
            needed = member.cluster.arn == target or (member is source and not data_loss)
            if needed and not member.answers:
                name = member.cluster.identifier
                raise AwsRefusal("InvalidDBClusterStateFault", f"DB cluster {name} is not in available state.")
        if not data_loss and self._outages.is_cut(source.cluster.region, target.split(":")[3]):
            name = source.cluster.identifier
            raise AwsRefusal("InvalidDBClusterStateFault", f"DB cluster {name} does not replicate to the target.")
        group.begin(Switch(global_cluster, source.cluster.arn, target, data_loss))

    def _region_changed(self, region: str, _outage: Outage | None) -> None:
        for group in list(self._groups):
            group.region_changed(region)

    def _links_changed(self) -> None:
        for group in list(self._groups):
            group.links_changed()

    def _speed_changed(self) -> None:
        for group in list(self._groups):
            group.pace_lag()

    def _measure(self) -> None:
        self._lags = {row["cluster"]: self.lag(row["cluster"]) for row in self._views.status()}

    def _refresh_status(self, writer: Member) -> None:
        if group := self._group_of(writer.cluster.arn):
            group.refresh_status(writer)

    def _member(self, cluster: str) -> Member | None:
        group = self._group_of(cluster)
        return group.members.get(cluster) if group else None

    def _group_of(self, cluster: str) -> Group | None:
        return next((group for group in list(self._groups) if cluster in group.members), None)

    def _named(self, global_cluster: str) -> tuple[Group, list[Member]]:
        """The group of a global cluster (by name) and the members that belong to it. Raises KeyError."""
        for group in list(self._groups):
            members = [
                member
                for member in list(group.members.values())
                if (member.cluster.global_cluster or "").rpartition(":")[2] == global_cluster
            ]
            if members:
                return group, members
        raise KeyError(f"no database belongs to a global cluster {global_cluster}")
