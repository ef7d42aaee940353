"""Expectations beyond traffic and targets: workflows, databases, the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from drill.model.expectation import Finding, Observation
from drill.model.status import DatabaseStatus, WorkflowStatus
from shared.places import Place


@dataclass(frozen=True)
class DatabasesFollow:
    """Both members run, the one at `writer` writes, and the other one is close behind it."""

    writer: Place = Place.PRIMARY
    lag_aws_seconds: float = 5.0

    @property
    def statement(self) -> str:
        return f"the database writes in the {self.writer} region and the other one follows"

    def check(self, observed: Observation) -> Finding:
        members = {each.region: each for each in observed.status.databases}
        evidence = ", ".join(_described(each) for each in members.values()) or "no database"
        if set(members) != set(observed.regions.values()):
            return Finding(met=False, evidence=evidence)
        writer, reader = members[observed.regions[self.writer]], members[observed.regions[self.writer.other]]
        met = (
            all(each.running and not each.switching and not each.problem for each in (writer, reader))
            and (writer.role, reader.role) == ("writer", "reader")
            and reader.lag_seconds is not None
            and reader.lag_seconds <= self.lag_aws_seconds
        )
        return Finding(met=met, evidence=evidence)


def _described(member: DatabaseStatus) -> str:
    state = member.problem or member.switching or ("runs" if member.running else "does not run")
    lag = "" if member.lag_seconds is None else f", {member.lag_seconds:.1f} AWS s behind"
    return f"{member.region} {member.role} {state}{lag}"


@dataclass(frozen=True)
class ReaderBehind:
    """The reader is at least this far behind."""

    aws_seconds: float

    @property
    def statement(self) -> str:
        return f"the database's reader is {self.aws_seconds:g} s behind"

    def check(self, observed: Observation) -> Finding:
        lags = [each.lag_seconds for each in observed.status.databases if each.lag_seconds is not None]
        behind = max(lags, default=0.0)
        return Finding(met=behind >= self.aws_seconds, evidence=f"{behind:.1f} AWS s behind")


@dataclass(frozen=True)
class LedgerKeepsUp:
    """The writer's ledger holds the acknowledged payments, but for the last seconds; without load, all of them."""

    aws_seconds: float = 10.0
    needs_ledger: bool = True

    statement: ClassVar[str] = "the ledger holds the acknowledged payments"

    def check(self, observed: Observation) -> Finding:
        if observed.posted is None:
            return Finding(met=False, evidence="the writer's ledger does not answer")
        allowed = observed.rate * max(2.0, self.aws_seconds / observed.speed)
        evidence = f"{observed.posted} posted of {observed.acknowledged} acknowledged"
        return Finding(met=observed.acknowledged - observed.posted <= allowed, evidence=evidence)


@dataclass(frozen=True)
class Runs:
    """As many runs of a workflow as expected have begun, and have ended if they are to."""

    kind: str  # failover or failback
    at_least: int = 1
    ended: bool = True

    @property
    def statement(self) -> str:
        return f"the {self.kind} has {'ended' if self.ended else 'begun'}"

    def check(self, observed: Observation) -> Finding:
        runs = new_runs(observed, self.kind)
        counted = [run for run in runs if not (self.ended and run.is_running)]
        evidence = ", ".join(f"{run.name} {run.status.lower()}" for run in runs) or f"no run of the {self.kind}"
        met = len(counted) >= self.at_least and (not self.ended or len(counted) == len(runs))
        return Finding(met=met, evidence=evidence)


@dataclass(frozen=True)
class NothingRuns:
    """No execution of failover or failback is in progress."""

    statement: ClassVar[str] = "no failover or failback is in progress"

    def check(self, observed: Observation) -> Finding:
        running = [run.name for run in observed.status.workflows if run.is_running]
        return Finding(met=not running, evidence=", ".join(running) or "none")


def new_runs(observed: Observation, kind: str | None = None) -> Sequence[WorkflowStatus]:
    """The workflow runs that began during this drill, the oldest first."""
    runs = [run for run in observed.status.workflows if run.name not in observed.before and kind in (None, run.kind)]
    return sorted(runs, key=lambda run: run.started or 0.0)


@dataclass(frozen=True)
class DatabaseSwitches:
    """A change of writer is in progress."""

    statement: ClassVar[str] = "a change of the database's writer is in progress"

    def check(self, observed: Observation) -> Finding:
        switching = [each.switching for each in observed.status.databases if each.switching]
        return Finding(met=bool(switching), evidence=", ".join(switching) or "no change of writer")


@dataclass(frozen=True)
class CooledDown:
    """The last failover or failback ended long enough ago for a sentinel to act again."""

    aws_seconds: float = 300.0  # functions/sentinel/settings.py

    statement: ClassVar[str] = "the sentinels' cool-down is over"

    def left(self, observed: Observation) -> float:
        """AWS seconds until then."""
        ended = max((run.ended for run in observed.status.workflows if run.ended is not None), default=None)
        return 0.0 if ended is None else max(0.0, self.aws_seconds - (observed.at - ended) * observed.speed)

    def check(self, observed: Observation) -> Finding:
        left = self.left(observed)
        return Finding(met=not left, evidence=f"{left:.0f} AWS s are left")
