"""A global database as a client of AWS sees it: RDS calls, SQL over the Data API, SQL through the endpoints."""

import functools
import json
import threading
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError
from psycopg2 import errors

from localaws.core import reaper
from localaws.core.outages import OutageKind
from tests.local.aurora_fixtures import aws, code, lasting, ledger
from tests.local.aurora_world import (
    DATABASE,
    EAST_1,
    EAST_2,
    USER,
    Deployed,
    World,
    deploy,
    destroy,
    eventually,
)

__all__ = ["aws", "lasting", "ledger"]


def test_what_is_available_answers_sql(aws: World) -> None:
    deployed = aws.deploy()
    eventually(lambda: deployed.cluster(EAST_1)["Status"] == "available", "the writer")
    assert deployed.sql(EAST_1, "SELECT current_database(), current_user") == [[DATABASE, USER]]
    destroy(deployed)


def test_a_new_cluster_is_creating_and_has_endpoints_of_its_own(aws: World) -> None:
    rds = aws.emulator.client("rds")
    made = rds.create_db_cluster(
        DBClusterIdentifier="alone", Engine="aurora-postgresql", MasterUsername=USER, MasterUserPassword="long-enough"
    )["DBCluster"]
    assert made["Status"] == "creating"
    assert made["Endpoint"].startswith("alone.cluster-")
    assert made["Endpoint"].endswith(".us-east-1.rds.amazonaws.com")
    eventually(lambda: f"{made['Endpoint']}:5432" in aws.pairs.addresses(), "its address")
    rds.delete_db_cluster(DBClusterIdentifier="alone", SkipFinalSnapshot=True)


