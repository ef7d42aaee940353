"""The journal's guarantees, for any behaviour of the two regions and their connections.

Hypothesis sends payments with one id through both regions, while regions fall silent, answers get lost and replication
comes late. The tables are moto's; replication keeps the latest write, as DynamoDB global tables do.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payments.journal import Durability, Journal, JournalUnavailable, PaymentConflict, StoredPayment

from common.circuit_breaker import Breaker
from common.payment_record import JournalEntry, payment_key
from common.table_replica import Item, Replica, ReplicaUnavailable
from tests.functions.harness import EAST_1, EAST_2, TABLE, Tables

IDS = count()


def entry(payment_id: str, amount: str, *, at: datetime, region: str) -> JournalEntry:
    content = {"payment_id": payment_id, "amount": amount, "currency": "EUR", "debtor": "DE1", "creditor": "FR1"}
    return JournalEntry.accept(content, at=at, region=region)


class Line(StrEnum):
    """The reachability of a region's DynamoDB during one payment."""

    UP = "up"
    SILENT = "silent"
    ANSWER_LOST = "answer lost"  # it writes, but its response is lost


class DistantReplica(Replica):
    """A replica behind a line. It numbers the writes of both regions, so that the latest is known."""

    line = Line.UP

    def __init__(self, client: Any, region: str, writes: dict[str, int]) -> None:
        super().__init__(client, region=region, table=TABLE)
        self._writes = writes

    def add(self, item: Item) -> Item | None:
        self._fail_if(Line.SILENT)
        stored = super().add(item)
        self._number(written=stored is None)
        self._fail_if(Line.ANSWER_LOST)
        return stored

    def exchange(self, item: Item, **condition: Any) -> bool:
        self._fail_if(Line.SILENT)
        exchanged = super().exchange(item, **condition)
        self._number(written=exchanged)
        self._fail_if(Line.ANSWER_LOST)
        return exchanged

    def _number(self, *, written: bool) -> None:
        if written:
            self._writes[self.region] = max(self._writes.values()) + 1

    def _fail_if(self, line: Line) -> None:
        if self.line is line:
            raise ReplicaUnavailable(self.region, line)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One payment sent to `region`; or, without an amount, replication that catches up."""

    region: str = EAST_1
    amount: str | None = None
    own_line: Line = Line.UP
    peer_line: Line = Line.UP


STEPS = st.lists(
    st.one_of(
        st.just(Step()),
        st.builds(
            Step,
            region=st.sampled_from([EAST_1, EAST_2]),
            amount=st.sampled_from(["1.00", "2.00"]),
            own_line=st.sampled_from([Line.UP, Line.UP, Line.UP, *Line]),
            peer_line=st.sampled_from([Line.UP, *Line]),
        ),
    ),
    min_size=1,
    max_size=6,
)


@dataclass
class World:
    """Both tables and the responses to clients about the one payment id."""

    tables: Tables
    rule_both: bool
    payment_id: str = field(default_factory=lambda: f"order-{next(IDS):06}")
    writes: dict[str, int] = field(default_factory=lambda: {EAST_1: 0, EAST_2: 0})
    clock: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    acknowledged: set[str] = field(default_factory=set)
    in_both: set[str] = field(default_factory=set)  # amounts acknowledged as in both regions
    broken_off: bool = False  # a payment was refused halfway
    seen: dict[str, str | None] = field(default_factory=lambda: {EAST_1: None, EAST_2: None})  # after the last step

    def held(self) -> dict[str, str | None]:
        """The amount that each region holds."""
        found = {region: client.get_item(TableName=TABLE, Key=self._key()) for region, client in self.clients()}
        return {region: answer.get("Item", {}).get("amount", {}).get("S") for region, answer in found.items()}

    def clients(self) -> list[tuple[str, Any]]:
        return list(self.tables.clients.items())

    def _key(self) -> dict[str, Any]:
        return {"pk": {"S": payment_key(self.payment_id)}}

    def replicate(self) -> None:
        latest, other = sorted(self.writes, key=lambda region: -self.writes[region])
        item = self.tables.clients[latest].get_item(TableName=TABLE, Key=self._key()).get("Item")
        if item:
            self.tables.put(other, item)
        self.writes[other] = self.writes[latest]

    def send(self, step: Step) -> StoredPayment | PaymentConflict | JournalUnavailable:
        replicas = {region: DistantReplica(client, region, self.writes) for region, client in self.clients()}
        local = replicas.pop(step.region)
        (peer,) = replicas.values()
        local.line, peer.line = step.own_line, step.peer_line
        journal = Journal(
            local=local,
            peer=peer,
            arbiter_region=EAST_1,
            breaker=Breaker(failures_to_open=99, trial_seconds=1),
            require_both=self.rule_both,
        )
        self.clock += timedelta(seconds=1)
        assert step.amount
        try:
            return journal.add(entry(self.payment_id, step.amount, at=self.clock, region=step.region))
        except (PaymentConflict, JournalUnavailable) as refusal:
            return refusal

    def play(self, step: Step) -> None:
        """One step, and what must hold after it."""
        if step.amount is None:
            self.replicate()
            after = self.held()
        else:
            before = self.seen
            outcome = self.send(step)
            after = self.held()
            lines = {step.region: step.own_line}
            lines.update(dict.fromkeys(before.keys() - lines.keys(), step.peer_line))
            match outcome:
                case StoredPayment():
                    assert outcome.entry.amount == step.amount
                    assert after[step.region] == step.amount
                    heard = {amount for region, amount in before.items() if lines[region] is Line.UP}
                    assert outcome.repeated == (step.amount in heard)
                    self.acknowledged.add(step.amount)
                    if outcome.durability is Durability.BOTH_REGIONS:
                        assert set(after.values()) == {step.amount}
                        self.in_both.add(step.amount)
                    else:
                        assert not self.rule_both
                        assert step.peer_line is not Line.UP
                        assert outcome.peer_error == step.peer_line
                case PaymentConflict():
                    assert set(before.values()) - {None, step.amount}, "a conflict with nothing"
                case JournalUnavailable():
                    assert set(lines.values()) != {Line.UP}
                    self.broken_off = True
            self.broken_off |= Line.ANSWER_LOST in lines.values()
        if self.in_both:
            assert {*after.values()} == self.in_both, "a payment acknowledged in both regions was replaced"
        self.seen = after


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, rule_both=st.booleans())
def test_what_was_acknowledged_stays(tables: Tables, steps: list[Step], rule_both: bool) -> None:
    world = World(tables, rule_both)
    for step in steps:
        world.play(step)

    world.replicate()
    if len(world.acknowledged) == 1 and not world.broken_off:
        assert {*world.held().values()} == world.acknowledged, "an acknowledged payment gave way to a refused one"
    for amount in {*world.held().values()} & world.acknowledged:
        again = world.send(Step(region=EAST_2, amount=amount))
        assert isinstance(again, StoredPayment)
        assert again.repeated
        assert again.durability is Durability.BOTH_REGIONS


def test_of_two_payments_with_one_id_in_both_regions_at_once_one_gets_in(tables: Tables) -> None:
    """On the journal itself: Powertools answers one event at a time in a process, as Lambda does."""
    ids = [f"order-{number:04}" for number in range(20)]
    together = threading.Barrier(2)

    def send(region: str, peer: str, amount: str) -> list[str | None]:
        local, remote = (Replica(tables.clients[each], region=each, table=TABLE) for each in (region, peer))
        breaker = Breaker(failures_to_open=99, trial_seconds=1)
        journal = Journal(local=local, peer=remote, arbiter_region=EAST_1, breaker=breaker, require_both=True)
        accepted: list[str | None] = []
        for payment_id in ids:
            together.wait()
            try:
                held = journal.add(entry(payment_id, amount, at=datetime.now(UTC), region=region))
                accepted.append(held.entry.amount)
            except PaymentConflict:
                accepted.append(None)
        return accepted

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(send, EAST_1, EAST_2, "1.00"), pool.submit(send, EAST_2, EAST_1, "2.00")
        outcomes = list(zip(first.result(), second.result(), strict=True))

    assert {*outcomes} <= {("1.00", None), (None, "2.00")}
    assert tables.items(EAST_1) == tables.items(EAST_2)
    winners = {payment_key(i): {"S": one or other} for i, (one, other) in zip(ids, outcomes, strict=True)}
    assert {key: item["amount"] for key, item in tables.items(EAST_1).items()} == winners
