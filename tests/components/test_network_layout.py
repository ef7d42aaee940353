import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.network.vpc import blocks
from shared.zones import zone_names


@given(prefix=st.integers(16, 20), second=st.integers(0, 255), count=st.integers(2, 3))
def test_subnets_lie_inside_the_vpc_and_do_not_overlap(prefix: int, second: int, count: int) -> None:
    cidr = ipaddress.IPv4Network(f"10.{second}.0.0/{prefix}")

    layout = blocks(str(cidr), zone_names("us-east-1", count))

    subnets = [ipaddress.IPv4Network(block) for zone in layout for block in (zone.public, zone.private)]
    assert all(subnet.subnet_of(cidr) for subnet in subnets)
    assert not any(a.overlaps(b) for i, a in enumerate(subnets) for b in subnets[i + 1 :])
    # A load balancer needs a /27 or more [ALB-6].
    assert all(subnet.prefixlen <= 27 for subnet in subnets)


def test_a_third_zone_moves_no_subnet_of_the_first_two() -> None:
    two, three = (blocks("10.0.0.0/16", zone_names("us-east-1", count)) for count in (2, 3))

    assert three[:2] == two


def test_more_zones_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match=r"9 zones do not fit into 10\.0\.0\.0/16"):
        blocks("10.0.0.0/16", list("abcdefghi"))
