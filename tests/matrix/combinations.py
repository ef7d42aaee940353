"""Every way in which an environment can be put together, and what its settings and its outputs then are."""

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
        """A name of its own, which becomes the suffix of all names."""
        words = (self.engine, self.mode, self.nat)
        return f"{''.join(_LETTERS[word] for word in words)}{'d' if self.domain else 'x'}{self.zones}"

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """By stack; a key that one stack does not know is passed over there, so all get the same."""
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
        """The outputs of a region, by dotted name, that are documented as empty in this combination. `api:access` is as
        it is by default: callers sign their requests."""
        unused = {"ingress.certificate_pem"}
        if not self.domain:
            unused = {"ingress.api_domain_host", "ingress.api_domain_zone_id"}
        peers = set() if self.nat == "none" else {"peer_services.hosts", "peer_services.zone_ids"}
        return unused | peers | {"ingress.api_usage_plan_id"}


def combinations(domain: str) -> Iterator[Combination]:
    """All of them; those with a domain use `domain`."""
    for engine, mode, nat, given, zones in itertools.product(ENGINES, MODES, NATS, (None, domain), ZONES):
        yield Combination(engine=engine, mode=mode, nat=nat, domain=given, zones=zones)


def covering(every: Sequence[Combination]) -> list[Combination]:
    """Few of them, in which any two choices that meet somewhere in `every` meet: the best next one, until all have."""
    left = set().union(*map(_pairs, every))
    chosen = []
    while left:
        best = max(every, key=lambda each: len(left & _pairs(each)))
        chosen.append(best)
        left -= _pairs(best)
    return chosen


def _pairs(combination: Combination) -> set[tuple[tuple[int, object], ...]]:
    return set(itertools.combinations(enumerate(astuple(combination)), 2))
