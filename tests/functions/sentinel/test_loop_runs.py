"""Runs that a sentinel starts after others: after failed ones, and to bring a fenced region back."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from common.clock import timestamp
from common.telemetry import flush
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.sentinel.loop_world import START, Scene, _present, put, scene

__all__ = ["_present", "scene"]


def test_runs_that_fail_are_followed_by_others_with_growing_pauses_as_long_as_the_loss_lasts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    scene.loop.settings = scene.loop.settings.model_copy(update={"eager_interval_seconds": 10.0})
    describe = scene.states.describe_execution

    def on_this_clock(**asked: str) -> dict[str, Any]:
        """moto stops an execution at the real time."""
        found: dict[str, Any] = describe(**asked)
        number = int(found["name"].rpartition("-")[2])
        ended = START + timedelta(seconds=scene.started_at[number])
        return {**found, "stopDate": ended, "status": "FAILED"}

    monkeypatch.setattr(scene.states, "describe_execution", on_this_clock)
    for minute in range(65):
        scene.run()
        for run in scene.states.list_executions(stateMachineArn=scene.failover, statusFilter="RUNNING")["executions"]:
            scene.states.stop_execution(executionArn=run["executionArn"])
        if minute == 20:
            scene.restart()

    pauses = [round((later - earlier) / 60) for earlier, later in pairwise(scene.started_at)]
    assert pauses == [1, 2, 4, 8, 15, 15, 15], "minutes from one run to the next"
    assert {line["reason"] for line in scene.lines() if line.get("verdict") == "act"} == {"peer-lost"}
    names = sorted(run["name"] for run in scene.executions())
    assert names == [f"failover-{EAST_1}-0-0-{attempt}" for attempt in range(8)]


def test_a_failover_that_failed_after_it_moved_the_writer_is_finished(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    scene.run()
    (first,) = scene.executions()
    put(scene, f"control#run#{EAST_2}", execution=first["executionArn"], since=timestamp(START))
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since=timestamp(START), by=first["name"])
    put(scene, "control#writer", region=EAST_2, epoch=1, since=timestamp(START), by=first["name"])
    scene.states.stop_execution(executionArn=first["executionArn"])

    scene.run(2)

    (second,) = [run for run in scene.executions() if run["status"] == "RUNNING"]
    assert second["name"] == f"failover-{EAST_1}-1-1-0"
    asked = json.loads(scene.states.describe_execution(executionArn=second["executionArn"])["input"])
    assert (asked["epoch"], asked["reason"]) == (1, "failover-unfinished")


@pytest.mark.parametrize(
    ("writer", "state", "unable"), [(EAST_2, "fenced", 1), (EAST_2, "active", 0), (EAST_1, "fenced", 0)]
)
def test_a_region_without_a_survivor_is_reported(
    scene: Scene, capsys: pytest.CaptureFixture[str], writer: str, state: str, unable: int
) -> None:
    put(scene, f"region#{EAST_1}", state=state, epoch=1, since=timestamp(START), by="anna")
    put(scene, "control#writer", region=writer, epoch=1, since=timestamp(START), by="anna")

    scene.run()
    flush(scene.loop.metrics)

    published = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert published["PeerUnableToTakeOver"] == [unable]


@pytest.mark.parametrize(("by", "started"), [(f"failover-{EAST_1}-0-0-0", 1), ("by-hand-planned-1", 0)])
def test_a_region_that_a_failover_fenced_returns_after_ten_minutes_of_health(
    scene: Scene, by: str, started: int
) -> None:
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since=timestamp(START), by=by)
    put(scene, "control#writer", region=EAST_2, epoch=1, since=timestamp(START), by=by)
    for each in scene.endpoints[EAST_1]:
        each.fail(status_text="fenced")
    failback = scene.failover.replace("failover", "failback")

    scene.run(9)
    assert scene.states.list_executions(stateMachineArn=failback)["executions"] == []
    scene.run(3)

    found = scene.states.list_executions(stateMachineArn=failback)["executions"]
    assert len(found) == started
    for each in found:
        asked = json.loads(scene.states.describe_execution(executionArn=each["executionArn"])["input"])
        assert (asked["region"], asked["writer_region"], asked["mode"]) == (EAST_1, EAST_2, "return")
    assert scene.executions() == []


def test_a_failback_that_failed_is_finished_by_nobody(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    back = scene.states.start_execution(stateMachineArn=scene.failover.replace("failover", "failback"), name="back")
    put(scene, f"control#run#{EAST_2}", execution=back["executionArn"], since=timestamp(START))
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since=timestamp(START), by="run")
    put(scene, "control#writer", region=EAST_2, epoch=1, since=timestamp(START), by="run")
    scene.states.stop_execution(executionArn=back["executionArn"])

    assert "peer-already-fenced" in scene.run(2)
    assert scene.executions() == []
