"""What the two cells export must fit together, since either serves the other's clients."""

from drill.check.finding import Found, check, critical, ok
from shared.deployment import Deployment
from shared.places import Place

_EQUAL = ("service_name", "api_stage", "suffix")
"""Clients keep the name and the path they know, whichever region answers."""


@check("stack outputs fit together")
def outputs_agree(deployment: Deployment) -> Found:
    """That none is missing, and that all are of one account and environment, was seen when they were found."""
    different = [
        f"{name} is {getattr(deployment.primary, name)} and {getattr(deployment.secondary, name)}"
        for name in _EQUAL
        if getattr(deployment.primary, name) != getattr(deployment.secondary, name)
    ]
    if different:
        return critical("; ".join(different), "give both regions the same settings and deploy them again")
    regions = " and ".join(deployment.region(place) for place in Place)
    return ok(f"both of {regions} serve {deployment.primary.service_name}")
