"""How a drill looks at a deployed environment: AWS's own answers, at a pace that AWS does not mind."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drill.model.control_plane_calls import ControlCall
from drill.model.errors import ProbeError
from drill.model.ledger_row import Row
from drill.model.status import DatabaseStatus, Status, TargetStatus, WorkflowStatus
from drill.model.target import MACHINES, Site
from drill.observe.aws import is_fenced, looking
from drill.preflight import database
from shared.naming import Names
from shared.places import Place

# Reads one run's ledger rows through the Data API, since the database is not reachable from outside its VPC.
#
# Data API answers for the member that writes only [AURORA-17], so the other one's rows are not compared.


_COLUMNS = (
    "payment_id", "amount", "currency", "debtor", "creditor", "reference", "content_hash", "posted_in", "writer_epoch",
    "posted_at",
)  # fmt: skip
_PAGE = 1000  # rows in an answer, which holds at most 1 MiB
_NO_TABLE = ("42P01", "1146")  # PostgreSQL's and MySQL's word for it; the first payment makes the table


class EnvironmentLedger:
    """Reads what references with `prefix` were posted as."""

    def __init__(self, site: Site, prefix: str) -> None:
        self._site, self._prefix = site, prefix

    def count(self, place: Place) -> int:
        """Raises ProbeError."""
        found = self._ask(place, "SELECT count(*) FROM ledger WHERE reference LIKE :prefix")
        return int(_plain(found[0][0])) if found else 0

    def rows(self, place: Place) -> dict[str, Row]:
        """By payment id. Raises ProbeError."""
        rows: dict[str, Row] = {}
        while True:
            found = self._ask(
                place,
                f"SELECT {', '.join(map(_as_text, _COLUMNS))} FROM ledger WHERE reference LIKE :prefix "
                f"ORDER BY payment_id LIMIT {_PAGE} OFFSET {len(rows)}",
            )
            rows |= {row.payment_id: row for row in map(_row, found)}
            if len(found) < _PAGE:
                return rows

    def _ask(self, place: Place, sql: str) -> list[list[dict[str, Any]]]:
        deployment = self._site.whole
        names = Names(deployment.suffix)
        with looking(f"the ledger in {self._site.region(place)} does not answer"):
            secret = self._site.client("secretsmanager", place).describe_secret(SecretId=names.database_secret)["ARN"]
            client = self._site.client("rds-data", place)
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
    """Both engines take `char`; a number must not pass through floating point."""
    return f"CAST({column} AS char(200))" if column in ("amount", "writer_epoch", "posted_at") else column


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
        posted_at=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
    )


def writer(site: Site) -> Place:
    """Where the ledger is written now. Raises ProbeError."""
    with looking("the database's writer cannot be found"):
        found = database.writer(site.whole)
    if found is None:
        raise ProbeError("the global database has no writer")
    return found


_FRESH_AWS_SECONDS = 2.0
"""An answer is believed for so long: a look takes about twenty calls, and describing is throttled by the account."""


class EnvironmentWatch:
    """What `drill.observe.local.LocalWatch` is for the embedded AWS. `prefix` is what this run's references begin
    with."""

    def __init__(self, site: Site, prefix: str) -> None:
        self._site = site
        self._ledger = EnvironmentLedger(site, prefix)
        self._status: Status | None = None
        self._looked_at = 0.0

    async def status(self) -> Status:
        if self._status is None or time.monotonic() - self._looked_at >= _FRESH_AWS_SECONDS / self._site.speed:
            self._status = await asyncio.to_thread(self._look)
            self._looked_at = time.monotonic()
        return self._status

    async def posted(self, status: Status) -> int:
        writer = status.writer
        place = next((place for place in Place if writer and self._site.region(place) == writer.region), None)
        if place is None:
            raise ProbeError("there is no writer")
        return await asyncio.to_thread(self._ledger.count, place)

    async def written(self) -> dict[str, dict[str, Row]]:
        """The writer's rows, by its region. Raises ProbeError."""
        place = await asyncio.to_thread(writer, self._site)
        return {self._site.region(place): await asyncio.to_thread(self._ledger.rows, place)}

    async def rows(self, _status: Status, region: str) -> dict[str, Row]:
        raise ProbeError(
            f"the database in {region} is not reachable from outside its VPC; only the writer's rows can be read"
        )

    async def second_run(self) -> dict[str, int]:
        raise ProbeError("the stack programs are run by `make preview`, not by a drill")

    async def mark_calls(self) -> None:
        raise ProbeError("only the embedded AWS counts the calls of our functions; CloudTrail has them")

    async def calls(self) -> list[ControlCall]:
        raise ProbeError("only the embedded AWS counts the calls of our functions; CloudTrail has them")

    def _look(self) -> Status:
        with looking("the environment cannot be looked at"):
            return Status(
                targets=tuple(target for place in Place for target in self._targets(place)),
                databases=self._databases(),
                workflows=tuple(run for place in Place for run in self._runs(place)),
                fenced=tuple(self._site.region(place) for place in Place if is_fenced(self._site, place)),
            )

    def _targets(self, place: Place) -> list[TargetStatus]:
        arn = self._site.whole.cell(place).ingress.target_group_arn
        answer = self._site.client("elbv2", place).describe_target_health(TargetGroupArn=arn)
        return [
            TargetStatus(
                region=self._site.region(place),
                target_group=arn.split("/")[-2],
                state=each["TargetHealth"]["State"],
                reason=each["TargetHealth"].get("Reason"),
            )
            for each in answer["TargetHealthDescriptions"]
        ]

    def _databases(self) -> tuple[DatabaseStatus, ...]:
        deployment = self._site.whole
        answer = self._site.client("rds", Place.SECONDARY).describe_global_clusters(
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
                    region=self._site.region(place),
                    cluster=arn.rpartition(":")[2],
                    role="writer" if arn in writers else "reader",
                    running=state == "available",
                    switching=switching,
                    problem=None if state == "available" else state,
                )
            )
        return tuple(found)

    def _runs(self, place: Place) -> list[WorkflowStatus]:
        client = self._site.client("stepfunctions", place)
        return [
            WorkflowStatus(
                machine=machine,
                region=self._site.region(place),
                name=each["name"],
                status=each["status"],
                started=each["startDate"].timestamp(),
                ended=each["stopDate"].timestamp() if "stopDate" in each else None,
            )
            for machine in MACHINES
            for each in client.list_executions(stateMachineArn=self._site.machines[machine, place])["executions"]
        ]
