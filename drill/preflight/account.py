"""The account: caller identity, quotas, and stack outputs that must match."""

from drill.preflight.alarms import latest
from drill.preflight.finding import Found, check, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place


@check("identity in both regions")
def identity(deployment: Deployment) -> Found:
    callers = {place: deployment.client("sts", place).get_caller_identity()["Account"] for place in Place}
    foreign = [place for place, account in callers.items() if account != deployment.account]
    evidence = ", ".join(f"{deployment.region(place)}: account …{account[-4:]}" for place, account in callers.items())
    if foreign:
        return critical(
            f"{evidence}; the stacks are in …{deployment.account[-4:]}", "choose the profile of the stacks' account"
        )
    return ok(evidence)


# Quotas: would the one region that is left be allowed to do the work of both?


_DAY_MINUTES = 24 * 60
_HOUR = 3600
_COMPARED = {"apigateway": "Throttle rate", "vpc": "Network interfaces per Region"}
"""Service to the name of a quota that traffic of two regions in one may meet."""


@check("function concurrency")
def concurrency(deployment: Deployment) -> Found:
    """The account's limit in each region against the day's peaks of both together."""
    limits, peaks = {}, {}
    for place in Place:
        account = deployment.client("lambda", place).get_account_settings()
        limits[place] = int(account["AccountLimit"]["ConcurrentExecutions"])
        values = latest(
            deployment.client("cloudwatch", place),
            "AWS/Lambda",
            "ConcurrentExecutions",
            {},
            "Maximum",
            minutes=_DAY_MINUTES,
            period=_HOUR,
        )
        peaks[place] = max(values, default=0.0)
    together = sum(peaks.values())
    return worst(_concurrency(deployment.region(place), limits[place], together) for place in Place)


def _concurrency(region: str, limit: int, together: float) -> Found:
    evidence = f"{region}: {limit} allowed, both regions' peaks are {together:g}"
    remedy = f"ask for a higher quota of concurrent executions in {region}"
    if together > limit:
        return critical(evidence, remedy)
    return warning(evidence, remedy) if together > 0.8 * limit else ok(evidence)


@check("quotas equal in both regions")
def quotas_equal(deployment: Deployment) -> Found:
    """A quota that was raised in one region only holds the other back in the hour it is needed."""
    return worst(_quota(deployment, service, name) for service, name in _COMPARED.items())


def _quota(deployment: Deployment, service: str, name: str) -> Found:
    values = {place: _value(deployment, place, service, name) for place in Place}
    if None in values.values():
        return warning(f"{name}: unknown to Service Quotas", f"see {service}'s quotas in both regions")
    evidence = f"{name}: " + ", ".join(f"{deployment.region(place)} {value:g}" for place, value in values.items())
    if len(set(values.values())) > 1:
        return warning(evidence, "raise the lower one to the higher")
    return ok(evidence)


def _value(deployment: Deployment, place: Place, service: str, name: str) -> float | None:
    """By its name, which AWS shows: applied quotas first, defaults where none was changed."""
    client = deployment.client("service-quotas", place)
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            for quota in page["Quotas"]:
                if quota["QuotaName"] == name:
                    return float(quota["Value"])
    return None


# What the two cells export must fit together, since either serves the other's clients.


_EQUAL = ("ingress.service_name", "ingress.api_stage", "suffix")
"""Clients keep the name and the path they know, whichever region answers."""


@check("stack outputs fit together")
def outputs_agree(deployment: Deployment) -> Found:
    """That none is missing, and that all are of one account and environment, was seen when they were found."""
    primary, secondary = dict(deployment.primary.leaves()), dict(deployment.secondary.leaves())
    different = [
        f"{name.rpartition('.')[2]} is {primary[name]} and {secondary[name]}"
        for name in _EQUAL
        if primary[name] != secondary[name]
    ]
    if different:
        return critical("; ".join(different), "give both regions the same settings and deploy them again")
    regions = " and ".join(deployment.region(place) for place in Place)
    return ok(f"both of {regions} serve {deployment.primary.ingress.service_name}")
