"""The endpoint an accelerator chooses for a connection, without sockets."""

import random
from collections import Counter

import pytest

from localaws.services.globalaccelerator.data_plane import choose
from localaws.services.globalaccelerator.distance import nearest_first
from localaws.services.globalaccelerator.records import Endpoint, EndpointGroup


def group(region: str, dial: float, *endpoints: tuple[int, bool]) -> EndpointGroup:
    """Endpoints by weight and health."""
    return EndpointGroup(
        arn=region,
        listener="listener",
        region=region,
        dial=dial,
        endpoints=tuple(
            Endpoint(
                id=f"{region}-{number}{'' if healthy else '-unhealthy'}", weight=weight, preserves_client_address=False
            )
            for number, (weight, healthy) in enumerate(endpoints)
        ),
        port_overrides={},
        health_check={},
    )


def is_healthy(endpoint: str) -> bool:
    return not endpoint.endswith("-unhealthy")


def shares(groups: list[EndpointGroup], connections: int = 4000) -> dict[str, float]:
    """The share of connections that each endpoint gets."""
    draw = random.Random(20).random
    chosen = [choose(groups, is_healthy, draw) for _ in range(connections)]
    counts = Counter(found[1].id for found in chosen if found)
    return {name: count / connections for name, count in counts.items()}


def test_a_dial_keeps_its_share_and_the_rest_goes_to_the_next_region() -> None:
    found = shares([group("near", 50, (128, True)), group("far", 50, (128, True))])

    assert found == pytest.approx({"near-0": 0.5, "far-0": 0.5}, abs=0.05)


def test_a_dial_below_100_sends_nothing_to_a_group_at_dial_0() -> None:
    assert shares([group("near", 30, (128, True)), group("far", 0, (128, True))]) == {"near-0": 1.0}


def test_weights_share_the_connections_of_a_group() -> None:
    found = shares([group("near", 100, (64, True), (192, True), (0, True), (255, False))])

    assert found == pytest.approx({"near-0": 0.25, "near-1": 0.75}, abs=0.05)


def test_failover_tries_the_three_closest_groups_only() -> None:
    unhealthy = [group(name, 100, (128, False)) for name in ("first", "second", "third")]

    assert set(shares([*unhealthy, group("fourth", 100, (128, True))])) == {"first-0-unhealthy"}
    assert set(shares([*unhealthy[:2], group("third", 0, (128, True))])) == {"third-0"}


def test_without_any_endpoint_there_is_no_choice() -> None:
    assert choose([group("near", 100), group("far", 100)], is_healthy, lambda: 0.0) is None


def test_regions_are_ordered_by_distance_from_the_client() -> None:
    regions = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"]

    assert nearest_first("us-east-1", regions) == ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"]
    assert nearest_first("eu-central-1", regions) == ["eu-west-1", "us-east-1", "us-east-2", "us-west-2"]
    assert nearest_first("us-west-2", regions)[0] == "us-west-2"
