"""An embedded AWS inside the test process, with its databases: what the Aurora tests deploy on and ask."""

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import psycopg2
from botocore.config import Config

from localaws import emulator as localaws_emulator
from localaws.core import environment, http_server
from localaws.core.clock import Clock
from localaws.core.outages import Outages
from localaws.services.rds.aurora import AuroraPairs
from localaws.services.rds.group import Timing

EAST_1, EAST_2 = "us-east-1", "us-east-2"
SPEED = 200.0
LONG = Timing(failover_seconds=240.0)
"""Longer than AWS's: a second here, in which a busy machine can read at what is shown meanwhile."""
USER, PASSWORD, DATABASE = "bank", "not-a-secret-1", "ledger"
TIMEOUT = 120.0  # seconds

Found = TypeVar("Found")


def eventually(read: Callable[[], Found], what: str) -> Found:
    """The first true result of `read`, called every 10 ms. Fails the test after TIMEOUT; the message names `what`."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := read()):
        assert time.monotonic() < deadline, f"{what}: not within {TIMEOUT:.0f} s"
        time.sleep(0.01)
    return found


@dataclass
class Emulator:
    """ministack alone, over HTTP."""

    endpoint: str
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = EAST_1) -> Any:
        if (service, region) not in self._clients:
            make: Any = boto3.client  # its type knows each service by name only
            self._clients[service, region] = make(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id=environment.ACCOUNT,
                aws_secret_access_key="any",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
            )
        return self._clients[service, region]


@dataclass
class Deployed:
    """A global cluster with a member in each region; the writer is in us-east-1 at first."""

    name: str
    emulator: Emulator
    clusters: dict[str, str]  # ARN by region
    secret: str

    @property
    def identifiers(self) -> dict[str, str]:
        return {region: f"{self.name}-{region}" for region in (EAST_1, EAST_2)}

    def cluster(self, region: str) -> dict[str, Any]:
        rds = self.emulator.client("rds", region)
        found = rds.describe_db_clusters(DBClusterIdentifier=self.identifiers[region])
        return dict(found["DBClusters"][0])

    def global_cluster(self) -> dict[str, Any]:
        found = self.emulator.client("rds", EAST_2).describe_global_clusters(GlobalClusterIdentifier=self.name)
        return dict(found["GlobalClusters"][0])

    def writer(self) -> str:
        """ARN of the member that RDS calls the writer."""
        members = self.global_cluster()["GlobalClusterMembers"]
        return str(next(member["DBClusterArn"] for member in members if member["IsWriter"]))

    def synchronization(self) -> set[str]:
        return {member["SynchronizationStatus"] for member in self.global_cluster()["GlobalClusterMembers"]}

    def available(self) -> bool:
        states = [self.cluster(region)["Status"] for region in (EAST_1, EAST_2)]
        return [*states, self.global_cluster()["Status"]] == ["available"] * 3

    def sql(self, region: str, statement: str, **more: Any) -> list[list[Any]]:
        """Run a statement over the Data API and return its rows as plain values."""
        answer = self.emulator.client("rds-data", region).execute_statement(
            resourceArn=self.clusters[region], secretArn=self.secret, database=DATABASE, sql=statement, **more
        )
        return [[next(iter(value.values())) for value in row] for row in answer["records"]]

    def numbers(self, region: str) -> list[int]:
        """The rows of table `t`, by the Data API."""
        return [number for (number,) in self.sql(region, "SELECT i FROM t ORDER BY i")]

    def insert(self, region: str, *numbers: int) -> None:
        for number in numbers:
            self.sql(region, f"INSERT INTO t VALUES ({number})")

    def switch_over(self, region: str) -> Any:
        return self.emulator.client("rds").switchover_global_cluster(
            GlobalClusterIdentifier=self.name, TargetDbClusterIdentifier=self.clusters[region]
        )

    def fail_over(self, region: str) -> Any:
        return self.emulator.client("rds", region).failover_global_cluster(
            GlobalClusterIdentifier=self.name,
            TargetDbClusterIdentifier=self.clusters[region],
            AllowDataLoss=True,
        )


@dataclass
class World:
    emulator: Emulator
    outages: Outages
    pairs: AuroraPairs

    def deploy(self, engine: str = "aurora-postgresql") -> Deployed:
        """Create everything the way a deployment does. It is not available yet."""
        return deploy(self.emulator, engine)

    def ready(self) -> Deployed:
        """A deployment that is available and has a table `t` in both regions."""
        deployed = self.deploy()
        eventually(deployed.available, "both members available")
        deployed.sql(EAST_1, "CREATE TABLE t (i int PRIMARY KEY)")
        with self.connect(deployed, EAST_2) as connection, connection.cursor() as cursor:

            def exists() -> bool:
                cursor.execute("SELECT to_regclass('t') IS NOT NULL")
                return bool(cursor.fetchone()[0])

            eventually(exists, "the table in us-east-2")
        return deployed

    def read(self, deployed: Deployed, region: str) -> list[int]:
        """The rows of table `t`, by SQL through the member's endpoint."""
        with self.connect(deployed, region) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT i FROM t ORDER BY i")
            return [number for (number,) in cursor.fetchall()]

    def server_processes(self, deployed: Deployed, region: str) -> list[int]:
        """Process ids of the member's server, its connections included."""
        with self.connect(deployed, region) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity")
            return [pid for (pid,) in cursor.fetchall()]

    def url(self, deployed: Deployed, region: str) -> str:
        """The URL of a member for a client of this machine, without password."""
        rows = self.pairs.status()
        return next(
            str(row["url"]) for row in rows if (row["global_cluster"], row["region"]) == (deployed.name, region)
        )

    @contextlib.contextmanager
    def connect(self, deployed: Deployed, region: str, password: str = PASSWORD) -> Iterator[Any]:
        url = self.url(deployed, region)
        connection = psycopg2.connect(url, password=password, connect_timeout=5)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()


