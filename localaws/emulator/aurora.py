"""Aurora: clusters, their state, and where the Data API finds a database (`aurora`, `aurora_data_api`)."""

import asyncio
import contextvars
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from localaws.emulator.services import AwsRefusal

Undo = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class AuroraCluster:
    """An Aurora PostgreSQL cluster as deployed. Without a global cluster it is a writer."""

    arn: str
    identifier: str
    region: str
    master_username: str
    master_password: str = field(repr=False)
    database_name: str | None
    port: int
    instances: tuple[str, ...]
    global_cluster: str | None  # its ARN
    is_writer: bool


@dataclass(frozen=True, kw_only=True)
class GlobalClusterView:
    """What DescribeGlobalClusters shows besides what ministack knows."""

    endpoint: str
    status: str | None = None
    switch: tuple[str, str, bool] | None = None  # from cluster, to cluster (ARNs), whether data may be lost
    resyncing: frozenset[str] = frozenset()  # ARNs of the members that do not follow the writer


def aurora_clusters() -> list[AuroraCluster]:
    """Every Aurora PostgreSQL cluster of every account and region."""
    from ministack.services import rds

    membership = {
        member["DBClusterArn"]: (group, bool(member["IsWriter"]))
        for group in list(rds._global_clusters._data.values())
        for member in group["GlobalClusterMembers"]
    }
    clusters = []
    for (_, region, identifier), record in rds._clusters.all_items():
        if record["Engine"] != "aurora-postgresql":
            continue
        group, is_writer = membership.get(record["DBClusterArn"], ({}, True))
        clusters.append(
            AuroraCluster(
                arn=record["DBClusterArn"],
                identifier=identifier,
                region=region,
                master_username=record["MasterUsername"],
                master_password=record["_MasterUserPassword"],
                database_name=record["DatabaseName"] or group.get("DatabaseName") or None,
                port=int(record["Port"]),
                instances=tuple(member["DBInstanceIdentifier"] for member in record["DBClusterMembers"]),
                global_cluster=group.get("GlobalClusterArn"),
                is_writer=is_writer,
            )
        )
    return clusters


def set_global_writer(global_cluster: str, writer: str) -> None:
    """Make `writer` the writer of `global_cluster` (ARNs) in what RDS shows; does nothing if either is gone."""
    from ministack.services import rds

    account, name = global_cluster.split(":")[4], global_cluster.rpartition(":")[2]
    record = rds._global_clusters.get_scoped(account, None, name) or {"GlobalClusterMembers": []}
    for member in record["GlobalClusterMembers"]:
        if member["DBClusterArn"] == writer:
            rds._set_global_cluster_writer(record, member)


