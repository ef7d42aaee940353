"""Parameters of both regions side by side, by name, type and version. Values are never read."""

from datetime import datetime, timedelta
from typing import Any

from drill.preflight.finding import Found, check, critical, ok, warning
from shared.deployment import Deployment
from shared.naming import Names
from shared.places import Place

_COPIED_WITHIN = timedelta(minutes=15)
"""A change is copied within seconds, a missed one by the reconciliation; past this it is worth a warning."""
_SHOWN = 5
_RUNBOOK = "docs/runbooks/parameters.md"


@check("parameters equal")
def parameters_equal(deployment: Deployment) -> Found:
    trees = {place: _tree(deployment, place) for place in Place}
    first, second = trees[Place.PRIMARY], trees[Place.SECONDARY]
    prefix = Names(deployment.suffix).parameters
    if not first and not second:
        return warning(f"there is none under {prefix} in either region", "deploy the global stack, which seeds them")
    missing = [
        f"{name} is missing in {deployment.region(place)}"
        for place in Place
        for name in sorted(set(trees[place.other]) - set(trees[place]))
    ]
    shared = sorted(set(first) & set(second))
    missing += [f"{name} has two types" for name in shared if first[name]["Type"] != second[name]["Type"]]
    if missing:
        return critical(_several(missing), f"the reconciliation copies or deletes them; if it does not, see {_RUNBOOK}")
    late = [sentence for name in shared if (sentence := _late(deployment, name, first[name], second[name]))]
    if late:
        return warning(_several(late), "see whether it was copied: the reconciliation logs what it compares")
    return ok(f"{len(shared)} in both regions")


def _late(deployment: Deployment, name: str, first: dict[str, Any], second: dict[str, Any]) -> str:
    moments: dict[Place, datetime] = {
        Place.PRIMARY: first["LastModifiedDate"],
        Place.SECONDARY: second["LastModifiedDate"],
    }
    newer = max(Place, key=lambda place: moments[place])
    behind = moments[newer] - moments[newer.other]
    if behind <= _COPIED_WITHIN:
        return ""
    versions = f"versions {first['Version']} and {second['Version']}"
    return f"{name} changed in {deployment.region(newer)} {behind} after the other region ({versions})"


def _tree(deployment: Deployment, place: Place) -> dict[str, dict[str, Any]]:
    """By name, without what belongs to one region alone."""
    names = Names(deployment.suffix)
    pages = (
        deployment.client("ssm", place)
        .get_paginator("describe_parameters")
        .paginate(ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [names.parameters]}])
    )
    return {
        each["Name"]: each
        for page in pages
        for each in page["Parameters"]
        if not each["Name"].startswith(f"{names.own_parameters}/")
    }


def _several(sentences: list[str]) -> str:
    more = f", and {len(sentences) - _SHOWN} more" if len(sentences) > _SHOWN else ""
    return ", ".join(sentences[:_SHOWN]) + more
