"""The runner, when a step does not go as planned."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill.actions.faults import Fault, FlapRegion, Recover, lose_region, lose_service, recover_region, restore_service
from drill.actions.poison import Poison
from drill.actions.regions import StartFailover
from drill.actions.sentinels import DisableSentinel
from drill.engine.cleanup import ROLLBACKS
from drill.model import context
from drill.model.errors import ActionError, CouldNotStart, RollbackIncomplete
from drill.model.faults import Effect, OutageMode
from drill.model.objectives import NoTakeOver, Objectives, Service
from drill.model.scenario import Load, Scenario, SecondRun, SnapshotLedger, Step, WaitFor
from drill.model.status import ControlCall
from drill.probes.traffic import ServedBy, TargetsHealthy
from drill.runlog.entries import ActionBegun, ActionDone, Probe, RolledBack
from drill.scenarios.simulated import SCENARIOS
from shared.places import Place
from tests.drill.systems import Pages, System, ran

_STEADY = WaitFor(
    on_timeout="rollback", name="steady state", until=(TargetsHealthy(),), within_aws_seconds=0, within_seconds=0.4
)
OUTAGE = Load(name="outage", least_aws_seconds=0, least_seconds=0.5)
SCENARIO = Scenario(
    name="test",
    title="test",
    lost=Place.PRIMARY,
    hypothesis=_STEADY,
    method=(lose_region(Place.PRIMARY), OUTAGE),
    rollback=(recover_region(Place.PRIMARY), replace(_STEADY, name="return")),
    objectives=Objectives(service=Service(), take_over=NoTakeOver()),
)
CALL = ControlCall(
    caller="function", region="us-east-1", service="rds", operation="FailoverGlobalCluster", plane="control", count=1
)


def with_steps(method: Sequence[Step], rollback: Sequence[Step] = ()) -> Scenario:
    return replace(SCENARIO, method=tuple(method), rollback=tuple(rollback))


def test_steps_are_done_in_order_and_each_leaves_its_time_and_outcome(tmp_path: Path) -> None:
    system = System()

    result, progress = ran(system, tmp_path, SCENARIO)

    assert [each for each in system.done if each not in ("mark", "count")] == [
        "region-outage us-east-1 reset",
        "end region-outage us-east-1",
    ]
    assert [stage.name for stage in progress.stages] == [
        "reach the offered rate",
        "steady state",
        "take the primary region down",
        "outage",
        "bring the primary region back",
        "return",
        "steady state",
    ]
    assert {stage.outcome for stage in progress.stages} == {"done"}
    (fault,) = progress.faults
    assert fault.ended_at is not None
    assert fault.ended_at - fault.at >= 0.5
    assert (fault.region, fault.kind, fault.is_loss) == ("us-east-1", "reset", True)
    assert result.not_restored is None


def test_without_a_steady_state_nothing_is_touched(tmp_path: Path) -> None:
    system = System(healthy=False)

    with pytest.raises(CouldNotStart, match=r"did not reach a steady state: .*us-east-1 0 of 1"):
        ran(system, tmp_path, SCENARIO)

    assert system.done == []


def test_a_region_that_does_not_come_back_is_remembered_with_the_evidence(tmp_path: Path) -> None:
    result, progress = ran(System(returns=False), tmp_path, SCENARIO)

    assert result.not_restored == "return: targets are healthy in both regions: us-east-1 0 of 1, us-east-2 1 of 1"
    assert [stage.outcome for stage in progress.stages][-2:] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("step", "back", "undone"),
    [
        (lose_region(Place.PRIMARY), recover_region(Place.PRIMARY), "end region-outage us-east-1"),
        (lose_region(Place.SECONDARY, OutageMode.HANG), recover_region(Place.SECONDARY), "end region-outage us-east-2"),
        (Fault(Effect.PARTITION), Recover(Effect.PARTITION), "end partition us-east-1 us-east-2"),
        (
            Fault(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
            Recover(Effect.SENTINEL_ISOLATION, Place.SECONDARY),
            "end sentinel-isolation us-east-2",
        ),
        (
            Fault(Effect.DATABASE_OUTAGE, Place.PRIMARY),
            Recover(Effect.DATABASE_OUTAGE, Place.PRIMARY),
            "end database-outage us-east-1",
        ),
        (Fault(Effect.REPLICA_LAG, aws_seconds=30), Recover(Effect.REPLICA_LAG), "end replica-lag us-east-1 us-east-2"),
        (lose_service("events"), restore_service("events"), "end service-outage us-east-1 us-east-2 events"),
        (
            lose_service("rds-data", Place.PRIMARY),
            restore_service("rds-data", Place.PRIMARY),
            "end service-outage us-east-1 rds-data",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_run_that_is_cancelled_takes_back_what_was_changed_and_writes_that_down(
    tmp_path: Path, step: Step, back: Step, undone: str
) -> None:
    system, journal = System(), Pages()

    with pytest.raises(TimeoutError):
        ran(system, tmp_path, with_steps([step, OUTAGE], [back]), cancel_after=0.3, journal=journal)

    assert system.done[-1] == undone
    entries = [entry for entry in journal.entries if not isinstance(entry, Probe)]
    assert [(type(entry), getattr(entry, "outcome", None)) for entry in entries] == [
        (ActionBegun, None),
        (ActionDone, "done"),
        (RolledBack, "done"),
    ]


def test_changes_are_taken_back_in_reverse_order(tmp_path: Path) -> None:
    system = System()
    scenario = with_steps(
        [Fault(Effect.REPLICA_LAG, aws_seconds=30), lose_region(Place.PRIMARY), OUTAGE],
        [recover_region(Place.PRIMARY), Recover(Effect.REPLICA_LAG)],
    )

    with pytest.raises(TimeoutError):
        ran(system, tmp_path, scenario, cancel_after=0.3)

    assert [each for each in system.done if each not in ("mark", "count")] == [
        "replica-lag us-east-1 us-east-2 30",
        "region-outage us-east-1 reset",
        "end region-outage us-east-1",
        "end replica-lag us-east-1 us-east-2",
    ]


def test_what_undoes_a_change_is_written_down_before_the_change_is_made(tmp_path: Path) -> None:
    system, journal = System(), Pages()

    async def refuse(effect: Effect, regions: Sequence[str], *, mode: OutageMode, **_: Any) -> None:
        assert isinstance(journal.entries[-1], ActionBegun)
        assert journal.entries[-1].rollback == {
            "change": "Recover",
            "effect": "region-outage",
            "place": "primary",
            "service": "",
        }
        system.done.append(f"tried {effect} {' '.join(regions)} {mode}")
        raise ActionError("the answer was lost")

    system.inject = refuse  # type: ignore[method-assign]
    with pytest.raises(ActionError, match="the answer was lost"):
        ran(system, tmp_path, SCENARIO, journal=journal)

    assert [each for each in system.done if each not in ("mark", "count")] == [
        "tried region-outage us-east-1 reset",
        "end region-outage us-east-1",
    ]


def test_a_flap_takes_itself_back(tmp_path: Path) -> None:
    system = System()
    flap = FlapRegion(Place.PRIMARY, times=2, away_aws_seconds=3, back_aws_seconds=2)

    _, progress = ran(system, tmp_path, with_steps([flap]), speed=50)

    assert system.done == ["region-outage us-east-1 reset", "end region-outage us-east-1"] * 2
    (fault,) = progress.faults
    assert fault.ended_at is not None


def test_a_region_that_can_only_be_healed_at_a_later_attempt_is_healed(tmp_path: Path) -> None:
    system = System(refused_recoveries=3)

    with pytest.raises(ActionError):
        ran(system, tmp_path, SCENARIO)

    assert system.done[-1] == "end region-outage us-east-1"


def test_a_region_that_cannot_be_healed_is_named_with_what_is_left_to_do(tmp_path: Path) -> None:
    with pytest.raises(RollbackIncomplete, match="left to do: bring the primary region back: no answer"):
        ran(System(refused_recoveries=9), tmp_path, SCENARIO)


def test_failed_observations_are_kept_as_evidence(tmp_path: Path) -> None:
    result, _ = ran(System(unobserved=True), tmp_path, SCENARIO)

    assert result.unobserved
    assert all("no answer" in evidence for evidence in result.unobserved)


def test_a_timeout_is_reported_and_the_rollback_continues(tmp_path: Path) -> None:
    system = System()
    hope = WaitFor(name="a miracle", until=(ServedBy(Place.SECONDARY),), within_aws_seconds=20)

    result, _ = ran(
        system, tmp_path, with_steps([lose_region(Place.PRIMARY), hope], [recover_region(Place.PRIMARY)]), speed=50
    )

    (awaited,) = result.awaited
    assert (awaited.name, awaited.met, awaited.limit) == ("a miracle", False, 0.4)
    assert awaited.seconds >= 0.4
    assert "sends clients to the secondary region" in awaited.evidence
    assert system.done[-1] == "end region-outage us-east-1"


def test_calls_are_counted_from_the_loss_to_just_before_the_return(tmp_path: Path) -> None:
    elsewhere = CALL.model_copy(update={"region": "us-east-2"})
    edge = CALL.model_copy(update={"region": "us-west-2", "service": "globalaccelerator"})
    system = System(calls=(CALL, elsewhere, edge))

    result, _ = ran(system, tmp_path, SCENARIO)

    assert system.done == ["mark", "region-outage us-east-1 reset", "count", "end region-outage us-east-1"]
    assert (result.calls_counted, result.control_calls) == (True, [CALL, edge])


def test_stock_is_taken_and_the_programs_are_run_again(tmp_path: Path) -> None:
    system = System(changes={"primary": [], "global": ["updated: a", "updated: b"]})
    steps: list[Step] = [SnapshotLedger(name="stock", place=Place.PRIMARY), SecondRun(name="again")]

    result, progress = ran(system, tmp_path, with_steps(steps))

    assert system.done == ["read us-east-1", "again"]
    assert (result.ledger_snapshots, result.second_runs) == ({"us-east-1": {}}, [system.changes])
    assert "global 2 changes" in progress.stages[-2].detail


def test_a_failed_observation_is_reported_and_the_run_continues(tmp_path: Path) -> None:
    system = System(mute=True)
    steps: list[Step] = [SnapshotLedger(name="stock", place=Place.PRIMARY), SecondRun(name="again")]

    result, progress = ran(
        system, tmp_path, with_steps([*steps, lose_region(Place.PRIMARY)], [recover_region(Place.PRIMARY)])
    )

    assert system.done == ["region-outage us-east-1 reset", "end region-outage us-east-1"]
    assert (result.ledger_snapshots, result.second_runs, result.calls_counted) == ({}, [], False)
    assert len(result.unobserved) == 4
    assert [stage.outcome for stage in progress.stages[2:4]] == ["failed", "failed"]


def test_a_scenario_that_does_not_undo_what_it_does_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="does not roll back what it changes: take the primary region down"):
        replace(SCENARIO, rollback=())


def test_a_scenario_that_brings_back_the_other_region_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="does not roll back"):
        replace(SCENARIO, rollback=(recover_region(Place.SECONDARY),))


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_change_of_every_scenario_can_be_taken_back_by_another_process(name: str) -> None:
    for step in SCENARIOS[name].steps:
        back = getattr(step, "rollback", None)
        if back is not None:
            assert context.from_plain(ROLLBACKS, context.plain(back)) == back


def test_there_are_steps_with_an_undo_of_every_kind() -> None:
    """So that the test before this one looks at something."""
    undoing = {
        type(step) for scenario in SCENARIOS.values() for step in scenario.steps if getattr(step, "rollback", None)
    }

    assert undoing == {DisableSentinel, Fault, FlapRegion, Poison, StartFailover}
    used = {step.effect for each in SCENARIOS.values() for step in each.steps if isinstance(step, Fault)}
    assert set(Effect) == used
