"""One run of the sentinel: rounds of probes, and a decision whenever a round gives reason for one."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from common.clock import Pace, timestamp
from common.control.observe import Control, Look
from common.control.records import ControlRecords
from common.control.rules import Witness, may_take_over
from common.control.writes import last_change
from common.health_endpoints import ALIVE, Doors
from common.table_replica import ReplicaUnavailable

from .decision import CALM, Evidence, Hold, Own, Rounds, Runs, Verdict, decide
from .executions import RunsUnavailable, StateMachines
from .probes import Prober, Round, Window
from .settings import Settings

# A run ends this long before Lambda would end it (seconds of this machine).
_MARGIN_SECONDS = 5.0
_CURIOUS = frozenset({Hold.PEER_ANSWERS, Hold.NOT_YET})


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the watch looks at and acts on."""

    control: Control
    machines: StateMachines
    ask_peers_witness: Callable[[], Witness]
    find_doors: Callable[[str], Doors]  # of a region; raises DoorsUnknown and botocore's errors


@dataclass
class Watch:
    """Keeps the last rounds from one run to the next of the same process."""

    settings: Settings
    around: Surroundings
    prober: Prober
    pace: Pace
    logger: Logger
    metrics: EphemeralMetrics
    _doors: dict[str, Doors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.settings
        # Twice as long as the rounds take, so that the gap between two runs does not empty the window.
        age = 2 * settings.probes * settings.probe_interval_seconds
        self._window = Window(size=settings.probes, needed=settings.failures, age=age)
        self._failing_since: str | None = None

    def run(self, left_seconds: Callable[[], float]) -> dict[str, Any]:
        """Watch until the run's time is over, or Lambda's: `left_seconds` of this machine. What was decided how often.

        Raises DoorsUnknown when nobody can say where the peer's doors are.
        """
        self._find_doors()
        end = self.pace.clock() + self.settings.run_seconds
        told: Counter[str] = Counter()
        while True:
            began = self.pace.clock()
            evidence, verdict = self._round(began)
            told[str(verdict.reason)] += 1
            pause = self._pause(verdict)
            last = began + pause > end or left_seconds() < _MARGIN_SECONDS + self.pace.real(pause)
            # Where all is well, one line a run says so.
            if verdict.reason is not Hold.PEER_ANSWERS or last:
                self._tell(evidence, verdict)
            if last:
                return {"decisions": dict(told)}
            self.pace.sleep(began + pause - self.pace.clock())

    def _pause(self, verdict: Verdict) -> float:
        """Seconds from one round to the next. Once the peer's failures suffice, what is waited for is the witness."""
        settings = self.settings
        return settings.probe_interval_seconds if verdict.reason in _CURIOUS else settings.eager_interval_seconds

    def _round(self, began: float) -> tuple[Evidence, Verdict]:
        said = self.prober.look(self._doors[self.settings.peer_region])
        latest = Round(at=began, said=said)
        if not latest.failed:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = timestamp(self.pace.now())
        rounds = self._window.add(latest)
        # With every round: that the own region was in sight of its peer or the witness all the time is what allows it
        # to take over, and only who looks knows.
        look = self.around.control.look()
        evidence = Evidence(rounds=rounds, region=self.settings.region)
        verdict = decide(evidence)
        if verdict.reason in _CURIOUS:
            return evidence, verdict
        evidence = self._gather(rounds, look)
        verdict = decide(evidence)
        if verdict.act:
            self._start(evidence, verdict)
        return evidence, verdict

    def _gather(self, rounds: Rounds, look: Look) -> Evidence:
        settings, records = self.settings, look.view.records
        own_doors = self.prober.look(self._doors[settings.region])
        return Evidence(
            rounds=rounds,
            region=settings.region,
            own=Own(
                fit=may_take_over(look.view, look.decision),
                why=look.decision.reason.value,
                doors=own_doors,
                doors_answer=not ALIVE.isdisjoint(own_doors.values()),
            ),
            records=records,
            witness_own=look.view.witness,
            witness_peer=self.around.ask_peers_witness(),
            runs=self._runs(records) if records else None,
            seconds_since_change=self._since_change(records) if records else None,
            cool_down_seconds=settings.cool_down_seconds,
            attempts_allowed=settings.attempts,
            retry_seconds=settings.retry_seconds,
        )

    def _runs(self, records: ControlRecords) -> Runs | None:
        try:
            return self.around.machines.look(self._stem(records), self.around.control.last_run())
        except (RunsUnavailable, ReplicaUnavailable) as silence:
            self.logger.warning(
                "the state machine's executions cannot be listed", event="executions-unreadable", reason=silence.reason
            )
            return None

    def _since_change(self, records: ControlRecords) -> float | None:
        moment = last_change(records)
        return self.pace.since(moment) if moment else None

    def _stem(self, records: ControlRecords) -> str:
        """What all runs for one loss have in common: the epochs, which change as soon as one gets anywhere."""
        return f"failover-{self.settings.peer_region}-{records.peer.epoch}-{records.writer.epoch}"

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
            name = self.around.machines.start(self._stem(evidence.records), evidence.runs.attempts, request)
        except RunsUnavailable as silence:
            self.logger.error(
                "the failover could not be started; retried in the next round",
                event="failover-start-failed",
                reason=silence.reason,
            )
            self._count("SentinelStartFailed")
            return
        self.logger.append_keys(execution=name)

    def _tell(self, evidence: Evidence, verdict: Verdict) -> None:
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

    def _count(self, metric: str) -> None:
        self.metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)

    def _find_doors(self) -> None:
        """Anew with every run. What was found once is good enough while Parameter Store does not answer."""
        for region in (self.settings.peer_region, self.settings.region):
            try:
                self._doors[region] = self.around.find_doors(region)
            except (ClientError, BotoCoreError) as error:
                if region not in self._doors:
                    raise
                self.logger.warning(
                    "endpoint addresses are from an earlier run", event="stale-endpoints", error=type(error).__name__
                )
