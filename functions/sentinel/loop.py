"""The loop of one invocation: rounds of probes of the peer, and a decision after each."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from common.clock import Pace, timestamp
from common.control.observe import ControlObserver, Observation
from common.control.records import ControlRecords
from common.control.rules import Witness, may_take_over
from common.control.writes import last_change
from common.endpoint_directory import EndpointDirectory
from common.health_endpoints import ALIVE, Endpoints
from common.table_replica import ReplicaUnavailable

from .decision import CALM, Evidence, Hold, OwnRegion, Rounds, Runs, Verdict, decide
from .executions import RunsUnavailable, StateMachines
from .probes import Prober, Round, Window
from .returning import SENTINEL_RUNS, ReturnTimer, can_return
from .settings import Settings

# An invocation ends this many real seconds before its Lambda timeout.
_MARGIN_SECONDS = 5.0
_UNSUSPICIOUS = frozenset({Hold.PEER_ANSWERS, Hold.NOT_ENOUGH_FAILURES})


@dataclass(frozen=True, kw_only=True)
class SentinelContext:
    """Dependencies of the loop: records, state machines, witness and endpoints."""

    control: ControlObserver
    machines: StateMachines
    query_peer_witness: Callable[[], Witness]
    endpoints: EndpointDirectory


@dataclass
class SentinelLoop:
    """Keeps the last rounds from one invocation to the next of the same process."""

    settings: Settings
    ctx: SentinelContext
    prober: Prober
    pace: Pace
    logger: Logger
    metrics: EphemeralMetrics
    _endpoints: dict[str, Endpoints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.settings
        # Twice as long as the rounds take, so that the gap between two invocations does not empty the window.
        age = 2 * settings.probes * settings.probe_interval_seconds
        self._window = Window(size=settings.probes, needed=settings.failures, age=age)
        self._return_timer = ReturnTimer(wait=settings.return_seconds, gap=2 * settings.run_seconds)
        self._peer_unable = False
        self._failing_since: str | None = None
        self._failing_from = 0.0  # the same by `Pace.clock`

    def run(self, left_seconds: Callable[[], float]) -> dict[str, Any]:
        """Monitor until `run_seconds` are over or the Lambda timeout is near; `left_seconds` returns the remaining real
        seconds. Returns the number of decisions by reason. Raises EndpointsNotFound, and botocore's errors if Parameter
        Store does not answer and no sentinel of this region has ever read the endpoints.
        """
        self._find_endpoints()
        end = self.pace.clock() + self.settings.run_seconds
        decisions: Counter[str] = Counter()
        while True:
            began = self.pace.clock()
            evidence, verdict = self._round(began)
            decisions[str(verdict.reason)] += 1
            pause = self._pause(verdict)
            last = began + pause > end or left_seconds() < _MARGIN_SECONDS + self.pace.real(pause)
            # While all is well, one log line per invocation is enough.
            if verdict.reason is not Hold.PEER_ANSWERS or last:
                self._report(evidence, verdict)
            if last:
                self._count("PeerUnableToTakeOver", int(self._peer_unable))
                return {"decisions": dict(decisions)}
            self.pace.sleep(began + pause - self.pace.clock())

    def _pause(self, verdict: Verdict) -> float:
        """AWS seconds from one round to the next; shorter once enough rounds failed, to query the witness more
        often."""
        settings = self.settings
        return settings.probe_interval_seconds if verdict.reason in _UNSUSPICIOUS else settings.eager_interval_seconds

    def _round(self, began: float) -> tuple[Evidence, Verdict]:
        health = self.prober.probe(self._endpoints[self.settings.peer_region])
        latest = Round(at=began, health=health)
        if not latest.failed:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since, self._failing_from = timestamp(self.pace.now()), began
        rounds = self._window.add(latest)
        # In every round: the region may take over only if its chain of confirmations by the peer or the witness is
        # unbroken, which takes regular observations.
        observed = self.ctx.control.observe()
        self._peer_unable = _is_needed(observed) and (latest.failed or observed.view.peer_fenced)
        if self._return_timer.is_due(began, ready=can_return(observed.view, health)):
            self._return_peer(observed)
        evidence = Evidence(rounds=rounds, region=self.settings.region)
        verdict = decide(evidence)
        if verdict.reason in _UNSUSPICIOUS:
            return evidence, verdict
        evidence = self._gather(rounds, observed)
        verdict = decide(evidence)
        if verdict.act:
            self._start(evidence, verdict)
        return evidence, verdict

    def _gather(self, rounds: Rounds, observed: Observation) -> Evidence:
        settings, records = self.settings, observed.view.records
        own_endpoints = self.prober.probe(self._endpoints[settings.region])
        return Evidence(
            rounds=rounds,
            region=settings.region,
            own=OwnRegion(
                fit=may_take_over(observed.view, observed.decision),
                reason=observed.decision.reason.value,
                endpoints=own_endpoints,
                any_endpoint_alive=not ALIVE.isdisjoint(own_endpoints.values()),
            ),
            records=records,
            witness_own=observed.view.witness,
            witness_peer=self.ctx.query_peer_witness(),
            runs=self._runs(records) if records else None,
            peer_journal=observed.view.peer is not None,
            overload_seconds=self.pace.clock() - self._failing_from,
            overload_limit_seconds=settings.overload_seconds,
            seconds_since_change=self._since_change(records) if records else None,
            cool_down_seconds=settings.cool_down_seconds,
            retry_seconds=settings.retry_seconds,
            retry_max_seconds=settings.retry_max_seconds,
        )

    def _runs(self, records: ControlRecords) -> Runs | None:
        try:
            return self.ctx.machines.runs(self._stem(records), self.ctx.control.last_run())
        except (RunsUnavailable, ReplicaUnavailable) as error:
            self.logger.warning(
                "the state machine's executions cannot be listed", event="executions-unreadable", reason=error.reason
            )
            return None

    def _since_change(self, records: ControlRecords) -> float | None:
        moment = last_change(records)
        return self.pace.since(moment) if moment else None

    def _stem(self, records: ControlRecords) -> str:
        """The common prefix of the names of all executions for one loss: its epochs change as soon as one has an
        effect."""
        return f"{SENTINEL_RUNS}{self.settings.peer_region}-{records.peer.epoch}-{records.writer.epoch}"

    def _start(self, evidence: Evidence, verdict: Verdict) -> None:
        assert evidence.records is not None
        assert evidence.runs is not None
        request = {
            "region": self.settings.peer_region,
            "epoch": evidence.records.peer.epoch,
            "by": "sentinel",
            "reason": str(verdict.reason),
            "failing_since": self._failing_since,
            "detected_at": timestamp(self.pace.now()),
        }
        try:
            name = self.ctx.machines.start(self._stem(evidence.records), evidence.runs, request)
        except RunsUnavailable as error:
            self.logger.error(
                "the failover could not be started; retried in the next round",
                event="failover-start-failed",
                reason=error.reason,
            )
            self._count("SentinelStartFailed")
            return
        self.logger.append_keys(execution=name)

    def _return_peer(self, observed: Observation) -> None:
        """Start the failback of the peer that leaves the writer here."""
        assert observed.view.records is not None
        peer, now = observed.view.records.peer, self.pace.now()
        request = {
            "region": self.settings.peer_region,
            "epoch": peer.epoch,
            "by": "sentinel",
            "reason": "peer-well-again",
            "mode": "return",
            "writer_region": self.settings.region,
        }
        name = f"return-{self.settings.peer_region}-{peer.epoch}-{now:%Y%m%dT%H%M}"
        try:
            self.ctx.machines.return_peer(name, request)
        except RunsUnavailable as error:
            self.logger.error(
                "the return of the peer could not be started", event="return-start-failed", reason=error.reason
            )
            return
        self.logger.info("the return of the peer was started", event="return-started", execution=name)

    def _report(self, evidence: Evidence, verdict: Verdict) -> None:
        self.logger.info(
            "decision",
            event="decision",
            verdict="act" if verdict.act else "hold",
            reason=str(verdict.reason),
            peer=self.settings.peer_region,
            evidence=asdict(evidence),
        )
        self.logger.remove_keys(["execution"])
        if evidence.rounds.last and evidence.rounds.failed:
            self._count("PeerProbeFailures")
        if verdict.act:
            self._count("FailoversStarted")
        elif verdict.reason not in CALM:
            self._count("FailoversSuppressed")

    def _count(self, metric: str, number: int = 1) -> None:
        self.metrics.add_metric(name=metric, unit=MetricUnit.Count, value=number)

    def _find_endpoints(self) -> None:
        """Read again in every invocation."""
        for region in (self.settings.peer_region, self.settings.region):
            self._endpoints[region] = self.ctx.endpoints.find(region)


def _is_needed(observed: Observation) -> bool:
    """Whether the peer would have to take over if this region were lost now."""
    return observed.decision.writer == observed.view.region
