"""The preconditions of a recovery run."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from recovery import preconditions
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.clock import Pace
from common.control.memory import memory_key, memory_of, store_memory
from common.control.records import RegionState
from tests.functions.harness import EAST_1, EAST_2, Tables
from tests.functions.recovery.steps_world import (
    NOW,
    ROLE,
    _present,
    aws,
    check_preconditions,
    ctx,
    fence,
    publish,
    start,
)

__all__ = ["_present", "aws", "ctx"]


def test_a_run_for_a_lost_region_may_proceed(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    found = check_preconditions(ctx, start(aws, "run-1"), epoch=0, failing_since=NOW.isoformat())

    assert found["met"], found["reason"]
    assert (found["region"], found["epoch"], found["writer_region"], found["writer_epoch"]) == (EAST_1, 0, EAST_2, 0)


def test_of_two_runs_one_proceeds_and_the_other_after_its_end(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    first, second = start(aws, "run-1"), start(aws, "run-2")
    assert check_preconditions(ctx, first)["met"]

    held = check_preconditions(ctx, second)
    again = check_preconditions(ctx, first)
    aws["stepfunctions"].stop_execution(executionArn=first)

    assert (held["met"], held["reason"]) == (False, "another execution is in progress: run-1")
    assert again["met"], "a step that is tried again must not be held by itself"
    assert check_preconditions(ctx, second)["met"]


@pytest.mark.parametrize(("seconds", "met"), [(0, False), (59, False), (61, True)])
def test_a_run_that_step_functions_does_not_find_yet_keeps_its_slot_for_a_minute(
    ctx: RecoveryContext, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch, seconds: int, met: bool
) -> None:
    """DescribeExecution is eventually consistent."""
    first, second = start(aws, "run-1"), start(aws, "run-2")
    assert check_preconditions(ctx, first)["met"]
    monkeypatch.setattr(preconditions, "_status", lambda *_: None)

    found = check_preconditions(replace(ctx, pace=Pace(now=lambda: NOW + timedelta(seconds=seconds))), second)

    assert found["met"] is met, found["reason"]


def test_a_run_that_was_decided_on_an_older_state_is_held(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    fence(ctx, by="somebody")

    held = check_preconditions(ctx, start(aws, "run-1"), epoch=0)

    assert not held["met"]
    assert "epoch 0" in held["reason"]
    assert "now at 1" in held["reason"]


def test_a_run_that_fenced_the_region_itself_proceeds_when_the_step_is_retried(
    ctx: RecoveryContext, aws: dict[str, Any]
) -> None:
    execution = start(aws, "run-1")
    check_preconditions(ctx, execution, epoch=0)
    fence(ctx, by="run-1")

    assert check_preconditions(ctx, execution, epoch=0)["met"]


def test_a_failover_that_is_done_is_not_done_again_unless_forced(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    fence(ctx, by="somebody")
    publish(ctx)
    execution = start(aws, "run-2")

    assert "already" in check_preconditions(ctx, execution, epoch=1)["reason"]
    assert check_preconditions(ctx, execution, epoch=1, forced=True)["met"]


@pytest.mark.parametrize("retried", [False, True], ids=["once", "retried"])
def test_what_a_failed_run_left_undone_the_next_one_finishes_at_once(
    ctx: RecoveryContext, aws: dict[str, Any], retried: bool
) -> None:
    first, second = start(aws, "run-1"), start(aws, "run-2")
    check_preconditions(ctx, first, epoch=0)
    fence(ctx)
    perform({"operation": "publish", "writer_region": EAST_2, "epoch": 0, "by": "run-1"}, replace(ctx, pace=Pace()))
    aws["stepfunctions"].stop_execution(executionArn=first)
    later = replace(ctx, pace=Pace(now=lambda: NOW + timedelta(hours=2)))
    if retried:
        check_preconditions(later, second, epoch=1, failing_since=later.now())

    found = check_preconditions(later, second, epoch=1, failing_since=later.now())

    assert (found["met"], found["resumes"]) == (True, True), found["reason"]


def test_a_failback_that_failed_leaves_no_failover_to_finish(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    machine = aws["stepfunctions"].create_state_machine(
        name="failback", definition='{"StartAt": "A", "States": {}}', roleArn=ROLE
    )["stateMachineArn"]
    back = aws["stepfunctions"].start_execution(stateMachineArn=machine, name="back-1")["executionArn"]
    fence(ctx, by="somebody")
    publish(ctx)
    assert check_preconditions(ctx, back, machine="failback")["met"]
    aws["stepfunctions"].stop_execution(executionArn=back)

    held = check_preconditions(ctx, start(aws, "run-2"), epoch=1)

    assert (held["met"], held["resumes"]) == (False, False)
    assert "already" in held["reason"]


def test_a_run_soon_after_another_change_is_held(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    publish(ctx, region=EAST_2)
    execution = start(aws, "run-2")

    assert "the cool-down is 300 s" in check_preconditions(ctx, execution)["reason"]
    later = replace(ctx, pace=Pace(now=lambda: NOW + timedelta(seconds=400)))
    assert check_preconditions(later, execution)["met"]


def test_a_region_that_is_fenced_does_not_take_over(ctx: RecoveryContext, aws: dict[str, Any], tables: Tables) -> None:
    tables.put(EAST_2, {"pk": {"S": f"region#{EAST_2}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}})

    refused = check_preconditions(ctx, start(aws, "run-1"))
    assert refused["reason"] == f"this region is fenced itself; if {EAST_1} is down, force the failover: MODE=forced"

    forced = check_preconditions(ctx, start(aws, "run-2"), forced=True)
    assert (forced["met"], forced["own_fenced"], forced["own_epoch"]) == (True, True, 1)
    assert (forced["vouched"], forced["may_be_fenced"]) == ("peer-down", True)


def test_a_region_that_may_have_been_fenced_unnoticed_takes_over_after_a_longer_wait(
    ctx: RecoveryContext, aws: dict[str, Any], tables: Tables
) -> None:
    ctx.observer.observe()
    tables.silent = {EAST_1}
    long_ago = memory_of(tables.items(EAST_2)[memory_key(EAST_2)], ctx.settings.regions)
    assert long_ago
    store_memory(ctx.local, ctx.settings.regions, replace(long_ago, vouched_at=0.0, revision=long_ago.revision + 1))
    ctx.observer.observe(fresh=True)

    found = check_preconditions(ctx, start(aws, "run-1"))
    assert (found["met"], found["own_fenced"], found["vouched"], found["may_be_fenced"]) == (
        True,
        False,
        "nothing",
        True,
    )


def test_an_operator_overrides_the_fence_of_the_own_region_while_the_other_is_silent(
    ctx: RecoveryContext, tables: Tables
) -> None:
    tables.put(EAST_2, {"pk": {"S": f"region#{EAST_2}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}})
    tables.silent = {EAST_1}
    assert not ctx.observer.observe().decision.healthy

    perform({"operation": "override-fence", "epoch": 1, "by": "anna"}, ctx)

    record = ctx.control.records().own
    assert (record.state, record.epoch, record.by) == (RegionState.ACTIVE, 2, "anna")
    assert ctx.observer.observe(fresh=True).decision.healthy


def test_the_own_region_cannot_be_left_from_within(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    assert not check_preconditions(ctx, start(aws, "run-1"), region=EAST_2)["met"]


def test_a_failback_needs_something_to_bring_back(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    execution = start(aws, "back-1")
    assert "not fenced" in check_preconditions(ctx, execution, machine="failback")["reason"]
    fence(ctx)
    publish(ctx)

    found = check_preconditions(ctx, execution, machine="failback")

    assert found["met"], found["reason"]
    assert (found["writer_region"], found["epoch"], found["writer_epoch"]) == (EAST_1, 1, 1)