def test_a_row_written_over_the_data_api_is_read_in_the_other_region(aws: World, ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    eventually(lambda: aws.read(ledger, EAST_2) == [1], "the row in us-east-2")


def test_the_reader_region_refuses_writes_and_the_whole_data_api(aws: World, ledger: Deployed) -> None:
    with aws.connect(ledger, EAST_2) as connection, pytest.raises(errors.ReadOnlySqlTransaction):
        connection.cursor().execute("INSERT INTO t VALUES (1)")
    with pytest.raises(ClientError) as caught:
        ledger.sql(EAST_2, "SELECT 1")
    assert code(caught) == "DatabaseUnavailableException"


def test_a_wrong_password_is_refused(aws: World, ledger: Deployed) -> None:
    secrets = aws.emulator.client("secretsmanager")
    wrong = secrets.create_secret(
        Name=f"{ledger.name}-wrong", SecretString=json.dumps({"username": USER, "password": "a-guess-1"})
    )
    data = aws.emulator.client("rds-data")
    with pytest.raises(ClientError, match="password authentication failed") as caught:
        data.execute_statement(
            resourceArn=ledger.clusters[EAST_1], secretArn=wrong["ARN"], sql="SELECT 1", database=DATABASE
        )
    assert code(caught) == "DatabaseErrorException"
    with pytest.raises(psycopg2.OperationalError), aws.connect(ledger, EAST_1, password="a-guess-1"):
        pass


def test_a_transaction_counts_once_it_is_committed(aws: World, ledger: Deployed) -> None:
    data = aws.emulator.client("rds-data")
    target: dict[str, Any] = {"resourceArn": ledger.clusters[EAST_1], "secretArn": ledger.secret}
    for number, end in ((1, data.rollback_transaction), (2, data.commit_transaction)):
        transaction = data.begin_transaction(**target, database=DATABASE)["transactionId"]
        ledger.sql(EAST_1, f"INSERT INTO t VALUES ({number})", transactionId=transaction)
        assert ledger.numbers(EAST_1) == [], "nobody else sees it yet"
        end(**target, transactionId=transaction)
    assert ledger.numbers(EAST_1) == [2]


def test_an_sql_error_names_its_state_as_the_data_api_does(ledger: Deployed) -> None:
    ledger.insert(EAST_1, 1)
    with pytest.raises(ClientError, match=r"duplicate key value .*; SQLState: 23505") as caught:
        ledger.insert(EAST_1, 1)
    assert code(caught) == "DatabaseErrorException"


def test_the_data_api_defaults_to_the_database_with_the_users_name(aws: World, ledger: Deployed) -> None:
    with pytest.raises(ClientError, match=f'database "{USER}" does not exist; SQLState: 3D000'):
        aws.emulator.client("rds-data").execute_statement(
            resourceArn=ledger.clusters[EAST_1], secretArn=ledger.secret, sql="SELECT 1"
        )


def test_a_statement_may_take_45_seconds(ledger: Deployed) -> None:
    assert ledger.sql(EAST_1, "SHOW statement_timeout") == [["45s"]]


def test_slow_sql_does_not_hold_up_the_rest_of_aws(aws: World, ledger: Deployed) -> None:
    ended: list[str] = []

    def sleep() -> None:
        with pytest.raises(ClientError) as caught:
            ledger.sql(EAST_1, "SELECT 1 FROM pg_sleep(40)")
        ended.append(str(caught.value))

    slow = threading.Thread(target=sleep)
    slow.start()
    others = "FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    eventually(lambda: ledger.sql(EAST_1, f"SELECT pid {others}"), "the slow statement")

    aws.emulator.client("sqs").list_queues()

    assert not ended
    ledger.sql(EAST_1, f"SELECT pg_cancel_backend(pid) {others}")
    slow.join()
    assert "canceling statement" in ended[0]


def test_a_new_master_password_counts_from_then_on(aws: World, ledger: Deployed) -> None:
    rds, name = aws.emulator.client("rds"), ledger.identifiers[EAST_1]

    def logs_in(password: str) -> bool:
        try:
            with aws.connect(ledger, EAST_1, password=password):
                return True
        except psycopg2.OperationalError:
            return False

    before = aws.emulator.client("secretsmanager").get_secret_value(SecretId=ledger.secret)["SecretString"]
    for password in ("another-one-1", json.loads(before)["password"]):
        rds.modify_db_cluster(DBClusterIdentifier=name, MasterUserPassword=password, ApplyImmediately=True)
        eventually(functools.partial(logs_in, password), "a login with the new password")


def test_a_lost_reader_catches_up_when_it_is_back(aws: World, ledger: Deployed) -> None:
    aws.outages.lose(EAST_2, OutageKind.ERROR)
    ledger.insert(EAST_1, 1, 2, 3)
    assert ledger.synchronization() == {"connected", "pending-resync"}
    aws.outages.heal(EAST_2)
    eventually(lambda: ledger.synchronization() == {"connected"}, "the reader")
    eventually(lambda: aws.read(ledger, EAST_2) == [1, 2, 3], "the rows of the outage")


def test_the_status_has_roles_and_lag_and_urls_without_password(aws: World, ledger: Deployed) -> None:
    aws.pairs.set_lag(3600)
    ledger.insert(EAST_1, 1)

    def reader() -> dict[str, Any]:
        rows = [row for row in aws.pairs.status() if row["global_cluster"] == ledger.name]
        roles = {row["region"]: (row["role"], row["running"]) for row in rows}
        assert roles == {EAST_1: ("writer", True), EAST_2: ("reader", True)}
        return next(row for row in rows if row["role"] == "reader")

    lag = eventually(lambda: reader()["lag_bytes"], "a lag")
    aws.pairs.set_lag(0)
    assert lag > 0
    eventually(lambda: reader()["lag_bytes"] == 0, "no lag")
    addresses, url = aws.pairs.addresses(), aws.url(ledger, EAST_1)
    port = url.rpartition(":")[2].partition("/")[0]
    assert url == f"postgresql://{USER}@127.0.0.1:{port}/{DATABASE}"
    assert addresses[f"{ledger.cluster(EAST_1)['Endpoint']}:5432"] == f"127.0.0.1:{port}"
    assert addresses[f"{ledger.global_cluster()['Endpoint']}:5432"] == f"127.0.0.1:{port}"


def test_two_environments_side_by_side_share_nothing(aws: World, ledger: Deployed) -> None:
    other = aws.ready()
    ledger.insert(EAST_1, 1)
    other.insert(EAST_1, 2)
    eventually(lambda: aws.read(other, EAST_2) == [2], "the other's row in us-east-2")
    other.fail_over(EAST_2)
    eventually(lambda: other.writer() == other.clusters[EAST_2] and other.available(), "the other's new writer")
    assert ledger.writer() == ledger.clusters[EAST_1]
    assert ledger.numbers(EAST_1) == [1]
    assert other.numbers(EAST_2) == [2]
    destroy(other)


def test_deleting_the_members_ends_their_servers(aws: World) -> None:
    deployed = aws.ready()
    processes = [pid for region in (EAST_1, EAST_2) for pid in aws.server_processes(deployed, region)]
    assert any(reaper.started_at(pid) for pid in processes)
    destroy(deployed)
    eventually(lambda: not any(reaper.started_at(pid) for pid in processes), "the end of PostgreSQL")
    assert deployed.name not in {row["global_cluster"] for row in aws.pairs.status()}


def test_a_detached_reader_becomes_a_writer_of_its_own(aws: World) -> None:
    deployed = aws.ready()
    deployed.insert(EAST_1, 1)
    eventually(lambda: aws.read(deployed, EAST_2) == [1], "the row in us-east-2")
    aws.emulator.client("rds", EAST_2).remove_from_global_cluster(
        GlobalClusterIdentifier=deployed.name, DbClusterIdentifier=deployed.clusters[EAST_2]
    )
    aws.pairs.settle()
    deployed.insert(EAST_2, 2)
    assert deployed.numbers(EAST_2) == [1, 2]
    assert deployed.numbers(EAST_1) == [1]
    name = deployed.identifiers[EAST_2]
    rds = aws.emulator.client("rds", EAST_2)
    rds.delete_db_instance(DBInstanceIdentifier=f"{name}-1", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    del deployed.clusters[EAST_2]
    destroy(deployed)


def test_aurora_mysql_has_a_control_plane_and_refuses_sql(aws: World) -> None:
    mysql = deploy(aws.emulator, engine="aurora-mysql")
    with pytest.raises(ClientError, match="Aurora PostgreSQL clusters only") as caught:
        mysql.sql(EAST_1, "CREATE DATABASE pretended")
    assert code(caught) == "BadRequestException"
    mysql.fail_over(EAST_2)
    assert mysql.writer() == mysql.clusters[EAST_2]
    destroy(mysql)
