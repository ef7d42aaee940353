"""How a drill looks at a deployed environment: AWS's own answers, at a pace that AWS does not mind."""

import asyncio
import time
from typing import Any

from drill import environment_ledger
from drill.asking import is_fenced, looking
from drill.check import database
from drill.control_calls import ControlCall
from drill.environment_ledger import EnvironmentLedger
from drill.ledger import Row
from drill.probes import DatabaseStatus, ProbeError, Status, TargetStatus, WorkflowStatus
from drill.site import MACHINES, Site
from shared.places import Place

_FRESH_AWS_SECONDS = 2.0
"""An answer is believed for so long: a look takes about twenty calls, and describing is throttled by the account."""


class EnvironmentWatch:
    """What `drill.watch.LocalWatch` is for the embedded AWS. `prefix` is what this run's references begin with."""

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
        place = await asyncio.to_thread(environment_ledger.writer, self._site)
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
        arn = self._site.whole.cell(place).target_group_arn
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
            GlobalClusterIdentifier=deployment.spanning.global_cluster_id
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
