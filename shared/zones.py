"""The availability zones of a region, by their letters."""

import re
from collections.abc import Mapping

USUAL = "abc"
LETTERS: Mapping[str, str] = {"ap-northeast-1": "acd", "ca-central-1": "abd"}
"""Regions without one of the usual letters."""
BY_ACCOUNT = frozenset({"us-west-1"})
"""Regions that give an account two of the usual letters, and not every account the same two."""


def zone_names(region: str, count: int, given: str | None = None) -> list[str]:
    """The first `count` zones by their letters. Fixed names keep the program's inputs the same every time, where
    `get_availability_zones` may reorder them or add one [VPC-6]."""
    return [f"{region}{letter}" for letter in (given or LETTERS.get(region, USUAL))[:count]]


def zone_letters(value: str) -> str:
    """The value of a setting. Raises ValueError for one that names no zones."""
    if not re.fullmatch(r"[a-z]{2,6}", value) or len(set(value)) < len(value):
        raise ValueError("two or more different letters of zones are needed, such as acd")
    return value


def zones_problem(place: str, region: str, count: int, given: str | None) -> str | None:
    """The reason that the settings of a place name no zones, or too few."""
    if given is None and region in BY_ACCOUNT:
        return (
            f"dr:{place}Region is {region}, whose zones have other letters in each account; set "
            f"network:{place}Zones to yours, such as ac (aws ec2 describe-availability-zones)"
        )
    if (found := len(zone_names(region, count, given))) < count:
        return f"network:{place}Zones names {found} zones, but network:zones is {count}; change one"
    return None
