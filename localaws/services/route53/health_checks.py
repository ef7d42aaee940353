"""Route 53 health checks: checkers outside the regions that probe the deployed endpoints, in AWS time.

Sources: [R53-8] (18 % rule, time limits, new checks count as healthy) and API Route53.HealthCheckConfig (defaults, Host
header and port, Inverted, Disabled). AWS evaluates an alarm's metrics where CLOUDWATCH_METRIC here follows the alarm's
state, so that SetAlarmState has an effect. Left out: RECOVERY_CONTROL (never healthy, with a reason) and latency
measurement.
"""

import asyncio
import http.client
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from localaws import emulator
from localaws.core.clock import Clock
from localaws.net.probe import Failure, HttpProbe, Outcome, probe_http, probe_tcp, timeout_seconds
from localaws.services.api_model import service_model, xml
from localaws.services.route53.names import Destination

logger = logging.getLogger(__name__)

CONNECT_SECONDS, ANSWER_SECONDS, TCP_SECONDS = 4.0, 2.0, 10.0  # AWS time
USER_AGENT = "Amazon-Route53-Health-Check-Service"


class EndpointProber:
    """Probes as a health checker does. `locate(name or address, port, path)` finds an endpoint on this machine."""

    def __init__(self, clock: Clock, locate: Callable[[str, int, str], Destination | None]) -> None:
        self._clock = clock
        self._locate = locate

    async def probe(self, config: dict[str, Any]) -> Outcome:
        kind = config["Type"]
        https = kind.startswith("HTTPS")
        port = int(config.get("Port") or (443 if https else 80))
        name = config.get("FullyQualifiedDomainName") or config.get("IPAddress", "")
        path = config.get("ResourcePath") or "/"
        destination = self._locate(
            (config.get("IPAddress") or name).lower(), port, path if path.startswith("/") else f"/{path}"
        )
        if destination is None:
            return Outcome(Failure.CONNECTION, detail="DNS resolution failed: Rcode NXDomain(3)")
        if kind == "TCP":
            return await probe_tcp(destination.address, timeout_seconds(self._clock, TCP_SECONDS))
        probe = HttpProbe(
            address=destination.address,
            host=name if port == (443 if https else 80) else f"{name}:{port}",
            path=destination.path,
            user_agent=USER_AGENT,
            accepts=lambda status: 200 <= status < 400,
            tls=https if destination.tls is None else destination.tls,
            server_name=name if config.get("EnableSNI", https) else None,
            search=config.get("SearchString", "").encode() if kind.endswith("_STR_MATCH") else b"",
        )
        body_seconds = ANSWER_SECONDS if probe.search else 0.0
        return await probe_http(
            probe,
            timeout_seconds(self._clock, CONNECT_SECONDS),
            timeout_seconds(self._clock, ANSWER_SECONDS + body_seconds),
        )


def explained(outcome: Outcome) -> str:
    """A checker's report, in the form of StatusReport.Status."""
    if outcome.status is not None and outcome.failure in (None, Failure.STATUS):
        phrase = http.client.responses.get(outcome.status, "Unknown")
        return f"{'Success' if outcome.passed else 'Failure'}: HTTP Status Code {outcome.status}, {phrase}"
    return "Success: TCP connection established" if outcome.passed else f"Failure: {outcome.detail}"


HEALTHY_SHARE = 0.18  # more than this share of the checkers must report success
# AWS checks from all its checker regions when none is named; here, from these three.
DEFAULT_CHECKERS = ("us-east-1", "us-west-2", "eu-west-1")
NOT_OBSERVED = ("CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL")
_CHECKER_ADDRESS = "192.0.2.{}"  # RFC 5737: addresses of documentation, in place of the checkers'
_ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")

Config = dict[str, Any]


@dataclass(kw_only=True)
class Checker:
    """The results of one checker region. `row` counts the last results in a row that contradict `healthy`."""

    region: str
    healthy: bool = True
    row: int = 0
    last: str = ""
    checked: datetime | None = None
    last_failure: str = ""
    failed: datetime | None = None

    def record(self, outcome: Outcome, threshold: int) -> None:
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
            record["id"]: (account, record["config"]) for account, record in emulator.route53.health_check_records()
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
        # Disabled counts as healthy, and Inverted still inverts that (API Route53.HealthCheckConfig.Disabled).
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
        state = emulator.route53.alarm_state(account, alarm.get("Region", ""), alarm.get("Name", ""))
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
        """Probe while the check exists. Checkers are not coordinated, so each starts at its own time."""
        await self._clock.sleep(offset * self._interval(check))
        while True:
            config = self._configs[check][1]
            if not config.get("Disabled"):
                checker.record(await self._probed(config), int(config.get("FailureThreshold", 3)))
            await self._clock.sleep(self._interval(check))

    async def _probed(self, config: Config) -> Outcome:
        try:
            return await self._prober.probe(config)
        except Exception as problem:
            logger.exception("event=health_check_failed %s", config.get("FullyQualifiedDomainName"))
            return Outcome(Failure.PROTOCOL, detail=str(problem))

    def _interval(self, check: str) -> float:
        return float(self._configs[check][1].get("RequestInterval", 30))


def observations(checks: HealthChecks, check: str, kind: str, what: str) -> Element:
    """`HealthCheckObservations` of GetHealthCheckStatus (`status`) or of GetHealthCheckLastFailureReason
    (`lastfailurereason`), which ministack lacks.

    Raises ValueError for a check no checker observes (API Route53.GetHealthCheckStatus refuses calculated ones).
    """
    if kind in NOT_OBSERVED:
        raise ValueError(f"Health checkers do not observe health checks of type {kind}.")
    documents = []
    for number, checker in enumerate(checks.checkers(check), start=1):
        status, moment = checker.last, checker.checked
        if what == "lastfailurereason":
            status, moment = checker.last_failure, checker.failed
        if moment is not None:
            time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            report = {"Status": status, "CheckedTime": time}
            address = _CHECKER_ADDRESS.format(number)
            documents.append({"Region": checker.region, "IPAddress": address, "StatusReport": report})
    content = xml(service_model("route53").shape_for("HealthCheckObservations"), documents)
    return fromstring(f"<HealthCheckObservations>{content}</HealthCheckObservations>")
