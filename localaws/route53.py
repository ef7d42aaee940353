"""Route 53 health checks: checkers outside the regions that probe the deployed endpoints, in AWS time.

Sources: [R53-8] (18 % rule, time limits, new checks count as healthy) and API Route53.HealthCheckConfig (defaults,
Inverted, Disabled). AWS watches an alarm's metrics where CLOUDWATCH_METRIC here follows the alarm's state, so that
SetAlarmState shows. Left out: RECOVERY_CONTROL (never healthy, and said so), latency measurement, the HealthCheckStatus
metric.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws import hooks
from localaws.clock import Clock
from localaws.fronts.probe import Failure, Outcome
from localaws.route53_probe import EndpointProber, explained

logger = logging.getLogger(__name__)

HEALTHY_SHARE = 0.18  # more than this share of the checkers must report success
# AWS checks from every one of its places when none is named; three stand for them here.
DEFAULT_CHECKERS = ("us-east-1", "us-west-2", "eu-west-1")
_ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")

Config = dict[str, Any]


@dataclass(kw_only=True)
class Checker:
    """What one place has seen. `row` counts the last results that contradict `healthy`."""

    region: str
    healthy: bool = True
    row: int = 0
    last: str = ""
    checked: datetime | None = None
    last_failure: str = ""
    failed: datetime | None = None

    def take(self, outcome: Outcome, threshold: int) -> None:
        self.checked, self.last = datetime.now(UTC), explained(outcome)
        if not outcome.passed:
            self.failed, self.last_failure = self.checked, self.last
        if outcome.passed is self.healthy:
            self.row = 0
            return
        self.row += 1
        if self.row >= threshold:
            self.healthy, self.row = outcome.passed, 0


class HealthChecks:
    """One task per checker of each endpoint check. Lives on the traffic loop; may be read from any thread."""

    def __init__(self, clock: Clock, prober: EndpointProber) -> None:
        self._clock = clock
        self._prober = prober
        self._configs: dict[str, tuple[str, Config]] = {}  # health check -> account, configuration
        self._checkers: dict[str, tuple[Checker, ...]] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._alarms: dict[str, bool] = {}  # last known status of the checks that follow an alarm

    def follow(self) -> None:
        """Start and stop checkers for what is deployed now."""
        self._configs = {
            record["id"]: (account, record["config"]) for account, record in hooks.route53.health_check_records()
        }
        for check in [check for check in self._checkers if check not in self._configs]:
            self._stop(check)
            del self._checkers[check]
        for check, (account, config) in self._configs.items():
            if config["Type"] in _ENDPOINT_TYPES:
                places = tuple(config.get("Regions") or DEFAULT_CHECKERS)
                if places != tuple(checker.region for checker in self._checkers.get(check, ())):
                    self._start(check, places)
            elif config["Type"] == "CLOUDWATCH_METRIC":
                self._alarms[check] = self._of_alarm(check, account, config)

    def stop(self) -> None:
        for check in tuple(self._tasks):
            self._stop(check)

    def is_healthy(self, check: str) -> bool:
        """The status Route 53 acts on. A check that does not exist is healthy, like a record without one."""
        return self._is_healthy(check, ())

    def checkers(self, check: str) -> tuple[Checker, ...]:
        return self._checkers.get(check, ())

    def status(self) -> list[dict[str, Any]]:
        return [
            {
                "id": check,
                "type": config["Type"],
                "fqdn": config.get("FullyQualifiedDomainName") or config.get("IPAddress"),
                "healthy": self.is_healthy(check),
                "reason": self._reason(check, config),
            }
            for check, (_, config) in tuple(self._configs.items())
        ]

    def _is_healthy(self, check: str, parents: tuple[str, ...]) -> bool:
        if check not in self._configs or check in parents:
            return True
        _, config = self._configs[check]
        # Disabled counts as healthy, and Inverted still turns that round (API Route53.HealthCheckConfig.Disabled).
        healthy = bool(config.get("Disabled")) or self._measured(check, config, (*parents, check))
        return healthy is not bool(config.get("Inverted"))

    def _measured(self, check: str, config: Config, parents: tuple[str, ...]) -> bool:
        if config["Type"] == "CALCULATED":
            children = config.get("ChildHealthChecks", ())
            return sum(self._is_healthy(child, parents) for child in children) >= int(config.get("HealthThreshold", 0))
        if config["Type"] == "CLOUDWATCH_METRIC":
            return self._alarms.get(check, True)
        checkers = self._checkers.get(check, ())
        if config["Type"] not in _ENDPOINT_TYPES:
            return False
        return not checkers or sum(checker.healthy for checker in checkers) / len(checkers) > HEALTHY_SHARE

    def _of_alarm(self, check: str, account: str, config: Config) -> bool:
        alarm = config.get("AlarmIdentifier", {})
        state = hooks.route53.alarm_state(account, alarm.get("Region", ""), alarm.get("Name", ""))
        if state in ("OK", "ALARM"):
            return state == "OK"
        unknown = config.get("InsufficientDataHealthStatus", "LastKnownStatus")
        return self._alarms.get(check, True) if unknown == "LastKnownStatus" else unknown == "Healthy"

    def _reason(self, check: str, config: Config) -> str:
        if config.get("Disabled"):
            return "disabled"
        if config["Type"] not in (*_ENDPOINT_TYPES, "CALCULATED", "CLOUDWATCH_METRIC"):
            return f"{config['Type']} is not emulated"
        reports = [checker.last for checker in self._checkers.get(check, ()) if checker.last]
        return reports[-1] if reports else ""

    def _start(self, check: str, places: tuple[str, ...]) -> None:
        self._stop(check)
        self._checkers[check] = tuple(Checker(region=place) for place in places)
        loop = asyncio.get_running_loop()
        self._tasks[check] = [
            loop.create_task(self._watch(check, checker, place / len(places)))
            for place, checker in enumerate(self._checkers[check])
        ]

    def _stop(self, check: str) -> None:
        for task in self._tasks.pop(check, ()):
            task.cancel()

    async def _watch(self, check: str, checker: Checker, offset: float) -> None:
        """Probe for as long as the check exists; checkers do not coordinate, so each starts at its own moment."""
        await self._clock.sleep(offset * self._interval(check))
        while True:
            config = self._configs[check][1]
            if not config.get("Disabled"):
                checker.take(await self._probed(config), int(config.get("FailureThreshold", 3)))
            await self._clock.sleep(self._interval(check))

    async def _probed(self, config: Config) -> Outcome:
        try:
            return await self._prober.probe(config)
        except Exception as problem:
            logger.exception("the health check of %s broke", config.get("FullyQualifiedDomainName"))
            return Outcome(Failure.PROTOCOL, detail=str(problem))

    def _interval(self, check: str) -> float:
        return float(self._configs[check][1].get("RequestInterval", 30))
