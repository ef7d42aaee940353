"""The availability zones of a region, by their letters."""

from collections.abc import Mapping

USUAL = "abc"
LETTERS: Mapping[str, str] = {"ap-northeast-1": "acd", "ca-central-1": "abd"}
"""Regions without one of the usual letters."""
BY_ACCOUNT = frozenset({"us-west-1"})
"""Regions that give an account two of the usual letters, and not every account the same two."""


def zone_names(region: str, count: int, letters: str | None = None) -> list[str]:
    """The first `count` zones by their letters. Fixed names keep the program's inputs the same every time, where
    `get_availability_zones` may reorder them or add one [VPC-6]."""
    return [f"{region}{letter}" for letter in (letters or LETTERS.get(region, USUAL))[:count]]
