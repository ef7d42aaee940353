"""The steps of a recovery that change records or notify operators, and the waits for the writer and for leases."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from recovery import database, errors
from recovery.context import RecoveryContext
from recovery.operations import perform

from common.control.memory import memory_key, memory_of, store_memory
from common.control.rules import Witness
from common.table_replica import ReplicaUnavailable
from tests.functions.harness import EAST_1, EAST_2, Tables
from tests.functions.recovery.settings import PARAMETER
from tests.functions.recovery.steps_world import NOW, _present, aws, ctx, fence, notification, publish, without

__all__ = ["_present", "aws", "ctx"]


def test_a_fence_reports_since_when_the_peer_holds_it(ctx: RecoveryContext, tables: Tables) -> None:
    tables.silent = {EAST_1}
    alone = fence(ctx)
    tables.silent = set()
    known = fence(ctx)

    assert (alone["changed"], alone["peer"], alone["peer_fenced_since"]) == (True, "ConnectTimeoutError", None)
    assert (known["changed"], known["peer"]) == (False, "in-sync")
    assert known["peer_fenced_since"]


def test_a_fence_on_an_older_epoch_is_refused_by_name(ctx: RecoveryContext) -> None:
    fence(ctx)
    perform({"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "back"}, ctx)

    with pytest.raises(errors.EpochConflict):
        fence(ctx, epoch=0)


def test_the_writer_is_published_in_the_own_region(ctx: RecoveryContext, aws: dict[str, Any], tables: Tables) -> None:
    aws["ssm"].put_parameter(Name=PARAMETER, Value=EAST_1, Type="String")

    first, again = publish(ctx), publish(ctx)

    assert (first["epoch"], first["changed"]) == (1, True)
    assert (again["epoch"], again["changed"]) == (1, False)
    assert tables.items(EAST_2)["control#writer"]["region"] == {"S": EAST_2}
    assert aws["ssm"].get_parameter(Name=PARAMETER)["Parameter"]["Value"] == EAST_1, "a step of its own"


def test_the_writer_is_published_in_the_control_record_without_parameter_store(
    ctx: RecoveryContext, tables: Tables
) -> None:
    world = replace(ctx, client=without("ssm", ctx))

    assert publish(world)["changed"]
    assert tables.items(EAST_2)["control#writer"]["region"] == {"S": EAST_2}
    with pytest.raises(errors.ServiceUnavailable, match="Parameter Store did not answer"):
        perform({"operation": "publish-parameter", "writer_region": EAST_2}, world)


def test_the_writers_parameter_is_written_once(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    aws["ssm"].put_parameter(Name=PARAMETER, Value=EAST_1, Type="String")
    event = {"operation": "publish-parameter", "writer_region": EAST_2}

    first, again = perform(event, ctx), perform(event, ctx)

    assert (first["parameter"], again["parameter"]) == ("written", "unchanged")
    parameter = aws["ssm"].get_parameter(Name=PARAMETER)["Parameter"]
    assert (parameter["Value"], parameter["Version"]) == (EAST_2, 2), "each version is an event for the other region"


def test_endpoints_are_found_without_parameter_store_by_the_sentinels_copy(
    ctx: RecoveryContext, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> Any:
        raise EndpointConnectionError(endpoint_url="https://ssm")

    monkeypatch.setattr(ctx.directory, "_ssm", silent)
    with pytest.raises(errors.ServiceUnavailable):
        ctx.endpoints(EAST_2)
    urls = {"load-balancer": "https://nlb", "api": "https://api"}
    tables.put(EAST_2, {"pk": {"S": f"endpoints#{EAST_2}#{EAST_2}"}, "urls": {"S": json.dumps(urls)}})

    assert ctx.endpoints(EAST_2).urls() == urls


def test_a_region_is_not_unfenced_before_its_replica_holds_it(ctx: RecoveryContext, tables: Tables) -> None:
    fence(ctx)
    tables.silent = {EAST_1}
    with pytest.raises(errors.PeerUnreachable):
        perform({"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "back"}, ctx)
    tables.silent = set()

    again = perform({"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "back"}, ctx)

    assert again["epoch"] == 2
    assert tables.items(EAST_1)[f"region#{EAST_1}"]["state"] == {"S": "active"}


def test_an_unavailable_own_journal_fails_the_step(ctx: RecoveryContext, tables: Tables) -> None:
    tables.silent = {EAST_2}

    with pytest.raises(ReplicaUnavailable):
        fence(ctx)


def test_operators_get_the_whole_result(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    document = {"preconditions": {"region": EAST_1}, "metrics": {"seconds": {"run": 71.5}}}
    event = {"operation": "notify", "machine": "failover", "execution": "arn:run-1", "outcome": "succeeded"}

    perform({**event, "document": document}, ctx)

    subject, message = notification(aws)
    assert subject == "failover of us-east-1 succeeded"
    assert message["metrics"]["seconds"] == {"run": 71.5}
    assert message["sent_from"] == EAST_2


def test_operators_can_answer_with_the_commands_they_are_sent(ctx: RecoveryContext, aws: dict[str, Any]) -> None:
    perform({"operation": "request-approval", "token": "TOKEN", "execution": "arn:run-1", "region": EAST_1}, ctx)

    subject, message = notification(aws)
    assert subject == "Approval needed: promote the database in us-east-2"
    assert "--task-token 'TOKEN'" in message["approve"]
    assert "send-task-failure" in message["decline"]


@pytest.mark.parametrize(
    ("queried_before", "witness", "unbroken"),
    [(5, Witness.DOWN, True), (20, Witness.DOWN, False), (5, Witness.UP, None), (5, Witness.SILENT, None)],
)
def test_only_an_unbroken_down_of_the_witness_counts(
    ctx: RecoveryContext, queried_before: int, witness: Witness, unbroken: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_not_writing", lambda *_: None)
    ctx.observer.observe(by_checker=True)
    world = replace(ctx, query_peer_witness=lambda: witness)
    since = (NOW - timedelta(seconds=60)).isoformat()
    last = (NOW - timedelta(seconds=queried_before)).isoformat()
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1, "since": since}

    found = perform({**event, "down_since": since, "down_at": last}, world)

    assert found["ready"] is (unbroken is True)
    assert found["down_since"] == {True: since, False: found["at"], None: None}[unbroken]


def test_a_lost_region_that_holds_its_fence_need_not_be_waited_for(
    ctx: RecoveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_not_writing", lambda *_: None)
    world = replace(ctx, query_peer_witness=lambda: Witness.UP)
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1, "since": NOW.isoformat()}
    fenced = {seconds: (NOW - timedelta(seconds=seconds)).isoformat() for seconds in (4, 6)}

    assert not perform({**event, "peer_fenced_since": fenced[4]}, world)["ready"]
    assert perform({**event, "peer_fenced_since": fenced[6]}, world)["ready"]


@pytest.mark.parametrize(("down", "ready"), [(60, False), (324, False), (326, True)])
def test_a_region_that_may_be_fenced_waits_for_the_long_lease_of_the_lost_one(
    ctx: RecoveryContext, down: int, *, ready: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_not_writing", lambda *_: None)
    ctx.observer.observe(by_checker=True)
    world = replace(ctx, query_peer_witness=lambda: Witness.DOWN)
    since, last = ((NOW - timedelta(seconds=seconds)).isoformat() for seconds in (down, 2))
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1, "since": since}

    found = perform({**event, "down_since": since, "down_at": last, "may_be_fenced": True}, world)

    assert found["ready"] is ready


def test_a_claim_after_the_long_wait_begins_a_new_chain(ctx: RecoveryContext, tables: Tables) -> None:
    """Also where the region was the writer before, so that its claim changes no record."""
    publish(ctx)
    ctx.observer.observe()
    tables.silent = {EAST_1}
    cut_off = memory_of(tables.items(EAST_2)[memory_key(EAST_2)], ctx.settings.regions)
    assert cut_off
    store_memory(ctx.local, ctx.settings.regions, replace(cut_off, vouched_at=None, revision=cut_off.revision + 1))
    assert ctx.observer.observe(fresh=True).view.is_cut_off

    event = {"operation": "publish", "writer_region": EAST_2, "epoch": 1, "by": "run-2", "may_be_fenced": True}
    assert not perform(event, ctx)["changed"]

    assert not ctx.observer.observe(fresh=True).view.is_cut_off


def test_a_writer_that_never_comes_ends_the_run(ctx: RecoveryContext) -> None:
    world = replace(ctx, query_peer_witness=lambda: Witness.UP)
    event = {"operation": "describe-writer", "region": EAST_2, "lost": EAST_1}

    with pytest.raises(errors.WriterTimeout, match="not certain yet that us-east-1 has stopped"):
        perform({**event, "since": (NOW - timedelta(seconds=901)).isoformat()}, world)
