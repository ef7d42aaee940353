"""Views of the running databases for RDS, the control API and the address list."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from localaws.emulator.aurora import GlobalClusterView
from localaws.services.rds.group import Group
from localaws.services.rds.member import Member


class AuroraViews:
    """`groups` returns all groups. Nothing here queries a database."""

    def __init__(self, groups: Callable[[], Iterable[Group]]) -> None:
        self._groups = groups

    def cluster(self, arn: str) -> dict[str, Any]:
        """Overrides for DescribeDBClusters: not available before PostgreSQL answers."""
        endpoints = {"Endpoint": _endpoint(arn), "ReaderEndpoint": _endpoint(arn, "cluster-ro")}
        found = self._find(arn)
        if found is None:
            return {**endpoints, "Status": "creating"}  # the response to CreateDBCluster itself
        group, member = found
        if group.switch and arn in (group.switch.source, group.switch.target):
            return {**endpoints, "Status": group.switch.status}
        return endpoints if member.answers else {**endpoints, "Status": _state(member)}

    def instance(self, cluster: str, identifier: str) -> dict[str, Any]:
        """Overrides for DescribeDBInstances: the state of the cluster's server, and an endpoint of AWS's form."""
        found = self._find(cluster)
        if found is None:
            return {"DBInstanceStatus": "creating"}
        member = found[1]
        address = _instance_endpoint(cluster, identifier)
        shown: dict[str, Any] = {"Endpoint": {"Address": address, "Port": member.cluster.port}}
        return shown if member.answers else {**shown, "DBInstanceStatus": _state(member)}

    def global_cluster(self, arn: str) -> GlobalClusterView:
        """The writer endpoint, a change of writer under way, and the members that do not follow the writer."""
        members = [(group, one) for group, one in self._all() if one.cluster.global_cluster == arn]
        switch = next((group.switch for group, _ in members if group.switch), None)
        return GlobalClusterView(
            endpoint=global_endpoint(arn),
            status=switch.status if switch else None,
            switch=(switch.source, switch.target, switch.data_loss) if switch else None,
            resyncing=frozenset(member.cluster.arn for _, member in members if not member.answers),
        )

    def addresses(self) -> dict[str, str]:
        """`"<AWS endpoint>:<port>"` to `"127.0.0.1:<port>"`. A global endpoint leads to the current writer."""
        addresses = {}
        for _, member in self._all():
            cluster = member.cluster
            names = [_endpoint(cluster.arn), _endpoint(cluster.arn, "cluster-ro")]
            names += [_instance_endpoint(cluster.arn, instance) for instance in cluster.instances]
            if cluster.global_cluster and cluster.is_writer:
                names.append(global_endpoint(cluster.global_cluster))
            addresses.update({f"{name}:{cluster.port}": f"127.0.0.1:{member.front.port}" for name in names})
        return addresses

    def status(self) -> list[dict[str, Any]]:
        """One entry per cluster, without its lag."""
        return [
            {
                "global_cluster": (member.cluster.global_cluster or "").rpartition(":")[2] or None,
                "cluster": member.cluster.arn,
                "region": member.cluster.region,
                "url": f"postgresql://{member.cluster.master_username}@127.0.0.1:{member.front.port}"
                f"/{member.cluster.database_name or 'postgres'}",
                "role": "writer" if member.cluster.is_writer else "reader",
                "running": member.answers and member.instance.is_running,
                "switching": group.switch.status if group.switch else None,
                "problem": member.problem,
                "down": group.is_down(member.cluster.region),
                "promotions": member.promotions,
                "writer_intervals": member.writer_intervals(),
            }
            for group, member in self._all()
        ]

    def _all(self) -> list[tuple[Group, Member]]:
        return [(group, member) for group in self._groups() for member in list(group.members.values())]

    def _find(self, arn: str) -> tuple[Group, Member] | None:
        return next(((group, member) for group, member in self._all() if member.cluster.arn == arn), None)


def global_endpoint(global_cluster: str) -> str:
    """The writer endpoint of a global cluster (ARN), in AWS's form."""
    return f"{global_cluster.rpartition(':')[2]}.global-{_unique(global_cluster)}.global.rds.amazonaws.com"


def _endpoint(cluster: str, kind: str = "cluster") -> str:
    return f"{cluster.rpartition(':')[2]}.{kind}-{_unique(cluster)}.{cluster.split(':')[3]}.rds.amazonaws.com"


def _instance_endpoint(cluster: str, instance: str) -> str:
    return f"{instance}.{_unique(cluster)}.{cluster.split(':')[3]}.rds.amazonaws.com"


def _unique(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:12]


def _state(member: Member) -> str:
    """RDS's status of a cluster or instance whose server does not answer."""
    if member.problem:
        return "failed"
    return "modifying" if member.created else "creating"
