"""Traffic: load balancers, API, accelerator, health checks and certificates of both regions."""

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from drill.preflight.finding import Found, check, check_each, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place

_SECONDS = 10.0
_ACCELERATOR_REGION = "us-west-2"  # its API answers in one region only [GA-6]
_SUCCESS = "Success"  # how a status of a health checker begins (API Route53.StatusReport)
_OF_CHECKERS = 0.18
"""Route 53 calls healthy what more than 18 % of its checkers do [R53-8]."""


@check_each("load balancers' targets")
def targets(deployment: Deployment, place: Place) -> Found:
    cell = deployment.cell(place)
    answer = deployment.client("elbv2", place).describe_target_health(TargetGroupArn=cell.ingress.target_group_arn)
    states = [each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]]
    evidence = f"{cell.region}: {states.count('healthy')} of {len(states)} healthy"
    if "healthy" not in states:
        return critical(evidence, f"request /health in {cell.region}; its answer has the reason")
    return ok(evidence)


@check("/health behind each load balancer")
def health(deployment: Deployment) -> Found:
    """At each region's own load balancer, so the one without traffic is checked too."""
    trust = ssl.create_default_context(cadata=deployment.endpoints.certificates_pem or None)
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a certificate that we signed ourselves is its own authority
    name = deployment.endpoints.service_name
    with httpx.Client(verify=trust, trust_env=False, timeout=_SECONDS) as client:
        return worst(_health(client, deployment, place, name) for place in Place)


def _health(client: httpx.Client, deployment: Deployment, place: Place, name: str) -> Found:
    nlb, region = deployment.endpoints.nlb[place], deployment.region(place)
    try:
        answer = client.get(
            f"https://{nlb.host}:{nlb.port}/health", headers={"host": name}, extensions={"sni_hostname": name}
        )
    except httpx.HTTPError as error:
        return critical(f"{region}: no answer ({type(error).__name__})", f"find out whether {region} is there at all")
    if answer.status_code != httpx.codes.OK:
        return critical(f"{region}: {answer.status_code}", "a fenced region comes back by make failback")
    return ok(f"{region}: 200")


@check("API in each region")
def api(deployment: Deployment) -> Found:
    with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
        answers = {place: client.get(f"{deployment.endpoints.api[place]}/health").status_code for place in Place}
    evidence = ", ".join(f"{deployment.region(place)}: {status}" for place, status in answers.items())
    if any(status != httpx.codes.OK for status in answers.values()):
        return critical(evidence, "a fenced region comes back by make failback; else see the API's alarms")
    return ok(evidence)


@check("accelerator's endpoint groups")
def accelerator(deployment: Deployment) -> Found:
    """Both must be there with a weight: a dial of zero still fails over, a weight of zero does not."""
    client = deployment.client("globalaccelerator", _ACCELERATOR_REGION)
    listeners = client.list_listeners(AcceleratorArn=deployment.global_outputs.accelerator_arn)["Listeners"]
    groups: list[dict[str, Any]] = [
        group
        for listener in listeners
        for group in client.list_endpoint_groups(ListenerArn=listener["ListenerArn"])["EndpointGroups"]
    ]
    found = {group["EndpointGroupRegion"]: group["EndpointDescriptions"] for group in groups}
    return worst(_endpoints(deployment, place, found) for place in Place)


def _endpoints(deployment: Deployment, place: Place, found: dict[str, list[dict[str, Any]]]) -> Found:
    region, arn = deployment.region(place), deployment.cell(place).ingress.nlb_arn
    mine = [each for each in found.get(region, []) if each["EndpointId"] == arn]
    if not mine:
        return critical(f"{region}: its load balancer is in no endpoint group", "deploy the global stack again")
    if not mine[0].get("Weight"):
        return critical(f"{region}: weight 0, so it never gets traffic", "deploy the global stack again")
    state = str(mine[0].get("HealthState"))
    if state != "HEALTHY":
        return critical(f"{region}: {state.lower()}", f"request /health in {region}; its answer has the reason")
    return ok(f"{region}: healthy")


@check("Route 53's health checks of both regions")
def health_checks(deployment: Deployment) -> Found:
    client = deployment.client("route53", Place.PRIMARY)  # a global service: the region only signs
    pages = client.get_paginator("list_health_checks").paginate()
    every = [each for page in pages for each in page["HealthChecks"]]
    return worst(_checked(client, deployment, place, every) for place in Place)


def _checked(client: Any, deployment: Deployment, place: Place, every: list[dict[str, Any]]) -> Found:
    cell = deployment.cell(place)
    hosts = {cell.ingress.nlb_dns_name, cell.ingress.api_url.removeprefix("https://").partition("/")[0]}
    mine = [each for each in every if each["HealthCheckConfig"].get("FullyQualifiedDomainName") in hosts]
    if not mine:
        return critical(f"{cell.region}: no health check for its endpoints", "deploy the global stack again")
    bad = 0
    for each in mine:
        observed = client.get_health_check_status(HealthCheckId=each["Id"])["HealthCheckObservations"]
        healthy = sum(one["StatusReport"]["Status"].startswith(_SUCCESS) for one in observed)
        bad += healthy <= _OF_CHECKERS * len(observed)
    evidence = f"{cell.region}: {len(mine) - bad} of {len(mine)} healthy"
    if bad == len(mine):
        return critical(evidence, f"request /health in {cell.region}; its answer has the reason")
    return warning(evidence, "find out why only one of its endpoints is healthy") if bad else ok(evidence)


# Certificates of both regions: their status and days left.


# ACM renews 60 days ahead what it issued; what is left after that needs a person [ACM-5].
_SOON, _TOO_SOON = timedelta(days=45), timedelta(days=7)


@check_each("certificate expiry")
def certificates(deployment: Deployment, place: Place) -> Found:
    cell = deployment.cell(place)
    found = deployment.client("acm", place).describe_certificate(CertificateArn=cell.ingress.certificate_arn)[
        "Certificate"
    ]
    remedy = "renew it: see the runbook of certificates"
    if found["Status"] != "ISSUED":
        return critical(f"{cell.region}: {found['Status']}", remedy)
    left = found["NotAfter"] - datetime.now(UTC)
    evidence = f"{cell.region}: {left.days} days left"
    if left < _TOO_SOON:
        return critical(evidence, remedy)
    return warning(evidence, remedy) if left < _SOON else ok(evidence)