def tell_of_rds_changes(listener: Callable[[], None]) -> Undo:
    """Call `listener()` after each RDS call that can change something, before it is answered, in a worker thread."""
    from ministack.services import rds

    actions, reset = dict(rds._ACTION_MAP), rds.reset

    def then_tell(act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        def told(*arguments: Any) -> Any:
            answer = act(*arguments)
            listener()
            return answer

        return told

    for name, act in actions.items():
        if not name.startswith(("Describe", "List")):
            rds._ACTION_MAP[name] = then_tell(act)
    rds.reset = then_tell(reset)

    def undo() -> None:
        rds._ACTION_MAP.update(actions)
        rds.reset = reset

    return undo


def intercept_writer_switches(begin: Callable[[str, str, bool], None]) -> Undo:
    """Call `begin(global cluster ARN, target cluster ARN, data loss allowed)` instead of switching at once.

    It is called for switchovers and failovers of Aurora PostgreSQL that ministack accepts, must return quickly, and may
    raise AwsRefusal. Who starts one must end it with `set_global_writer`.
    """
    from ministack.services import rds

    names = ("SwitchoverGlobalCluster", "FailoverGlobalCluster")
    actions = {name: rds._ACTION_MAP[name] for name in names}
    set_writer = rds._set_global_cluster_writer
    wanted: ContextVar[list[tuple[str, str]] | None] = ContextVar("wanted", default=None)

    def note(global_cluster: dict[str, Any], target: dict[str, Any]) -> None:
        noted = wanted.get()
        if noted is None or global_cluster["Engine"] != "aurora-postgresql":
            set_writer(global_cluster, target)
        else:
            noted.append((global_cluster["GlobalClusterArn"], target["DBClusterArn"]))

    def later(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def switch(parameters: Any) -> Any:
            noted: list[tuple[str, str]] = []
            token = wanted.set(noted)
            try:
                answer = act(parameters)
            finally:
                wanted.reset(token)
            try:
                for global_cluster, target in noted:
                    begin(global_cluster, target, str(rds._p(parameters, "AllowDataLoss")).lower() == "true")
            except AwsRefusal as refusal:
                return rds._error(refusal.code, str(refusal), refusal.status)
            return answer

        return switch

    rds._set_global_cluster_writer = note
    rds._ACTION_MAP.update({name: later(act) for name, act in actions.items()})

    def undo() -> None:
        rds._set_global_cluster_writer = set_writer
        rds._ACTION_MAP.update(actions)

    return undo


def add_to_rds_views(
    cluster: Callable[[str], dict[str, Any]],
    instance: Callable[[str, str], dict[str, Any]],
    global_cluster: Callable[[str], GlobalClusterView],
) -> Undo:
    """Show `cluster(ARN)`, `instance(cluster ARN, identifier)` and `global_cluster(ARN)` over ministack's own.

    Clusters and instances of Aurora PostgreSQL only; a global cluster of either engine has a writer endpoint.
    """
    from ministack.services import rds

    names = ("_cluster_xml", "_instance_xml", "_global_cluster_xml")
    cluster_xml, instance_xml, global_cluster_xml = originals = tuple(getattr(rds, name) for name in names)

    def is_ours(record: dict[str, Any]) -> bool:
        return bool(record["Engine"] == "aurora-postgresql")

    def show_cluster(record: dict[str, Any]) -> str:
        return str(cluster_xml({**record, **cluster(record["DBClusterArn"])} if is_ours(record) else record))

    def show_instance(record: dict[str, Any]) -> str:
        home = _cluster_of(record) if is_ours(record) else ""
        return str(instance_xml({**record, **instance(home, record["DBInstanceIdentifier"])} if home else record))

    def show_global_cluster(record: dict[str, Any]) -> str:
        view = global_cluster(record["GlobalClusterArn"])
        members = [dict(member) for member in record["GlobalClusterMembers"]]
        for member in members:
            if member["DBClusterArn"] in view.resyncing:
                member["SynchronizationStatus"] = "pending-resync"
        shown = {**record, "GlobalClusterMembers": members}
        if view.status:
            shown["Status"] = view.status
        if view.switch:
            source, target, data_loss = view.switch
            shown["FailoverState"] = {
                "Status": view.status,
                "FromDbClusterArn": source,
                "ToDbClusterArn": target,
                "IsDataLossAllowed": data_loss,
            }
        return f"{global_cluster_xml(shown)}<Endpoint>{view.endpoint}</Endpoint>"

    rds._cluster_xml, rds._instance_xml, rds._global_cluster_xml = show_cluster, show_instance, show_global_cluster

    def undo() -> None:
        rds._cluster_xml, rds._instance_xml, rds._global_cluster_xml = originals

    return undo


def serve_data_api(
    connect: Callable[[str, str | None, str, str | None], Any],
    explain: Callable[[Exception], AwsRefusal],
    workers: Executor,
) -> Undo:
    """Run the Data API's SQL over `connect(cluster ARN, user, password, database)`, in `workers`.

    `explain` turns any exception into the answer. ministack alone runs SQL in the event loop, where a statement that
    waits for a lock would stop all of AWS, and makes answers up where it has no database.
    """
    from ministack.services import rds_data

    names = ("handle_request", "_connect", "_sql_execution_error", "_has_real_endpoint")
    originals = {name: getattr(rds_data, name) for name in names}

    async def in_worker(*request: Any) -> Any:
        context = contextvars.copy_context()
        answer = functools.partial(context.run, _without_waiting, originals["handle_request"], request)
        return await asyncio.get_running_loop().run_in_executor(workers, answer)

    def connect_member(
        member: dict[str, Any],
        _engine: str,
        database: str | None = None,
        password: str = "",
        username: str | None = None,
    ) -> Any:
        return connect(member.get("DBClusterArn") or _cluster_of(member), username, password, database)

    def answer_error(problem: Exception) -> Any:
        refusal = explain(problem)
        return rds_data._error(refusal.code, str(refusal), refusal.status)

    rds_data.handle_request = in_worker
    rds_data._connect = connect_member
    rds_data._sql_execution_error = answer_error
    rds_data._has_real_endpoint = lambda _member: True

    def undo() -> None:
        for name, original in originals.items():
            setattr(rds_data, name, original)

    return undo


def _cluster_of(instance: dict[str, Any]) -> str:
    """ARN of the cluster an instance belongs to, empty if none."""
    identifier = instance.get("DBClusterIdentifier")
    return f"{instance['DBInstanceArn'].rpartition(':db:')[0]}:cluster:{identifier}" if identifier else ""


def _without_waiting(handler: Callable[..., Coroutine[Any, Any, Any]], request: tuple[Any, ...]) -> Any:
    """The result of a coroutine function that never awaits anything. Raises RuntimeError if it does."""
    running = handler(*request)
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    running.close()
    raise RuntimeError(f"{handler.__name__} waits for something now and cannot run in a worker")