def deploy(emulator: Emulator, engine: str = "aurora-postgresql") -> Deployed:
    """A global cluster, its members with an instance each, and the secret."""
    deployed = Deployed(f"test-{uuid.uuid4().hex[:8]}", emulator, {}, "")
    credentials = {"username": USER, "password": PASSWORD}
    secret = emulator.client("secretsmanager").create_secret(Name=deployed.name, SecretString=json.dumps(credentials))
    deployed.secret = secret["ARN"]
    emulator.client("rds").create_global_cluster(GlobalClusterIdentifier=deployed.name, Engine=engine)
    master = {"MasterUsername": USER, "MasterUserPassword": PASSWORD, "DatabaseName": DATABASE}
    for region, only_for_writer in ((EAST_1, master), (EAST_2, {})):
        rds, identifier = emulator.client("rds", region), deployed.identifiers[region]
        made = rds.create_db_cluster(
            DBClusterIdentifier=identifier,
            Engine=engine,
            GlobalClusterIdentifier=deployed.name,
            EnableHttpEndpoint=True,
            **only_for_writer,
        )
        deployed.clusters[region] = made["DBCluster"]["DBClusterArn"]
        rds.create_db_instance(
            DBInstanceIdentifier=f"{identifier}-1",
            DBClusterIdentifier=identifier,
            Engine=engine,
            DBInstanceClass="db.serverless",
        )
    return deployed


def destroy(deployed: Deployed) -> None:
    """Delete everything in AWS's order, the reader first."""
    writer = deployed.writer()
    for arn in sorted(deployed.clusters.values(), key=lambda one: one == writer):
        region, identifier = arn.split(":")[3], arn.rpartition(":")[2]
        rds = deployed.emulator.client("rds", region)
        rds.delete_db_instance(DBInstanceIdentifier=f"{identifier}-1", SkipFinalSnapshot=True)
        rds.remove_from_global_cluster(GlobalClusterIdentifier=deployed.name, DbClusterIdentifier=arn)
        rds.delete_db_cluster(DBClusterIdentifier=identifier, SkipFinalSnapshot=True)
    deployed.emulator.client("rds").delete_global_cluster(GlobalClusterIdentifier=deployed.name)


@contextlib.contextmanager
def emulator() -> Iterator[Emulator]:
    """ministack on a free port of loopback, in a thread; at the end, its RDS is empty."""
    listener = http_server.loopback_socket(0)
    server = http_server.server(localaws_emulator.requests.emulator())
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    running = Emulator(f"http://127.0.0.1:{listener.getsockname()[1]}")
    try:
        eventually(lambda: server.started, "the emulator")
        yield running
    finally:
        _empty(running)
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def world(directory: Path) -> Iterator[World]:
    """ministack with databases; an AWS second takes 1/SPEED of one."""
    with emulator() as running:
        outages = Outages((EAST_1, EAST_2))
        pairs = AuroraPairs(Clock(SPEED), outages, directory, timing=LONG)
        try:
            yield World(running, outages, pairs)
        finally:
            pairs.close()


def _empty(running: Emulator) -> None:
    """Its state is this process's, and the next user of it must not find our clusters."""
    found = running.client("rds").describe_global_clusters()["GlobalClusters"]
    for name, members in ((one["GlobalClusterIdentifier"], one["GlobalClusterMembers"]) for one in found):
        clusters = {member["DBClusterArn"].split(":")[3]: member["DBClusterArn"] for member in members}
        destroy(Deployed(name, running, clusters, ""))
