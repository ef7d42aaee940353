"""Certificates of both regions' doors: valid, and for how long."""

from datetime import UTC, datetime, timedelta

from drill.check.finding import Found, check, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place

# ACM renews 60 days ahead what it issued; what is left after that needs a person [ACM-5].
_SOON, _TOO_SOON = timedelta(days=45), timedelta(days=7)


@check("certificate expiry")
def certificates(deployment: Deployment) -> Found:
    return worst(_certificate(deployment, place) for place in Place)


def _certificate(deployment: Deployment, place: Place) -> Found:
    cell = deployment.cell(place)
    found = deployment.client("acm", place).describe_certificate(CertificateArn=cell.certificate_arn)["Certificate"]
    remedy = "renew it: see the runbook of certificates"
    if found["Status"] != "ISSUED":
        return critical(f"{cell.region}: {found['Status']}", remedy)
    left = found["NotAfter"] - datetime.now(UTC)
    evidence = f"{cell.region}: {left.days} days left"
    if left < _TOO_SOON:
        return critical(evidence, remedy)
    return warning(evidence, remedy) if left < _SOON else ok(evidence)
