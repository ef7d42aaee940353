"""Two cells in a world that fails: the real control rules, with everything else modelled second by second.

What is modelled: both replicas with their lag and last-writer-wins, the streams with the age at which they drop a
record, the ledgers with their backlogs, Aurora's two members with the rows a promotion loses, links that are cut in one
direction or both, Route 53's checkers, its witness behind resolvers that cache and that keep their last answer in an
isolated region, a controller in each region that fences, takes over and returns its peer to service by itself, and
failovers, forced ones too, and failbacks by hand. It only does what docs/architecture.md describes.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ledger.posting import CLAIM_MARGIN_SECONDS

from common.clock import timestamp
from common.control.records import WRITER_KEY, ControlRecords, RegionRecord, RegionState, WriterRecord, control_key
from common.control.rules import (
    Decision,
    Memory,
    Times,
    View,
    Vouched,
    Witness,
    decide,
    may_claim_writer,
    may_take_over,
    remember,
)
from tests.functions.harness import EAST_1, EAST_2

REGIONS = (EAST_1, EAST_2)
NEVER = float("-inf")
PROBED_FOR = 5  # seconds
NAMED_AFTER = 3  # seconds between the database's handover and the writer record, in a failback
ASKED_EVERY = 5  # seconds at most between two questions of a takeover to the witness
CATCH_UP_EVERY = 60  # seconds between two scheduled replays
REPLAYED_PER_SECOND = 20  # batches, so that a replay can end in the middle


def other(region: str) -> str:
    return EAST_2 if region == EAST_1 else EAST_1


@dataclass(frozen=True, kw_only=True)
class Weather:
    """The properties of a world, in seconds."""

    table_lag: int = 1
    database_lag: int = 1
    checks_down: int = 20  # how long a region is bad before the witness reports it
    checks_up: int = 20
    promotion: int = 40
    check_every: int = 1  # between two calls of Route 53's checkers
    stale: bool = True  # the resolver of a region that nobody outside reaches keeps its last answers
    returned_after: int = 60  # a fenced region has been well for this long when its peer returns it to service
    given_back: int = 300  # how long a ledger gives back to the stream what it cannot post (`ledger.posting`)
    stream_keeps: int = 24 * 3600  # [DYNAMODB-7]


@dataclass
class Cell:
    name: str
    alive: bool = True
    reachable: bool = True  # from outside
    resolver: bool = True
    stalled_until: int = 0  # its functions do not run until then, and nobody notices
    control: dict[str, tuple[float, Any]] = field(default_factory=dict)  # key to (time of the write, record)
    journal: set[str] = field(default_factory=set)
    stream: list[tuple[int, str]] = field(default_factory=list)  # not yet handled: second of arrival, payment
    processed_at: int = 0  # when its ledger last ran
    expired: set[str] = field(default_factory=set)  # payments that its stream dropped while its ledger did not run
    backlog: list[str] = field(default_factory=list)
    stuck: bool = False  # its ledger reaches no database
    outbox: list[tuple[float, str, Any]] = field(default_factory=list)  # (time, key, record or None for a payment)
    memory: Memory | None = None
    decision: Decision | None = None
    view: View | None = None
    rows: dict[str, int] = field(default_factory=dict)  # of its database member: payment to time
    writes: bool = False  # its member accepts statements
    cache: dict[str, tuple[int, Witness]] = field(default_factory=dict)  # of its resolver
    may_post_until: float = NEVER
    checked_at: float | None = None  # last call of a checker that was answered well
    fenced_peer_at: int | None = None  # a takeover is under way since
    vouched: Vouched = Vouched.NOTHING  # by the operator who forced that takeover
    may_be_fenced: bool = False  # when that takeover began
    peer_well_since: int | None = None  # the fenced peer, as this cell sees it
    promoted: bool = False
    peer_fenced_since: int | None = None
    probed_epoch: int = 0
    bad_since: int = 0  # the peer, by this cell's probes
    asked_at: int = 0  # the witness about the peer
    down_since: int | None = (
        None  # since when the witness, queried again and again, has answered only "down" for the peer
    )
    replaying: list[tuple[str, str]] | None = None  # what is left of a replay: region of the backlog, payment


class World:
    def __init__(self, weather: Weather, times: Times) -> None:
        self.weather, self.times, self.now = weather, times, 0
        self.cells = {region: Cell(region) for region in REGIONS}
        self.cells[EAST_1].writes = True
        self.cut: set[str] = set()  # regions whose calls and replication do not reach the other one
        self.reported = dict.fromkeys(REGIONS, Witness.UP)
        self.turning = dict.fromkeys(REGIONS, 0)  # seconds that a region has been other than the witness reports
        self.acknowledged: set[str] = set()
        self.accepted_at: dict[str, int] = {}
        self.handing_over_since: int | None = None
        self.durable_until: dict[str, float] = dict.fromkeys(REGIONS, 0)  # as the writer's member reports it
        self.held = False  # no sentinel starts a failover
        self.takeovers = 0
        self.writes = 0

    def linked(self) -> bool:
        """Whether each region reaches the other."""
        return all(self.reaches(region) for region in REGIONS)

    def reaches(self, region: str) -> bool:
        """Whether calls and replication of `region` arrive in the other one."""
        return region not in self.cut and all(cell.alive for cell in self.cells.values())

    def pay(self, region: str) -> None:
        cell = self.cells[region]
        if not cell.alive:
            return
        payment = f"p{len(self.acknowledged)}"
        self.accepted_at[payment] = self.now
        self._arrive(cell, payment)
        if self.reaches(region):
            self._arrive(self.cells[other(region)], payment)
        else:
            cell.outbox.append((self.now, payment, None))
        self.acknowledged.add(payment)

    def second(self) -> None:
        """One second passes."""
        self.now += 1
        self._replicate()
        self._check_health()
        for cell in self.cells.values():
            if cell.alive and self.now >= cell.stalled_until:
                self._observe(cell)
                self._process(cell)
                self._take_over(cell)
                self._return_peer(cell)
                self._replay(cell)
        self._hand_over()

    # --- data -----------------------------------------------------------------------------------------------------

    def _arrive(self, cell: Cell, payment: str) -> None:
        if payment not in cell.journal:
            cell.journal.add(payment)
            cell.stream.append((self.now, payment))

    def _replicate(self) -> None:
        for cell in self.cells.values():
            if not self.reaches(cell.name):
                continue
            peer = self.cells[other(cell.name)]
            due = self.now - self.weather.table_lag
            ready = [sent for sent in cell.outbox if sent[0] <= due]
            cell.outbox = [sent for sent in cell.outbox if sent[0] > due]
            for at, key, record in ready:
                if record is None:
                    self._arrive(peer, key)
                elif at >= peer.control.get(key, (-1, None))[0]:
                    peer.control[key] = (at, record)
        newest = self._newest_member()
        if self.reaches(newest.name):
            follower = self.cells[other(newest.name)]
            follower.writes = False  # a writer that was left behind becomes the reader
            follower.rows = {row: at for row, at in newest.rows.items() if at <= self.now - self.weather.database_lag}
            self.durable_until[follower.name] = self.now - self.weather.database_lag

    def _newest_member(self) -> Cell:
        return max(self.cells.values(), key=lambda cell: (cell.promoted, cell.writes))

    def records(self, cell: Cell, by: Cell) -> ControlRecords:
        """The records in the replica of `cell`, with own and peer from the view of `by`."""

        def get(key: str, absent: Any) -> Any:
            return cell.control.get(key, (0, absent))[1]

        return ControlRecords(
            own=get(control_key(by.name), RegionRecord()),
            peer=get(control_key(other(by.name)), RegionRecord()),
            writer=get(WRITER_KEY, WriterRecord(region=EAST_1)),
        )

    def _moment(self) -> str:
        """Of a change of a record; no two are the same."""
        return timestamp(datetime.fromtimestamp(self._write_time(), UTC))

    def _write_time(self) -> float:
        """No two writes have the same, or the last one would win by chance."""
        self.writes += 1
        return self.now + self.writes * 1e-6

    def _change(self, cell: Cell, key: str, record: Any, *, replaces: Any, at_peer: bool = False) -> bool:
        """A conditional write in the replica of `cell`."""
        held = cell.control.get(key)
        if (held[1].epoch if held else 0) != replaces.epoch:
            return False
        at = self._write_time()
        cell.control[key] = (at, record)
        if not at_peer:
            cell.outbox.append((at, key, record))
        return True

    # --- what a cell sees -----------------------------------------------------------------------------------------

    def _check_health(self) -> None:
        for region, cell in self.cells.items():
            well = self._is_well(cell)
            agrees = (self.reported[region] is Witness.UP) == well
            self.turning[region] = 0 if agrees else self.turning[region] + 1
            if self.turning[region] >= (self.weather.checks_up if well else self.weather.checks_down):
                self.reported[region] = Witness.UP if well else Witness.DOWN
                self.turning[region] = 0
            if well and self.now >= cell.stalled_until and self.now % self.weather.check_every == 0:
                cell.checked_at = self.now

    def _is_well(self, cell: Cell) -> bool:
        """The result of a probe."""
        return cell.alive and cell.reachable and (cell.decision is None or cell.decision.healthy)

    def _ask_witness(self, cell: Cell, region: str) -> Witness:
        kept = cell.cache.get(region)
        if kept and (self.now - kept[0] < self.times.witness_ttl or (self.weather.stale and not cell.reachable)):
            return kept[1]
        if not cell.resolver:
            return Witness.SILENT
        cell.cache[region] = (self.now, self.reported[region])
        return self.reported[region]

    def _observe(self, cell: Cell) -> None:
        peer = self.cells[other(cell.name)]
        cell.view = View(
            region=cell.name,
            at=self.now,
            own=self.records(cell, cell),
            peer=self.records(peer, cell) if self.reaches(cell.name) else None,
            memory=cell.memory,
            witness=self._ask_witness(cell, cell.name),
            checked_at=cell.checked_at,
            times=self.times,
        )
        assert cell.view.records
        cell.decision = decide(cell.view)
        cell.memory = remember(cell.view, cell.view.records)
        if cell.decision.may_post and cell.writes:
            assert peer.may_post_until < self.now, f"two writers at {self.now}: {cell.decision.reason} in {cell.name}"
            cell.may_post_until = self.now + self.times.decision + self.times.statement

    # --- the ledger -----------------------------------------------------------------------------------------------

    def _process(self, cell: Cell) -> None:
        """As `ledger.posting`: posted, recorded in the backlog, or given back to the stream while it is young."""
        assert cell.decision
        self._expire(cell)
        cell.processed_at = self.now
        if not cell.stream:
            return
        payments = [payment for _, payment in cell.stream]
        if self._can_post(cell):
            self._post(cell, payments)
            assert cell.view
            assert cell.view.records
            since = cell.view.records.writer.since
            claimed_at = datetime.fromisoformat(since).timestamp() if since else NEVER
            self._record(
                cell, [each for each in payments if self.accepted_at[each] < claimed_at + CLAIM_MARGIN_SECONDS]
            )
        elif cell.decision.writer == other(cell.name) or self.now - cell.stream[0][0] >= self.weather.given_back:
            self._record(cell, payments)
        else:
            return
        cell.stream = []

    def _expire(self, cell: Cell) -> None:
        """The stream drops what is too old. What was too young to be recorded when the ledger last ran in both regions,
        only an audit of the whole journal finds."""
        kept = [(at, payment) for at, payment in cell.stream if self.now - at < self.weather.stream_keeps]
        for at, payment in set(cell.stream) - set(kept):
            if cell.processed_at - at < self.weather.given_back:
                cell.expired.add(payment)
        cell.stream = kept

    def left_to_an_audit(self) -> set[str]:
        """Payments that both streams dropped while no ledger ran."""
        first, second = self.cells.values()
        return first.expired & second.expired

    def _record(self, cell: Cell, payments: list[str]) -> None:
        cell.backlog += payments

    def _is_durable(self, cell: Cell, payment: str) -> bool:
        """Whether a promotion of the other region would keep the row that `cell`, the writer, has."""
        return cell.rows[payment] < self.durable_until[other(cell.name)]

    def _can_post(self, cell: Cell) -> bool:
        return bool(cell.decision and cell.decision.may_post and cell.writes and not cell.stuck)

    def _replay(self, cell: Cell) -> None:
        """As `ledger.replay`: of both backlogs, what is not in the database is posted, and what is durable removed."""
        if not self._can_post(cell):
            return
        if cell.replaying is None:
            if self.now % CATCH_UP_EVERY:
                return
            self._start_replay(cell)
        assert cell.replaying is not None
        now, cell.replaying = cell.replaying[:REPLAYED_PER_SECOND], cell.replaying[REPLAYED_PER_SECOND:]
        for region, payment in now:
            holder = self.cells[region]
            reached = self.reaches(cell.name)
            if holder is not cell and not reached:
                continue
            known = cell.journal | (self.cells[other(cell.name)].journal if reached else set())
            if payment in known:
                self._post(cell, [payment])
            if payment in cell.rows and self._is_durable(cell, payment) and payment in holder.backlog:
                holder.backlog.remove(payment)
        if not cell.replaying:
            cell.replaying = None

    def _start_replay(self, cell: Cell) -> None:
        cell.replaying = [(each.name, payment) for each in self.cells.values() for payment in each.backlog]

    def _post(self, cell: Cell, payments: Any) -> None:
        for payment in payments:
            cell.rows.setdefault(payment, self.now)

    # --- failover -------------------------------------------------------------------------------------------------

    def _take_over(self, cell: Cell) -> None:
        assert cell.view
        assert cell.view.records
        assert cell.decision
        peer, known = self.cells[other(cell.name)], cell.view.records
        down = self._ask_witness(cell, peer.name) is Witness.DOWN and cell.view.is_checked
        if not down or self.now - cell.asked_at > ASKED_EVERY:
            cell.down_since = None
        if down and cell.down_since is None:
            cell.down_since = self.now
        cell.asked_at = self.now
        if cell.fenced_peer_at is None:
            if (
                down
                and not self.held
                and self._probes_fail(cell, peer, known)
                and known.peer.state is not RegionState.FENCED
                and may_take_over(cell.view, cell.decision)
            ):
                self._fence(cell, peer, known)
            return
        if known.peer.state is not RegionState.FENCED:  # failed back by hand meanwhile
            cell.fenced_peer_at = None
            return
        if cell.vouched is not Vouched.NOTHING and peer.alive:
            cell.vouched = Vouched.NOTHING  # what the operator confirmed was not so
        if self.reaches(cell.name) and cell.peer_fenced_since is None and self.records(peer, cell).peer == known.peer:
            cell.peer_fenced_since = self.now
        if known.writer.region == cell.name and cell.vouched is Vouched.NOTHING and not cell.may_be_fenced:
            cell.fenced_peer_at = None
        elif self.now - cell.fenced_peer_at >= self.weather.promotion:
            self._become_writer(cell, peer, known)

    def _probes_fail(self, cell: Cell, peer: Cell, known: ControlRecords) -> bool:
        """Every one for PROBED_FOR, restarted with every change of the peer's record: the witness's answer is slow,
        and a region that was unfenced a moment ago would be fenced again."""
        if (self.reaches(cell.name) and self._is_well(peer)) or cell.probed_epoch != known.peer.epoch:
            cell.probed_epoch, cell.bad_since = known.peer.epoch, self.now
        return self.now - cell.bad_since >= PROBED_FOR

    def _fence(self, cell: Cell, peer: Cell, known: ControlRecords) -> None:
        if known.peer.state is not RegionState.FENCED:
            fence = RegionRecord(state=RegionState.FENCED, epoch=known.peer.epoch + 1, since=self._moment())
            if not self._change_both(cell, control_key(peer.name), fence, replaces=known.peer):
                return
        assert cell.view
        cell.fenced_peer_at, cell.peer_fenced_since, cell.vouched = self.now, None, Vouched.NOTHING
        cell.may_be_fenced = cell.view.may_be_fenced

    def _change_both(self, cell: Cell, key: str, record: Any, *, replaces: Any) -> bool:
        """In the own replica, then in the peer's if it is reached."""
        if not self._change(cell, key, record, replaces=replaces):
            return False
        if self.reaches(cell.name):
            self._change(self.cells[other(cell.name)], key, record, replaces=replaces, at_peer=True)
        return True

    def _become_writer(self, cell: Cell, peer: Cell, known: ControlRecords) -> None:
        if not cell.promoted:
            cell.promoted, cell.writes, peer.promoted = True, True, False
            self.takeovers += 1
            self.durable_until[peer.name] = NEVER
        assert cell.fenced_peer_at is not None
        assert cell.memory
        if not may_claim_writer(
            seconds_fenced=self.now - cell.fenced_peer_at,
            seconds_peer_fenced=0 if cell.peer_fenced_since is None else self.now - cell.peer_fenced_since,
            seconds_down=0 if cell.down_since is None else self.now - max(cell.down_since, cell.fenced_peer_at),
            may_be_fenced=cell.may_be_fenced,
            vouched=cell.vouched,
            times=self.times,
        ):
            return
        if known.writer.region != cell.name:
            named = WriterRecord(region=cell.name, epoch=known.writer.epoch + 1, since=self._moment())
            if not self._change_both(cell, WRITER_KEY, named, replaces=known.writer):
                return
        if cell.vouched is not Vouched.NOTHING or cell.may_be_fenced:
            cell.memory = replace(cell.memory, vouched_at=self.now)
        cell.fenced_peer_at, cell.vouched = None, Vouched.NOTHING
        self._start_replay(cell)

    def fail_over(self, lost: str) -> None:
        """By hand, where a sentinel holds, without the witness's answer."""
        cell, peer = self.cells[other(lost)], self.cells[lost]
        known = cell.view.records if cell.view else None
        if not (cell.alive and cell.view and known) or cell.fenced_peer_at is not None:
            return
        has_moved = known.peer.state is RegionState.FENCED and known.writer.region == cell.name
        if known.own.state is not RegionState.FENCED and not has_moved:
            self._fence(cell, peer, known)

    def force(self, lost: str) -> None:
        """By hand and forced, while the other region is down: overrides a fence of the own region first."""
        cell, peer = self.cells[other(lost)], self.cells[lost]
        if peer.alive or not (cell.alive and cell.view and cell.view.records):
            return
        known = cell.view.records
        if known.own.state is RegionState.FENCED:
            active = RegionRecord(state=RegionState.ACTIVE, epoch=known.own.epoch + 1)
            if not self._change_both(cell, control_key(cell.name), active, replaces=self.records(cell, cell).own):
                return
        self._fence(cell, peer, known)
        cell.vouched = Vouched.PEER_DOWN

    # --- return of a fenced region --------------------------------------------------------------------------------

    def _return_peer(self, cell: Cell) -> None:
        """The writer's region returns its fenced peer to service once it has been well for a while."""
        assert cell.view
        known, peer = cell.view.records, self.cells[other(cell.name)]
        assert known
        well = (
            known.peer.state is RegionState.FENCED
            and known.own.state is not RegionState.FENCED
            and known.writer.region == cell.name
            and cell.fenced_peer_at is None
            and cell.view.peer is not None
            and peer.alive
            and self.records(peer, cell) == self.records(cell, cell)
        )
        if not well:
            cell.peer_well_since = None
        elif cell.peer_well_since is None:
            cell.peer_well_since = self.now
        elif self.now - cell.peer_well_since >= self.weather.returned_after:
            active = RegionRecord(state=RegionState.ACTIVE, epoch=known.peer.epoch + 1)
            self._change_both(cell, control_key(peer.name), active, replaces=known.peer)

    def fence_both(self) -> None:
        """As two regions that fenced each other see it once they are linked again."""
        for region in REGIONS:
            record = self.records(self.cells[region], self.cells[region]).own
            self._set_both(
                control_key(region),
                replace(record, state=RegionState.FENCED, epoch=record.epoch + 1, since=self._moment()),
            )

    def unfence(self, region: str) -> None:
        """By hand, the writer's region."""
        record = self.records(self.cells[region], self.cells[region]).own
        self._set_both(control_key(region), replace(record, state=RegionState.ACTIVE, epoch=record.epoch + 1))
        self._start_replay(self.cells[region])

    # --- failback, by hand ----------------------------------------------------------------------------------------

    def fail_back(self) -> None:
        """Hand the database over to the first region, if both agree on everything, and start publishing it."""
        if self.handing_over_since is None and self._agree():
            self._switch_over()
            self.handing_over_since = self.now

    def _switch_over(self) -> None:
        """Without loss: the old writer's rows are there, and it accepts no statement from now on."""
        first, second = self.cells[EAST_1], self.cells[EAST_2]
        rows = self._newest_member().rows
        first.rows, second.rows = dict(rows), dict(rows)
        first.writes, second.writes, first.promoted, second.promoted = True, False, False, False
        second.may_post_until = self.now - 1
        self.durable_until = dict.fromkeys(REGIONS, self.now)

    def _hand_over(self) -> None:
        if self.handing_over_since is None:
            return
        if not self._agree():
            self.handing_over_since = None  # given up; it may be begun again
            return
        if self.now - self.handing_over_since <= NAMED_AFTER:
            return
        first = self.cells[EAST_1]
        self._set_both(
            WRITER_KEY, WriterRecord(region=EAST_1, epoch=self._common().writer.epoch + 1, since=self._moment())
        )
        for region in REGIONS:
            record = self.records(first, self.cells[region]).own
            self._set_both(control_key(region), replace(record, state=RegionState.ACTIVE, epoch=record.epoch + 1))
        self._start_replay(first)
        self.handing_over_since = None

    def _common(self) -> ControlRecords:
        return self.records(self.cells[EAST_1], self.cells[EAST_1])

    def _agree(self) -> bool:
        first, second = self.cells.values()
        no_takeover = first.fenced_peer_at is None and second.fenced_peer_at is None
        return no_takeover and self.linked() and self.records(first, first) == self.records(second, first)

    def _set_both(self, key: str, record: Any) -> bool:
        at = self._write_time()
        for cell in self.cells.values():
            cell.control[key] = (at, record)
        return True
