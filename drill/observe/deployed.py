"""The observer of a deployed environment: AWS's own APIs, called seldom enough not to be throttled."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drill.model.attempts import Intent
from drill.model.context import MACHINES, machine_arn
from drill.model.errors import ProbeError
from drill.model.status import DatabaseStatus, Row, Status, TargetStatus, WorkflowStatus
from drill.observe import journal
from drill.observe.aws import is_fenced, observing
from drill.observe.observer import Journals, Ledgers
from drill.observe.sentinel_log import Decision
from drill.preflight import database
from shared.deployment import Deployment
from shared.naming import Names
from shared.places import Place

_COLUMNS = (
    "payment_id", "amount", "currency", "debtor", "creditor", "reference", "content_hash", "posted_in", "writer_epoch",
    "posted_at", "announced_at IS NOT NULL",
)  # fmt: skip
_PAGE = 1000  # rows in an answer, which holds at most 1 MiB
_NO_TABLE = ("42P01", "1146")  # PostgreSQL's and MySQL's code; the first payment creates the table


class DataApiLedger:
    """Reads the ledger's rows of this run, whose references begin with `prefix`, through the RDS Data API, since the
    database is not reachable from outside its VPC. The Data API reads only the member that writes [AURORA-17]."""

    def __init__(self, deployment: Deployment, prefix: str) -> None:
        self._deployment, self._prefix = deployment, prefix

    def count(self, place: Place) -> int:
        """Raises ProbeError."""
        found = self._query(place, "SELECT count(*) FROM ledger WHERE reference LIKE :prefix")
        return int(_plain(found[0][0])) if found else 0

    def rows(self, place: Place) -> dict[str, Row]:
        """By payment id. Raises ProbeError."""
        rows: dict[str, Row] = {}
        while True:
            found = self._query(
                place,
                f"SELECT {', '.join(map(_as_text, _COLUMNS))} FROM ledger WHERE reference LIKE :prefix "
                f"ORDER BY payment_id LIMIT {_PAGE} OFFSET {len(rows)}",
            )
            rows |= {row.payment_id: row for row in map(_row, found)}
            if len(found) < _PAGE:
                return rows

    def _query(self, place: Place, sql: str) -> list[list[dict[str, Any]]]:
        deployment = self._deployment
        names = Names(deployment.suffix)
        with observing(f"the ledger in {deployment.region(place)} does not answer"):
            secret = self._deployment.client("secretsmanager", place).describe_secret(SecretId=names.database_secret)[
                "ARN"
            ]
            client = self._deployment.client("rds-data", place)
            try:
                answer = client.execute_statement(
                    resourceArn=database.member_arn(deployment, place),
                    secretArn=secret,
                    database=deployment.global_outputs.database_name,
                    sql=sql,
                    parameters=[{"name": "prefix", "value": {"stringValue": f"{self._prefix}%"}}],
                )
            except client.exceptions.ClientError as error:
                if any(code in str(error) for code in _NO_TABLE):
                    return []
                raise
        found: list[list[dict[str, Any]]] = answer["records"]
        return found


def _as_text(column: str) -> str:
    """Both engines accept `char`; a number must not pass through floating point."""
    casts = ("amount", "writer_epoch", "posted_at", "announced_at IS NOT NULL")
    return f"CAST({column} AS char(200))" if column in casts else column


def _plain(field: dict[str, Any]) -> Any:
    return next(iter(field.values()))


def _row(fields: Sequence[dict[str, Any]]) -> Row:
    held = {name: str(_plain(each)).strip() for name, each in zip(_COLUMNS, fields, strict=True)}
    moment = datetime.fromisoformat(held["posted_at"])
    return Row(
        payment_id=held["payment_id"],
        amount=Decimal(held["amount"]),
        currency=held["currency"],
        debtor=held["debtor"],
        creditor=held["creditor"],
        reference=held["reference"],
        content_hash=held["content_hash"],
        posted_in=held["posted_in"],
        writer_epoch=int(held["writer_epoch"]),
        announced=held["announced_at IS NOT NULL"] in ("true", "t", "1"),
        posted_at=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
    )


_FRESH_AWS_SECONDS = 2.0
"""For this long a status is reused: it takes about twenty calls, and describe calls are throttled per account."""


class DeployedObserver:
    """Observes an environment on AWS. References of this run's payments begin with `prefix`."""

    def __init__(self, deployment: Deployment, prefix: str) -> None:
        self._deployment = deployment
        self._ledger = DataApiLedger(deployment, prefix)
        self._status: Status | None = None
        self._status_at = 0.0

    async def status(self) -> Status:
        if self._status is None or time.monotonic() - self._status_at >= _FRESH_AWS_SECONDS / self._deployment.speed:
            self._status = await asyncio.to_thread(self._read_status)
            self._status_at = time.monotonic()
        return self._status

    async def posted(self, status: Status) -> int:
        writer = status.writer
        place = next((place for place in Place if writer and self._deployment.region(place) == writer.region), None)
        if place is None:
            raise ProbeError("there is no writer")
        return await asyncio.to_thread(self._ledger.count, place)

    async def ledgers(self) -> tuple[Ledgers, list[str]]:
        try:
            return await asyncio.to_thread(self._writers_ledger), []
        except ProbeError as error:
            return {region: {} for region in self._deployment.regions.values()}, [str(error)]

    async def journals(self, intents: Sequence[Intent]) -> Journals:
        """By key: a journal in use is too large to be read whole."""
        ids = [intent.payment_id for intent in intents]
        return await asyncio.to_thread(
            journal.read_each, self._deployment, lambda client, table: journal.read_entries(client, table, ids)
        )

    async def decisions(self, **_: Any) -> Sequence[Decision]:
        """Not read: no scenario for a deployed environment is judged by them."""
        return ()

    def _writers_ledger(self) -> Ledgers:
        with observing("the database's writer cannot be found"):
            place = database.writer(self._deployment)
        if place is None:
            raise ProbeError("the global database has no writer")
        return {self._deployment.region(place): self._ledger.rows(place)}

    def _read_status(self) -> Status:
        with observing("the environment cannot be observed"):
            return Status(
                targets=tuple(target for place in Place for target in self._targets(place)),
                databases=self._databases(),
                workflows=tuple(run for place in Place for run in self._runs(place)),
                fenced=tuple(self._deployment.region(place) for place in Place if is_fenced(self._deployment, place)),
            )

    def _targets(self, place: Place) -> list[TargetStatus]:
        arn = self._deployment.cell(place).ingress.target_group_arn
        answer = self._deployment.client("elbv2", place).describe_target_health(TargetGroupArn=arn)
        return [
            TargetStatus(
                region=self._deployment.region(place),
                target_group=arn.split("/")[-2],
                state=each["TargetHealth"]["State"],
                reason=each["TargetHealth"].get("Reason"),
            )
            for each in answer["TargetHealthDescriptions"]
        ]

    def _databases(self) -> tuple[DatabaseStatus, ...]:
        deployment = self._deployment
        answer = self._deployment.client("rds", Place.SECONDARY).describe_global_clusters(
            GlobalClusterIdentifier=deployment.global_outputs.global_cluster_id
        )
        cluster: dict[str, Any] = answer["GlobalClusters"][0]
        writers = {each["DBClusterArn"] for each in cluster["GlobalClusterMembers"] if each.get("IsWriter")}
        switching = (cluster.get("FailoverState") or {}).get("Status")
        found = []
        for place in Place:
            arn = database.member_arn(deployment, place)
            state = database.cluster(deployment, place)["Status"]
            found.append(
                DatabaseStatus(
                    region=self._deployment.region(place),
                    cluster=arn.rpartition(":")[2],
                    role="writer" if arn in writers else "reader",
                    running=state == "available",
                    switching=switching,
                    problem=None if state == "available" else state,
                )
            )
        return tuple(found)

    def _runs(self, place: Place) -> list[WorkflowStatus]:
        deployment = self._deployment
        client = deployment.client("stepfunctions", place)
        return [
            WorkflowStatus(
                machine=machine,
                region=self._deployment.region(place),
                name=each["name"],
                status=each["status"],
                started=each["startDate"].timestamp(),
                ended=each["stopDate"].timestamp() if "stopDate" in each else None,
            )
            for machine in MACHINES
            for each in client.list_executions(stateMachineArn=machine_arn(deployment, machine, place))["executions"]
        ]
