"""What ministack's Route 53 lacks on the wire: GetHealthCheckStatus and GetHealthCheckLastFailureReason."""

from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from localaws.route53 import HealthChecks

NOT_OBSERVED = ("CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL")
_CHECKER_ADDRESS = "192.0.2.{}"  # RFC 5737: health checkers have addresses, ours are nobody's


def observations(checks: HealthChecks, check: str, kind: str, what: str) -> Element:
    """`HealthCheckObservations` for `status` or `lastfailurereason`.

    Raises ValueError for a check no checker observes (API Route53.GetHealthCheckStatus refuses calculated ones).
    """
    if kind in NOT_OBSERVED:
        raise ValueError(f"Health checkers do not observe health checks of type {kind}.")
    listed = Element("HealthCheckObservations")
    for number, checker in enumerate(checks.checkers(check), start=1):
        status, moment = checker.last, checker.checked
        if what == "lastfailurereason":
            status, moment = checker.last_failure, checker.failed
        if moment is not None:
            _add(listed, checker.region, _CHECKER_ADDRESS.format(number), status, moment)
    return listed


def _add(listed: Element, region: str, address: str, status: str, moment: datetime) -> None:
    observation = SubElement(listed, "HealthCheckObservation")
    SubElement(observation, "Region").text = region
    SubElement(observation, "IPAddress").text = address
    report = SubElement(observation, "StatusReport")
    SubElement(report, "Status").text = status
    SubElement(report, "CheckedTime").text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
