"""A sentinel at work on real endpoints, tables and state machines: when it takes the peer region for lost."""

import json

import pytest
from sentinel.decision import Runs

from common.control.rules import Witness
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.sentinel.loop_world import Scene, _present, overload, put, scene

__all__ = ["_present", "scene"]


def test_while_the_peer_answers_a_run_leaves_one_line(scene: Scene) -> None:
    assert scene.run() == ["peer-answers"]

    (line,) = scene.lines()
    assert (line["message"], line["verdict"], line["reason"]) == ("decision", "hold", "peer-answers")
    assert line["evidence"]["rounds"]["last"] == {"api": "ok", "load-balancer": "ok"}
    assert scene.executions() == []


@pytest.mark.parametrize("lose_after", [60.5, 72.0, 99.0, 114.9])
def test_a_lost_region_is_acted_upon_within_45_seconds(scene: Scene, lose_after: float) -> None:
    scene.lose_after, scene.witness_agrees_after = lose_after, 40.0

    scene.run(4)

    assert len(scene.executions()) == 1, "it was started again while it runs"
    assert scene.started_at[0] - lose_after <= 45
    asked = json.loads(scene.states.describe_execution(executionArn=scene.executions()[0]["executionArn"])["input"])
    assert (asked["region"], asked["epoch"], asked["by"]) == (EAST_1, 0, "sentinel")
    assert asked["failing_since"] < asked["detected_at"]


def test_an_overloaded_region_is_left_alone(scene: Scene) -> None:
    overload(scene)

    assert set(scene.run(9)) <= {"not-enough-failures", "peer-overloaded"}
    assert scene.executions() == []
    (line, *_) = [line for line in scene.lines() if line["reason"] == "peer-overloaded"]
    assert line["evidence"]["rounds"]["last"] == {"api": "overloaded", "load-balancer": "overloaded"}
    assert line["evidence"]["peer_journal"]


def test_a_region_that_stays_overloaded_counts_as_lost(scene: Scene) -> None:
    overload(scene)

    scene.run(11)

    assert len(scene.executions()) == 1
    assert 600 <= scene.started_at[0] < 605


def test_an_overloaded_region_whose_journal_is_gone_as_well_is_lost_at_once(scene: Scene) -> None:
    scene.run()  # so that the witness vouches for this region without a gap
    overload(scene)
    scene.tables.silent = {EAST_1}

    scene.run()

    assert len(scene.executions()) == 1


def test_two_sentinels_start_one_run(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 60.5, 0.0
    machines = scene.loop.ctx.machines
    scene.run(2)
    (run,) = scene.executions()
    stem, _, attempt = run["name"].rpartition("-")

    assert machines.start(stem, Runs(attempts=int(attempt)), {"region": EAST_1}) == run["name"]
    assert len(scene.executions()) == 1


def test_a_region_that_comes_and_goes_is_left_alone(scene: Scene) -> None:
    scene.witness_peer = Witness.DOWN
    real = scene.pass_time

    def flap(seconds: float) -> None:
        real(seconds)
        for each in scene.endpoints[EAST_1]:
            (each.fail if int(scene.now / 10) % 2 else each.recover)()

    scene.pass_time = flap  # type: ignore[method-assign]
    decisions = scene.run(3)

    assert scene.executions() == []
    assert set(decisions) <= {"peer-answers", "not-enough-failures"}
    assert "not-enough-failures" in decisions


def test_one_endpoint_that_answers_is_enough(scene: Scene) -> None:
    scene.endpoints[EAST_1][0].fail()

    assert scene.run(2) == ["peer-answers"] * 2


@pytest.mark.parametrize("reported", ["fenced", "returning"])
def test_a_fenced_region_that_answers_is_not_lost(scene: Scene, reported: str) -> None:
    put(scene, f"region#{EAST_1}", state="fenced", epoch=1, since="2026-11-20T10:00:00.000000Z", by="run")
    scene.witness_peer = Witness.DOWN
    for each in scene.endpoints[EAST_1]:
        each.fail(503, reported)

    assert set(scene.run(2)) == {"peer-answers"}
    assert scene.executions() == []


@pytest.mark.parametrize(("witness", "reason"), [(Witness.UP, "witness-peer-up"), (Witness.SILENT, "witness-silent")])
def test_without_the_witness_nothing_is_started(scene: Scene, witness: Witness, reason: str) -> None:
    scene.lose_after, scene.witness_peer = 10.0, witness

    decisions = scene.run(2)

    assert scene.executions() == []
    assert reason in decisions
    (line, *_) = [line for line in scene.lines() if line["reason"] == reason]
    assert line["evidence"]["witness_peer"] == witness.value
    assert line["evidence"]["rounds"]["failed"] >= 4


def test_when_its_own_endpoints_fail_too_the_sentinel_holds(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    for each in scene.endpoints[EAST_2]:
        each.fail()

    assert "own-endpoints-fail-too" in scene.run(2)
    assert scene.executions() == []


def test_a_region_that_cannot_read_its_own_journal_does_not_take_over(scene: Scene) -> None:
    scene.lose_after, scene.witness_agrees_after = 10.0, 0.0
    scene.run()
    lose = scene.pass_time

    def lose_both(seconds: float) -> None:
        lose(seconds)
        scene.tables.silent = {EAST_1, EAST_2}

    scene.pass_time = lose_both  # type: ignore[method-assign]
    before = len(scene.executions())
    scene.loop.ctx.machines._client.stop_execution(executionArn=scene.executions()[0]["executionArn"])
    decisions = scene.run()

    assert "own-journal-unreadable" in decisions
    assert len(scene.executions()) == before
