"""How a Route 53 health checker probes an endpoint, and the words it reports.

Time limits: [R53-8]; Host header and port: API Route53.HealthCheckConfig.FullyQualifiedDomainName.
"""

import http.client
from collections.abc import Callable
from typing import Any

from localaws.clock import Clock
from localaws.fronts.probe import Failure, HttpProbe, Outcome, patience, probe_http, probe_tcp
from localaws.route53_names import Destination

CONNECT_SECONDS, ANSWER_SECONDS, TCP_SECONDS = 4.0, 2.0, 10.0  # AWS time
USER_AGENT = "Amazon-Route53-Health-Check-Service"


class EndpointProber:
    """`locate(name or address, port, path)` gives the place of an endpoint on this machine."""

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
            return await probe_tcp(destination.address, patience(self._clock, TCP_SECONDS))
        asked = HttpProbe(
            address=destination.address,
            host=name if port == (443 if https else 80) else f"{name}:{port}",
            path=destination.path,
            user_agent=USER_AGENT,
            accepts=lambda status: 200 <= status < 400,
            tls=https if destination.tls is None else destination.tls,
            server_name=name if config.get("EnableSNI", https) else None,
            search=config.get("SearchString", "").encode() if kind.endswith("_STR_MATCH") else b"",
        )
        body_seconds = ANSWER_SECONDS if asked.search else 0.0
        return await probe_http(
            asked,
            patience(self._clock, CONNECT_SECONDS),
            patience(self._clock, ANSWER_SECONDS + body_seconds),
        )


def explained(outcome: Outcome) -> str:
    """A checker's report, in the form of StatusReport.Status."""
    if outcome.status is not None and outcome.failure in (None, Failure.STATUS):
        phrase = http.client.responses.get(outcome.status, "Unknown")
        return f"{'Success' if outcome.passed else 'Failure'}: HTTP Status Code {outcome.status}, {phrase}"
    return "Success: TCP connection established" if outcome.passed else f"Failure: {outcome.detail}"
