"""Aurora: clusters, their state, and the databases behind the Data API."""

import asyncio
import contextvars
import functools
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localaws.emulator.patches import Undo, patch, patch_each, patch_value
from localaws.emulator.services import AwsRefusal

log = logging.getLogger(__name__)


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
    """Fields of DescribeGlobalClusters that ministack does not have."""

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


def on_rds_changes(listener: Callable[[], None]) -> Undo:
    """Call `listener()` after each RDS call that can change something, before it is answered, in a worker thread."""

    def then_notify(act: Any) -> Callable[..., Any]:
        @functools.wraps(act)
        def notifying(*arguments: Any) -> Any:
            answer = act(*arguments)
            listener()
            return answer

        return notifying

    def actions(known: dict[str, Any]) -> dict[str, Any]:
        return {name: act if name.startswith(("Describe", "List")) else then_notify(act) for name, act in known.items()}

    undo_actions = patch_value("services.rds:_ACTION_MAP", actions)
    undo_reset = patch_value("services.rds:reset", then_notify)

    def undo() -> None:
        undo_actions()
        undo_reset()

    return undo


def intercept_writer_switches(begin: Callable[[str, str, bool], None]) -> Undo:
    """Call `begin(global cluster ARN, target cluster ARN, data loss allowed)` instead of switching at once.

    It is called for switchovers and failovers of Aurora PostgreSQL that ministack accepts, must return quickly, and may
    raise AwsRefusal. The caller ends each switch with `set_global_writer`.
    """
    from ministack.services import rds

    wanted: ContextVar[list[tuple[str, str]] | None] = ContextVar("wanted", default=None)

    def note(set_writer: Any, global_cluster: dict[str, Any], target: dict[str, Any]) -> None:
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

    def actions(known: dict[str, Any]) -> dict[str, Any]:
        names = ("SwitchoverGlobalCluster", "FailoverGlobalCluster")
        return {**known, **{name: later(known[name]) for name in names}}

    undo_writer = patch("services.rds:_set_global_cluster_writer", note)
    undo_actions = patch_value("services.rds:_ACTION_MAP", actions)

    def undo() -> None:
        undo_writer()
        undo_actions()

    return undo


def add_to_rds_views(
    cluster: Callable[[str], dict[str, Any]],
    instance: Callable[[str, str], dict[str, Any]],
    global_cluster: Callable[[str], GlobalClusterView],
) -> Undo:
    """Show `cluster(ARN)`, `instance(cluster ARN, identifier)` and `global_cluster(ARN)` over ministack's own.

    Clusters and instances of Aurora PostgreSQL only; a global cluster of either engine has a writer endpoint.
    """

    def is_ours(record: dict[str, Any]) -> bool:
        return bool(record["Engine"] == "aurora-postgresql")

    def show_cluster(xml: Any, record: dict[str, Any]) -> str:
        return str(xml({**record, **cluster(record["DBClusterArn"])} if is_ours(record) else record))

    def show_instance(xml: Any, record: dict[str, Any]) -> str:
        cluster = _cluster_of(record) if is_ours(record) else ""
        return str(xml({**record, **instance(cluster, record["DBInstanceIdentifier"])} if cluster else record))

    def show_global_cluster(xml: Any, record: dict[str, Any]) -> str:
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
        return f"{xml(shown)}<Endpoint>{view.endpoint}</Endpoint>"

    return patch_each(
        {
            "services.rds:_cluster_xml": show_cluster,
            "services.rds:_instance_xml": show_instance,
            "services.rds:_global_cluster_xml": show_global_cluster,
        }
    )


def serve_data_api(
    prepare: Callable[[bytes], None],
    connect: Callable[[str, str | None, str, str | None], Any],
    explain: Callable[[Exception], AwsRefusal],
    workers: Executor,
) -> Undo:
    """Run the Data API's SQL over `connect(cluster ARN, user, password, database)`, in `workers`.

    `prepare(body)` precedes each call. `explain` turns any exception into the answer. Times are shown as the Data API
    does: in UTC, without a zone [AURORA-22]. ministack alone runs SQL in the event loop, where a statement that
    waits for a lock would stop all of AWS, and makes answers up where it has no database.
    """
    from ministack.services import rds_data

    async def in_worker(handle: Any, *request: Any) -> Any:
        context = contextvars.copy_context()
        answer = functools.partial(context.run, prepare_and_answer, handle, request)
        return await asyncio.get_running_loop().run_in_executor(workers, answer)

    def prepare_and_answer(handle: Any, request: tuple[Any, ...]) -> Any:
        _method, _path, _headers, body, _query = request
        try:
            prepare(body or b"")
        except ValueError:
            log.debug("event=data_api_body_unreadable")  # the call's own answer names the mistake
        return _without_waiting(handle, request)

    def connect_member(
        _original: Any,
        member: dict[str, Any],
        _engine: str,
        database: str | None = None,
        password: str = "",
        username: str | None = None,
    ) -> Any:
        return connect(member.get("DBClusterArn") or _cluster_of(member), username, password, database)

    def answer_error(_original: Any, problem: Exception) -> Any:
        refusal = explain(problem)
        return rds_data._error(refusal.code, str(refusal), refusal.status)

    def show(original: Callable[..., dict[str, Any]], value: Any, *more: Any) -> dict[str, Any]:
        if not isinstance(value, datetime):
            return original(value, *more)
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return {"stringValue": moment.isoformat(" ")}

    return patch_each(
        {
            "services.rds_data:handle_request": in_worker,
            "services.rds_data:_connect": connect_member,
            "services.rds_data:_sql_execution_error": answer_error,
            "services.rds_data:_has_real_endpoint": lambda _original, _member: True,
            "services.rds_data:_field_value": show,
        }
    )


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
