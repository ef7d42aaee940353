"""RDS and the Data API as patched, without databases."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError

from localaws import emulator as localaws_emulator
from localaws.core import environment
from localaws.emulator.aurora import GlobalClusterView
from localaws.emulator.services import AwsRefusal
from tests.local.aurora_world import (
    DATABASE,
    EAST_1,
    EAST_2,
    PASSWORD,
    USER,
    Deployed,
    Emulator,
    deploy,
    destroy,
    emulator,
)
from tests.tiers import starts


@pytest.fixture(scope="module")
@starts("emulator")
def ministack() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


@pytest.fixture(scope="module")
def deployed(ministack: Emulator) -> Iterator[Deployed]:
    made = deploy(ministack)
    yield made
    destroy(made)


def test_clusters_are_read_with_their_master_and_their_place_in_the_global_cluster(deployed: Deployed) -> None:
    found = {
        cluster.region: cluster
        for cluster in localaws_emulator.aurora.aurora_clusters()
        if cluster.arn in deployed.clusters.values()
    }
    assert found.keys() == {EAST_1, EAST_2}
    for region, cluster in found.items():
        name = deployed.identifiers[region]
        assert (cluster.arn, cluster.identifier, cluster.port) == (deployed.clusters[region], name, 5432)
        assert (cluster.master_username, cluster.master_password, cluster.database_name) == (USER, PASSWORD, DATABASE)
        assert cluster.instances == (f"{name}-1",)
        assert cluster.global_cluster == f"arn:aws:rds::{environment.ACCOUNT}:global-cluster:{deployed.name}"
        assert cluster.is_writer == (region == EAST_1)
    assert PASSWORD not in repr(found), "a password in a log"


def test_mysql_clusters_are_not_ours(ministack: Emulator) -> None:
    mysql = deploy(ministack, engine="aurora-mysql")
    assert not {cluster.arn for cluster in localaws_emulator.aurora.aurora_clusters()} & set(mysql.clusters.values())
    destroy(mysql)


def test_the_global_writer_is_set_in_what_rds_shows(deployed: Deployed) -> None:
    group = str(deployed.global_cluster()["GlobalClusterArn"])
    for region in (EAST_2, EAST_1):
        localaws_emulator.aurora.set_global_writer(group, deployed.clusters[region])
        assert deployed.writer() == deployed.clusters[region]
    localaws_emulator.aurora.set_global_writer(f"{group}-gone", deployed.clusters[EAST_2])
    localaws_emulator.aurora.set_global_writer(group, f"{deployed.clusters[EAST_2]}-gone")
    assert deployed.writer() == deployed.clusters[EAST_1]


def test_changes_are_reported_before_the_response_and_reads_are_not(ministack: Emulator, deployed: Deployed) -> None:
    reported: list[int] = []
    undo = localaws_emulator.aurora.on_rds_changes(
        lambda: reported.append(len(localaws_emulator.aurora.aurora_clusters()))
    )
    before = len(localaws_emulator.aurora.aurora_clusters())
    rds = ministack.client("rds")
    try:
        deployed.global_cluster()
        deployed.cluster(EAST_1)
        assert reported == []
        rds.create_db_cluster(DBClusterIdentifier="one-more", Engine="aurora-postgresql")
        assert reported == [before + 1]
        rds.delete_db_cluster(DBClusterIdentifier="one-more", SkipFinalSnapshot=True)
        assert reported == [before + 1, before]
    finally:
        undo()
    deployed.emulator.client("rds").modify_db_cluster(DBClusterIdentifier=deployed.identifiers[EAST_1])
    assert len(reported) == 2


def test_a_switch_of_writers_is_handed_over_instead_of_done(deployed: Deployed) -> None:
    begun: list[tuple[str, str, bool]] = []
    undo = localaws_emulator.aurora.intercept_writer_switches(lambda *switch: begun.append(switch))
    try:
        assert deployed.switch_over(EAST_2)["GlobalCluster"]["Status"] == "switching-over"
        assert deployed.fail_over(EAST_2)["GlobalCluster"]["Status"] == "failing-over"
        with pytest.raises(ClientError):
            deployed.switch_over(EAST_1)  # it is the writer: refused by ministack, so not handed over
        assert deployed.writer() == deployed.clusters[EAST_1]
        group, target = deployed.global_cluster()["GlobalClusterArn"], deployed.clusters[EAST_2]
        assert begun == [(group, target, False), (group, target, True)]
        localaws_emulator.aurora.set_global_writer(group, target)
        assert deployed.writer() == target, "the way to end a switch"
        localaws_emulator.aurora.set_global_writer(group, deployed.clusters[EAST_1])
    finally:
        undo()
    deployed.switch_over(EAST_2)
    assert deployed.writer() == deployed.clusters[EAST_2]
    deployed.switch_over(EAST_1)


def test_a_refused_switch_is_an_aws_error(deployed: Deployed) -> None:
    def refuse(*_switch: Any) -> None:
        raise AwsRefusal("InvalidGlobalClusterStateFault", "not now")

    undo = localaws_emulator.aurora.intercept_writer_switches(refuse)
    try:
        with pytest.raises(ClientError, match="not now") as caught:
            deployed.switch_over(EAST_2)
        assert caught.value.response["Error"]["Code"] == "InvalidGlobalClusterStateFault"
    finally:
        undo()


def test_what_rds_shows_can_be_corrected(ministack: Emulator, deployed: Deployed) -> None:
    reader, writer = deployed.clusters[EAST_2], deployed.clusters[EAST_1]
    view = GlobalClusterView(
        endpoint="writer.example",
        status="failing-over",
        switch=(writer, reader, True),
        resyncing=frozenset({reader}),
    )
    undo = localaws_emulator.aurora.add_to_rds_views(
        lambda arn: {"Status": f"state of {arn}"},
        lambda arn, identifier: {"DBInstanceStatus": f"{identifier} of {arn}"},
        lambda _arn: view,
    )
    try:
        assert deployed.cluster(EAST_2)["Status"] == f"state of {reader}"
        name = f"{deployed.identifiers[EAST_2]}-1"
        instances = ministack.client("rds", EAST_2).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        assert instances[0]["DBInstanceStatus"] == f"{name} of {reader}"
        shown = deployed.global_cluster()
        assert (shown["Endpoint"], shown["Status"]) == ("writer.example", "failing-over")
        assert shown["FailoverState"]["ToDbClusterArn"] == reader
        states = {member["DBClusterArn"]: member["SynchronizationStatus"] for member in shown["GlobalClusterMembers"]}
        assert states == {writer: "connected", reader: "pending-resync"}
    finally:
        undo()
    assert deployed.available()
    assert deployed.synchronization() == {"connected"}


class Connection:
    """As much of a psycopg2 connection as the Data API needs for one statement."""

    description = (("answer", 23, None, None, None, None, None),)
    rowcount = 1
    statusmessage = "SELECT 1"

    def cursor(self) -> "Connection":
        return self

    def execute(self, statement: str, _values: Any) -> None:
        if "fail" in statement:
            raise psycopg2.ProgrammingError("no such thing")

    def fetchall(self) -> list[tuple[int]]:
        return [(42,)]

    def close(self) -> None: ...


def test_the_data_api_connects_and_explains_through_us_and_in_our_threads(deployed: Deployed) -> None:
    calls: list[tuple[Any, ...]] = []
    bodies: list[bytes] = []

    def connect(*target: Any) -> Connection:
        calls.append((*target, threading.current_thread().name))
        return Connection()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ours") as workers:
        undo = localaws_emulator.aurora.serve_data_api(
            bodies.append,
            connect,
            lambda problem: AwsRefusal("DatabaseErrorException", f"explained: {problem}", 400),
            workers,
        )
        try:
            assert deployed.sql(EAST_1, "SELECT 42") == [[42]]
            with pytest.raises(ClientError, match="explained: no such thing") as caught:
                deployed.sql(EAST_2, "SELECT fail")
        finally:
            undo()
    assert caught.value.response["Error"]["Code"] == "DatabaseErrorException"
    assert [call[:4] for call in calls] == [
        (deployed.clusters[region], USER, PASSWORD, DATABASE) for region in (EAST_1, EAST_2)
    ]
    assert all(call[4].startswith("ours") for call in calls)
    assert [json.loads(body)["sql"] for body in bodies] == ["SELECT 42", "SELECT fail"]
    with pytest.raises(ClientError, match="stub mode"):
        deployed.sql(EAST_1, "SELECT 42")


def test_a_secret_that_is_not_there_is_refused_before_any_connection(ministack: Emulator, deployed: Deployed) -> None:
    missing = deployed.secret.replace("secret:", "secret:missing-")
    with ThreadPoolExecutor(max_workers=1) as workers:
        undo = localaws_emulator.aurora.serve_data_api(
            lambda _body: None,
            lambda *_: pytest.fail("it connected"),
            lambda problem: AwsRefusal("X", str(problem)),
            workers,
        )
        try:
            with pytest.raises(ClientError) as caught:
                ministack.client("rds-data").execute_statement(
                    resourceArn=deployed.clusters[EAST_1], secretArn=missing, sql="SELECT 1"
                )
        finally:
            undo()
    assert caught.value.response["Error"]["Code"] == "SecretsErrorException"
