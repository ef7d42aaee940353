"""A cell's observer on real calls: records and memory in DynamoDB tables, the witness over DNS."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import dnslib
import pytest
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from common.aws_clients import DynamoDbClients
from common.circuit_breaker import Breaker
from common.control.memory import memory_key, memory_of, store_memory
from common.control.observe import ControlObserver
from common.control.records import (
    EpochTaken,
    RegionRecord,
    Regions,
    RegionState,
    WriterRecord,
    change_state,
    change_writer,
    read_records,
)
from common.control.rules import Memory, Reason, Times, Witness
from common.control.settings import ControlSettings
from common.control.witness import query_witness
from common.environment import EnvironmentProblem
from common.table_replica import Replica, ReplicaUnavailable
from tests.functions.harness import EAST_1, EAST_2, TABLE, Tables, variables

REGIONS = Regions(own=EAST_1, peer=EAST_2, first_writer=EAST_1)
STAMP = {"since": "2026-11-20T10:00:00Z", "by": "failover of a test"}


_clients = DynamoDbClients()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def replica(tables: Tables, region: str = EAST_1) -> Replica:
    client = _clients.dynamodb(region, timeout_seconds=1)
    tables.connect(client)
    return Replica(client, region=region, table=TABLE)


def control(tables: Tables, clock: Clock, witness: Witness = Witness.UP, region: str = EAST_1) -> ControlObserver:
    peer = EAST_2 if region == EAST_1 else EAST_1
    return ControlObserver(
        regions=Regions(own=region, peer=peer, first_writer=EAST_1),
        times=Times(),
        local=replica(tables, region),
        peer=replica(tables, peer),
        breaker=Breaker(failures_to_open=1000, trial_seconds=1),
        witness=lambda: witness,
        clock=clock,
    )


# --- records ---


def test_without_records_both_regions_are_active_and_the_first_writer_writes(tables: Tables) -> None:
    found = read_records(replica(tables), REGIONS)

    assert found.own == found.peer == RegionRecord()
    assert found.writer == WriterRecord(region=EAST_1)


def test_every_change_raises_the_epoch_and_is_read_back(tables: Tables) -> None:
    here = replica(tables)
    fenced = change_state(here, EAST_2, RegionState.FENCED, replaces=RegionRecord(), **STAMP)
    active = change_state(here, EAST_2, RegionState.ACTIVE, replaces=fenced, **STAMP)
    nobody = change_writer(here, None, replaces=WriterRecord(region=EAST_1), **STAMP)

    found = read_records(here, REGIONS)
    assert (fenced.epoch, active.epoch) == (1, 2)
    assert (found.peer, found.writer) == (active, nobody)
    assert found.peer.by == STAMP["by"]
    assert change_writer(here, EAST_2, replaces=nobody, **STAMP).epoch == 2


def test_of_two_changes_of_one_epoch_the_second_is_refused(tables: Tables) -> None:
    here = replica(tables)
    first = change_state(here, EAST_2, RegionState.FENCED, replaces=RegionRecord(), **STAMP)
    with pytest.raises(EpochTaken):
        change_state(here, EAST_2, RegionState.FENCED, replaces=RegionRecord(), **STAMP)
    change_state(here, EAST_2, RegionState.ACTIVE, replaces=first, **STAMP)
    with pytest.raises(EpochTaken):
        change_state(here, EAST_2, RegionState.ACTIVE, replaces=first, **STAMP)

    assert read_records(here, REGIONS).peer.epoch == 2


def test_a_throttled_batch_is_an_unavailable_replica(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tables.clients[EAST_1]
    answer = {"Responses": {TABLE: []}, "UnprocessedKeys": {TABLE: {"Keys": []}}}
    monkeypatch.setattr(client, "batch_get_item", lambda **_: answer)

    with pytest.raises(ReplicaUnavailable, match="UnprocessedKeys"):
        read_records(Replica(client, region=EAST_1, table=TABLE), REGIONS)


# --- memory ---


@pytest.mark.parametrize("vouched_at", [None, 1795216577.123456])
def test_a_memory_comes_back_as_it_was(tables: Tables, vouched_at: float | None) -> None:
    here = replica(tables)
    change_state(here, EAST_2, RegionState.FENCED, replaces=RegionRecord(), **STAMP)
    memory = Memory(known=read_records(here, REGIONS), vouched_at=vouched_at, seen_at=1.5, back_at=2.5, revision=1)

    assert store_memory(here, REGIONS, memory)
    assert memory_of(here.read(memory_key(EAST_1)), REGIONS) == memory


def test_a_memory_replaces_only_the_one_that_was_read(tables: Tables) -> None:
    here = replica(tables)
    known = read_records(here, REGIONS)

    def memory(revision: int) -> Memory:
        return Memory(known=known, vouched_at=None, seen_at=1.0, revision=revision)

    assert store_memory(here, REGIONS, memory(1))
    assert not store_memory(here, REGIONS, memory(1))
    assert store_memory(here, REGIONS, memory(2))
    assert not store_memory(here, REGIONS, memory(2))


def test_a_broken_memory_is_none_and_can_be_replaced(tables: Tables) -> None:
    here = replica(tables)
    tables.put(EAST_1, {"pk": {"S": memory_key(EAST_1)}, "seen_at": {"S": "yesterday"}})
    known = read_records(here, REGIONS)

    assert memory_of(here.read(memory_key(EAST_1)), REGIONS) is None
    assert store_memory(here, REGIONS, Memory(known=known, vouched_at=1.0, seen_at=1.0, revision=1))
    assert memory_of(here.read(memory_key(EAST_1)), REGIONS) is not None


# --- observing ---


def test_an_observation_is_reused_while_its_decision_lasts_unless_a_fresh_one_is_requested(tables: Tables) -> None:
    clock = Clock()
    observer = control(tables, clock)
    first = observer.observe()
    clock.now += 1.9

    assert observer.observe() is first
    assert observer.observe(fresh=True) is not first
    clock.now += 2.0
    assert observer.observe().view.at == clock.now


def test_the_chain_of_confirmations_is_shared_by_the_functions_of_a_cell(tables: Tables) -> None:
    clock = Clock()
    control(tables, clock).observe()
    tables.silent = {EAST_2}
    for _ in range(10):  # each a new process
        clock.now += 5
        health = control(tables, clock)
        health.observe(by_checker=True)
        clock.now += 5
        observed = control(tables, clock).observe()

    assert observed.decision.reason is Reason.WITNESS_VOUCHED
    clock.now += 16
    assert control(tables, clock).observe().decision.reason is Reason.CUT_OFF


def test_a_cell_that_no_health_checker_calls_stops_posting_whatever_its_resolver_answers(tables: Tables) -> None:
    clock = Clock()
    observer = control(tables, clock)
    observer.observe(by_checker=True)
    tables.silent = {EAST_2}
    clock.now += 14
    assert observer.observe().decision.reason is Reason.WITNESS_VOUCHED

    clock.now += 2

    assert observer.observe().decision.reason is Reason.CUT_OFF


def test_an_operators_word_begins_a_new_chain(tables: Tables) -> None:
    clock = Clock()
    observer = control(tables, clock)
    observer.observe()
    tables.silent = {EAST_2}
    clock.now += 100
    assert observer.observe(fresh=True, by_checker=True).decision.reason is Reason.CUT_OFF

    assert observer.vouch()

    assert observer.observe(fresh=True).decision.reason is Reason.WITNESS_VOUCHED


def test_a_down_that_one_function_read_holds_for_all(tables: Tables) -> None:
    clock = Clock()
    other = control(tables, clock)
    other.observe()
    tables.silent = {EAST_2}
    clock.now += 3
    control(tables, clock, Witness.DOWN).observe()
    clock.now += 3

    assert other.observe().decision.reason is Reason.CUT_OFF


def test_a_bad_word_holds_even_if_it_cannot_be_written_down(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, answer = Clock(), [Witness.UP, Witness.DOWN, Witness.UP]
    observer = control(tables, clock)
    monkeypatch.setattr(observer, "_witness", lambda: answer.pop(0))
    observer.observe()
    tables.silent = {EAST_2}

    def refuse(*_: object, **__: object) -> bool:
        raise ReplicaUnavailable(EAST_1, "ThrottlingException")

    monkeypatch.setattr(Replica, "exchange", refuse)
    clock.now += 3
    assert observer.observe().unavailable["memory"] == "ThrottlingException"
    clock.now += 3

    assert observer.observe().decision.reason is Reason.CUT_OFF


def test_a_calm_cell_writes_its_memory_seldom(tables: Tables) -> None:
    clock = Clock()
    revisions = set()
    observer = control(tables, clock)
    for _ in range(30):
        clock.now += 1
        observer.observe(fresh=True)
        revisions.add(tables.items(EAST_1)[memory_key(EAST_1)]["revision"]["N"])

    assert 5 <= len(revisions) <= 11


def test_silent_sources_are_reported_by_name(tables: Tables) -> None:
    tables.silent = {EAST_1, EAST_2}
    observed = control(tables, Clock()).observe()

    assert observed.unavailable == {"journal": "ConnectTimeoutError", "peer": "ConnectTimeoutError"}
    assert observed.decision.reason is Reason.JOURNAL_UNAVAILABLE


# --- the witness ---


ANSWERS = {
    "up.example.": ["up"],
    "down.example.": ["down"],
    "both.example.": ["up", "down"],
    "odd.example.": ["perhaps"],
    "empty.example.": [],
}


class Zone(BaseResolver):  # type: ignore[misc]
    def resolve(self, request: Any, _: Any) -> Any:
        reply = request.reply()
        texts = ANSWERS.get(str(request.q.qname))
        if texts is None:
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
        for text in texts or []:
            reply.add_answer(dnslib.RR(request.q.qname, dnslib.QTYPE.TXT, rdata=dnslib.TXT(text)))
        return reply


@pytest.fixture(scope="module")
def zone() -> Iterator[str]:
    server = DNSServer(Zone(), address="127.0.0.1", port=0, logger=DNSLogger("-request,-reply,-truncated,-error"))
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server.server_address[1]}"
    server.server.shutdown()
    server.server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("up.example", Witness.UP),
        ("down.example", Witness.DOWN),
        ("both.example", Witness.SILENT),
        ("odd.example", Witness.SILENT),
        ("empty.example", Witness.SILENT),
        ("gone.example", Witness.SILENT),
        ("", Witness.SILENT),
    ],
)
def test_the_witness_is_read_and_nothing_else_is(zone: str, name: str, answer: Witness) -> None:
    assert query_witness(name, server=zone) is answer


@pytest.mark.stack  # it limits real time
def test_a_witness_that_does_not_answer_costs_its_timeout() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        started = time.monotonic()
        answer = query_witness("up.example", server=f"127.0.0.1:{mute.getsockname()[1]}", timeout_seconds=0.2)

    assert answer is Witness.SILENT
    assert time.monotonic() - started < 1


# --- settings ---


def test_the_first_writer_is_the_primary_places_region_for_both() -> None:
    found = [ControlSettings.read(variables(region)).regions for region in (EAST_1, EAST_2)]

    assert [regions.first_writer for regions in found] == [EAST_1, EAST_1]
    assert [regions.own for regions in found] == [EAST_1, EAST_2]


@pytest.mark.parametrize(("name", "value"), [("WITNESS_RESOLVER", "here"), ("CONTROL_LEASE_SECONDS", "0")])
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem, match=name):
        ControlSettings.read(variables(EAST_1, **{name: value}))
