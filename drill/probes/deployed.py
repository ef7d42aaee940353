"""Expectations about a deployed environment, read from AWS itself: regions, parameters, events."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from drill.actions import events as actions_events
from drill.actions import parameters, restore
from drill.model.expectation import Finding, Observation
from drill.observe.aws import is_refused, observing
from drill.observe.journal import read_sample
from drill.preflight import control_records
from shared.deployment import Deployment
from shared.places import Place

_UNSEEN = "it could not be observed"
_ON_ITS_WAY_AWS_SECONDS = 20.0
"""A payment may be on its way from the other replica; far above what replication takes."""


@dataclass(frozen=True)
class NobodyFenced:
    statement: ClassVar[str] = "no region is fenced"

    def check(self, observed: Observation) -> Finding:
        fenced = observed.status.fenced
        return Finding(met=not fenced, evidence=f"{', '.join(fenced) or 'none'} fenced")


@dataclass(frozen=True)
class WriterAt:
    """Both members are available, and the one at `place` is the writer; no change of writer is under way."""

    place: Place

    @property
    def statement(self) -> str:
        return f"the database writes in the {self.place} region"

    def check(self, observed: Observation) -> Finding:
        members = {each.region: each for each in observed.status.databases}
        evidence = ", ".join(
            f"{each.region} {each.role} {each.problem or each.switching or 'available'}" for each in members.values()
        )
        wanted = members.get(observed.regions[self.place])
        met = (
            set(members) == set(observed.regions.values())
            and all(each.running and not each.switching for each in members.values())
            and wanted is not None
            and wanted.role == "writer"
        )
        return Finding(met=met, evidence=evidence or "no database")


@dataclass(frozen=True)
class CoolDownOver:
    """The last change of writer and the last return of a region are long enough ago for another failover."""

    aws_seconds: float = 300.0  # functions/recovery/settings.py

    statement: ClassVar[str] = "the last change is long enough ago for another failover"

    def gather(self, deployment: Deployment) -> float | None:
        """The Unix time of the last change."""
        keys = [control_records.region_key(region) for region in deployment.regions.values()]
        moments = []
        with observing("the control records cannot be read"):
            for key in (*keys, control_records.WRITER_KEY):
                answer = deployment.client("dynamodb", Place.SECONDARY).get_item(
                    TableName=deployment.global_outputs.journal_table, Key={"pk": {"S": key}}, ConsistentRead=True
                )
                item: dict[str, Any] = answer.get("Item", {})
                if "since" in item and item.get("state", {}).get("S", control_records.ACTIVE) == control_records.ACTIVE:
                    moments.append(datetime.fromisoformat(item["since"]["S"]).timestamp())
        return max(moments, default=None)

    def check(self, observed: Observation) -> Finding:
        if self.statement not in observed.gathered:
            return Finding(met=False, evidence=_UNSEEN)
        moment = observed.gathered[self.statement]
        left = 0.0 if moment is None else max(0.0, self.aws_seconds - (observed.at - moment) * observed.speed)
        return Finding(met=not left, evidence=f"{left:.0f} AWS s are left")


@dataclass(frozen=True)
class ParametersAgree:
    """The parameter that a drill changed in both regions has one value again: the later one."""

    statement: ClassVar[str] = "the parameter has the later value in both regions"

    def gather(self, deployment: Deployment) -> dict[str, str | None]:
        return {deployment.region(place): _value(deployment, place) for place in Place}

    def check(self, observed: Observation) -> Finding:
        held: dict[str, str | None] = observed.gathered.get(self.statement, {})
        wanted = parameters.value(Place.SECONDARY)
        met = bool(held) and all(value == wanted for value in held.values())
        return Finding(met=met, evidence=_held(held))


@dataclass(frozen=True)
class ParameterGone:
    statement: ClassVar[str] = "the parameter is gone in both regions"

    def gather(self, deployment: Deployment) -> dict[str, str | None]:
        return {deployment.region(place): _value(deployment, place) for place in Place}

    def check(self, observed: Observation) -> Finding:
        held: dict[str, str | None] = observed.gathered.get(self.statement, {})
        return Finding(met=bool(held) and not any(held.values()), evidence=_held(held))


def _value(deployment: Deployment, place: Place) -> str | None:
    with observing(f"the parameter in {deployment.region(place)} cannot be read"):
        try:
            found = deployment.client("ssm", place).get_parameter(Name=parameters.parameter(deployment))
        except ClientError as error:
            if is_refused(error, "ParameterNotFound"):
                return None
            raise
    return str(found["Parameter"]["Value"])


def _held(held: dict[str, str | None]) -> str:
    return ", ".join(f"{region}: {value or 'none'}" for region, value in held.items()) or _UNSEEN


@dataclass(frozen=True)
class EventArrives:
    """An event with this mark arrives at `place`, and the bus of `taken` accepted it, if a place is given."""

    mark: str
    place: Place
    taken: Place | None = None

    @property
    def statement(self) -> str:
        by = f", taken in the {self.taken} region" if self.taken else ""
        return f"an event ({self.mark}) reaches the {self.place} region's bus{by}"

    def gather(self, deployment: Deployment) -> list[str]:
        """The regions that took the events heard so far. A queue shows only some of its messages each time."""
        with observing(f"the drill's queue in {deployment.region(self.place)} cannot be read"):
            url = actions_events.queue_url(deployment, self.place)
            found = deployment.client("sqs", self.place).receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
        events = [json.loads(message["Body"]) for message in found.get("Messages", [])]
        return [event["region"] for event in events if event.get("detail", {}).get("mark") == self.mark]

    def check(self, observed: Observation) -> Finding:
        regions: list[str] = observed.gathered.get(self.statement, [])
        wanted = observed.regions[self.taken] if self.taken else None
        met = bool(regions) and (wanted is None or wanted in regions)
        return Finding(met=met, evidence=f"taken in {', '.join(sorted(set(regions)))}" if regions else "none heard")


@dataclass(frozen=True)
class RestoredRowsHold:
    """The restored journal equals the one in use, row by row, for a sample of payments."""

    place: Place
    rows: int = 500

    statement: ClassVar[str] = "the restored journal holds the payments of the one in use"

    def gather(self, deployment: Deployment) -> tuple[int, list[str]]:
        """The number of rows compared, and those that differ."""
        client = deployment.client("dynamodb", self.place)
        with observing("the restored journal cannot be read"):
            kept = read_sample(client, restore.restored(deployment), limit=self.rows)
            used = read_sample(client, deployment.global_outputs.journal_table, keys=list(kept))
            described = client.describe_table(TableName=restore.restored(deployment))["Table"]
            until = described.get("RestoreSummary", {}).get("RestoreDateTime", described["CreationDateTime"])
            recent = read_sample(client, deployment.global_outputs.journal_table, limit=self.rows)
            until -= timedelta(seconds=_ON_ITS_WAY_AWS_SECONDS / deployment.speed)
            older = {key for key, item in recent.items() if datetime.fromisoformat(item["accepted_at"]) < until}
            again = read_sample(client, restore.restored(deployment), keys=sorted(older))
        differing = [key for key, item in kept.items() if used.get(key) != item]
        return len(kept), sorted({*differing, *(older - set(again))})

    def check(self, observed: Observation) -> Finding:
        if self.statement not in observed.gathered:
            return Finding(met=False, evidence=_UNSEEN)
        count, differing = observed.gathered[self.statement]
        evidence = f"{count} compared, {len(differing)} differ" + (f", first {differing[0]}" if differing else "")
        return Finding(met=count > 0 and not differing, evidence=evidence)
