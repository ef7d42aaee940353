"""Expectations about workflows, databases and the ledger."""

from typing import Any

import pytest

from drill.model.expectation import Expectation, Observation
from drill.model.status import Status
from drill.probes.announcements import Announced, Unannounced
from drill.probes.recovery import (
    CooledDown,
    DatabasesFollow,
    DatabaseSwitches,
    LedgerKeepsUp,
    NothingRuns,
    ReaderBehind,
    Runs,
)
from shared.places import Place

REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}


def databases(*, writer: str = "us-east-1", lag: float | None = 0.5, **changes: Any) -> dict[str, Any]:
    """Both members, well; `changes` are the reader's."""
    rows = []
    for region in REGIONS.values():
        role = "writer" if region == writer else "reader"
        seen: dict[str, Any] = {"region": region, "role": role, "running": True}
        rows.append(seen if role == "writer" else seen | {"lag_seconds": lag} | changes)
    return {"databases": rows}


def workflows(*runs: tuple[str, str, float | None]) -> dict[str, Any]:
    return {
        "workflows": [
            {
                "machine": f"{name.partition('-')[0]}-secondary-dev",
                "region": "us-east-2",
                "name": name,
                "status": status,
                "started": 1.0,
                "ended": ended,
            }
            for name, status, ended in runs
        ]
    }


def observation(content: dict[str, Any] | None = None, **known: Any) -> Observation:
    return Observation(status=Status.model_validate(content or {}), regions=REGIONS, speed=5.0, **known)


@pytest.mark.parametrize(
    ("expectation", "seen", "met"),
    [
        (DatabasesFollow(), observation(databases()), True),
        (DatabasesFollow(), observation(databases(writer="us-east-2")), False),
        (DatabasesFollow(Place.SECONDARY), observation(databases(writer="us-east-2")), True),
        (DatabasesFollow(), observation(databases(lag=6.0)), False),
        (DatabasesFollow(), observation(databases(lag=None)), False),
        (DatabasesFollow(), observation(databases(running=False)), False),
        (DatabasesFollow(), observation(databases(switching="switching-over")), False),
        (DatabasesFollow(), observation(databases(problem="it broke")), False),
        (DatabasesFollow(), observation(), False),
        (ReaderBehind(24), observation(databases(lag=24.1)), True),
        (ReaderBehind(24), observation(databases(lag=23.9)), False),
        (ReaderBehind(24), observation(), False),
        (DatabaseSwitches(), observation(databases(switching="switching-over")), True),
        (DatabaseSwitches(), observation(databases()), False),
        (LedgerKeepsUp(), observation(acknowledged=100, posted=100), True),
        (LedgerKeepsUp(), observation(acknowledged=100, posted=99), False),
        (LedgerKeepsUp(), observation(acknowledged=200, posted=100, rate=50.0), True),
        (LedgerKeepsUp(), observation(acknowledged=201, posted=100, rate=50.0), False),
        (LedgerKeepsUp(), observation(acknowledged=0, posted=None), False),
        (NothingRuns(), observation(workflows(("failover-1", "SUCCEEDED", 2.0))), True),
        (NothingRuns(), observation(workflows(("failover-1", "RUNNING", None))), False),
        (Runs("failover"), observation(workflows(("failover-1", "SUCCEEDED", 2.0))), True),
        (Runs("failover"), observation(workflows(("failover-1", "FAILED", 2.0))), True),
        (Runs("failover"), observation(workflows(("failover-1", "RUNNING", None))), False),
        (Runs("failover", ended=False), observation(workflows(("failover-1", "RUNNING", None))), True),
        (Runs("failover"), observation(workflows(("failback-1", "SUCCEEDED", 2.0))), False),
        (
            Runs("failover"),
            observation(workflows(("failover-1", "SUCCEEDED", 2.0)), before=frozenset({"failover-1"})),
            False,
        ),
        (
            Runs("failover"),
            observation(workflows(("failover-1", "SUCCEEDED", 2.0), ("failover-2", "RUNNING", None))),
            False,
        ),
        (Runs("failover"), observation(), False),
        (CooledDown(), observation(), True),
        (CooledDown(), observation(workflows(("failback-1", "SUCCEEDED", 1000.0)), at=1059.0), False),
        (CooledDown(), observation(workflows(("failback-1", "SUCCEEDED", 1000.0)), at=1061.0), True),
    ],
)
def test_an_expectation_is_met_by_its_condition_and_nothing_less(
    expectation: Expectation, seen: Observation, met: bool
) -> None:
    finding = expectation.check(seen)

    assert finding.met is met, finding.evidence
    assert finding.evidence


@pytest.mark.parametrize(
    ("found", "met"),
    [
        (Unannounced(rows=0, seconds=0.0), True),
        (Unannounced(rows=20, seconds=44.0), True),  # on their way: 176 AWS s
        (Unannounced(rows=1, seconds=46.0), False),
        (None, False),
    ],
)
def test_every_row_but_the_last_seconds_must_be_announced(found: Unannounced | None, met: bool) -> None:
    gathered = {} if found is None else {Announced().statement: found}

    assert Announced().check(Observation(speed=4.0, gathered=gathered)).met is met
