"""Address arithmetic of a VPC: which block each subnet gets. Pure, so that it is tested without Pulumi."""

import ipaddress
from dataclasses import dataclass

_SUBNETS = 16  # of equal size: room for three zones of public and private subnets, and as much again for what comes


@dataclass(frozen=True, kw_only=True)
class ZoneBlocks:
    """The blocks of one availability zone."""

    zone: str
    public: str
    private: str


def blocks(cidr: str, zones: list[str]) -> list[ZoneBlocks]:
    """One public and one private block per zone. A zone's blocks depend on its position only, so adding a zone at the
    end moves no other. Raises ValueError for more zones than there is room for."""
    if len(zones) > _SUBNETS // 2:
        raise ValueError(f"{len(zones)} zones do not fit into {cidr}; at most {_SUBNETS // 2} do")
    network = ipaddress.ip_network(cidr)
    subnets = [str(block) for block in network.subnets(prefixlen_diff=_SUBNETS.bit_length() - 1)]
    half = _SUBNETS // 2
    return [
        ZoneBlocks(zone=zone, public=subnets[index], private=subnets[half + index]) for index, zone in enumerate(zones)
    ]


def zone_names(region: str, count: int) -> list[str]:
    """The first `count` zones by their letters. Fixed names keep the program's inputs the same every time, where
    `get_availability_zones` may reorder them or add one [VPC-6]."""
    return [f"{region}{letter}" for letter in "abc"[:count]]
