"""Combinations of settings, with the outputs that each makes empty."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

from shared.places import PROJECTS

ENGINES = ("aurora-postgresql", "aurora-mysql")
MODES = ("active-passive", "active-active")
NATS = ("per-zone", "one", "none")
ZONES = (2, 3)

_LETTERS = {"aurora-postgresql": "pg", "aurora-mysql": "my", "active-passive": "ap", "active-active": "aa"}
_LETTERS |= {"per-zone": "pz", "one": "on", "none": "no"}


@dataclass(frozen=True, kw_only=True)
class Combination:
    engine: str
    mode: str
    nat: str
    domain: str | None  # a public hosted zone that exists already
    zones: int

    @property
    def environment(self) -> str:
        """A unique environment name, which becomes the suffix of all resource names."""
        words = (self.engine, self.mode, self.nat)
        return f"{''.join(_LETTERS[word] for word in words)}{'d' if self.domain else 'x'}{self.zones}"

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """Settings by stack: the same for all, since a stack ignores the keys of others."""
        same = {
            "database:engine": self.engine,
            "traffic:mode": self.mode,
            "network:nat": self.nat,
            "network:zones": str(self.zones),
        }
        if self.domain:
            same |= {"dns:zoneName": self.domain, "dns:createZone": "false"}
        return {stack: dict(same) for stack in PROJECTS}

    @property
    def nat_gateways(self) -> int:
        """In each region."""
        return {"per-zone": self.zones, "one": 1, "none": 0}[self.nat]

    @property
    def empty_outputs(self) -> set[str]:
        """A region's outputs, by dotted name, that are documented as empty here, with the default of `api:access`."""
        unused = {"ingress.certificate_pem"}
        if not self.domain:
            unused = {"ingress.api_domain_host", "ingress.api_domain_zone_id"}
        peers = set() if self.nat == "none" else {"peer_services.hosts", "peer_services.zone_ids"}
        return unused | peers | {"ingress.api_usage_plan_id"}


def combinations(domain: str) -> Iterator[Combination]:
    """All combinations; those with a domain use `domain`."""
    for engine, mode, nat, given, zones in itertools.product(ENGINES, MODES, NATS, (None, domain), ZONES):
        yield Combination(engine=engine, mode=mode, nat=nat, domain=given, zones=zones)


def covering(every: Sequence[Combination]) -> list[Combination]:
    """A small set that contains every pair of choices of `every`, chosen greedily."""
    left = set().union(*map(_pairs, every))
    chosen = []
    while left:
        best = max(every, key=lambda each: len(left & _pairs(each)))
        chosen.append(best)
        left -= _pairs(best)
    return chosen


def _pairs(combination: Combination) -> set[tuple[tuple[int, object], ...]]:
    return set(itertools.combinations(enumerate(astuple(combination)), 2))
