"""The region in which an accelerator serves a connection, also while a region is lost or unhealthy."""

import socket

import pytest

from localaws.net import proxy
from tests.local.fronts import fate, fate_of_new, front, own_cell, serving, slow_front
from tests.local.traffic_world import (
    EAST_1,
    EAST_2,
    Cell,
    World,
    ask,
    cells,
    eventually,
    shared_world,
    world,
)

__all__ = ["cells", "front", "own_cell", "shared_world", "slow_front", "world"]


def test_a_new_connection_goes_to_the_region_nearest_to_the_client(world: World, front: tuple[str, int]) -> None:
    assert [world.get(front) for _ in range(5)] == [(200, EAST_1)] * 5


@pytest.mark.parametrize(("kind", "seen"), [("error", "refused"), ("reset", "reset"), ("hang", "silent")])
def test_a_lost_region_fails_new_connections_by_the_kind_of_its_outage(
    world: World, cells: tuple[Cell, Cell], kind: str, seen: str
) -> None:
    addresses = [world.address(name) for name in (cells[0].nlb_name, cells[0].alb_name)]
    world.lose(EAST_1, kind)

    assert [fate_of_new(address, seen) for address in addresses] == [seen, seen]

    world.outages.heal(EAST_1)
    assert eventually(lambda: [serving(world, address) for address in addresses] == [EAST_1, EAST_1]), (
        "a healed region must answer at its old addresses"
    )


@pytest.mark.parametrize(("kind", "seen"), [("error", "closed"), ("reset", "reset"), ("hang", "silent")])
def test_a_lost_region_fails_open_connections_by_the_kind_of_its_outage(
    world: World, cells: tuple[Cell, Cell], front: tuple[str, int], kind: str, seen: str
) -> None:
    opened = [world.connect(address) for address in (front, world.address(cells[0].nlb_name))]
    assert [ask(connection) for connection in opened] == [(200, EAST_1)] * 2
    world.lose(EAST_1, kind)

    assert [fate(socket.socket(fileno=connection.sock.detach()), seen) for connection in opened] == [seen] * 2


@pytest.mark.parametrize(("kind", "seen"), [("error", "closed"), ("reset", "reset"), ("hang", "silent")])
def test_until_health_notices_the_accelerator_still_sends_clients_into_the_lost_region(
    world: World, slow_front: tuple[str, int], kind: str, seen: str
) -> None:
    world.lose(EAST_1, kind)

    assert fate_of_new(slow_front, seen) == seen


def test_a_connection_that_hung_goes_on_when_its_region_is_back(world: World, front: tuple[str, int]) -> None:
    connection = world.connect(front)
    assert ask(connection) == (200, EAST_1)
    world.lose(EAST_1, "hang")
    connection.sock.settimeout(0.2)
    connection.request("GET", "/")
    with pytest.raises(TimeoutError):
        connection.sock.recv(1)
    world.outages.heal(EAST_1)
    connection.sock.settimeout(30)

    assert connection.getresponse().read() == EAST_1.encode()


@pytest.mark.parametrize("kind", ["error", "reset", "hang"])
def test_a_group_at_dial_0_takes_over_from_a_lost_region_and_gives_back_when_it_heals(
    world: World, front: tuple[str, int], kind: str
) -> None:
    assert serving(world, front) == EAST_1
    world.lose(EAST_1, kind)
    assert eventually(lambda: serving(world, front) == EAST_2), "no failover to the group at dial 0"
    world.outages.heal(EAST_1)

    assert eventually(lambda: serving(world, front) == EAST_1), "traffic does not return by itself"


def test_an_open_connection_stays_in_its_region_when_traffic_returns_to_another(
    world: World, front: tuple[str, int]
) -> None:
    world.lose(EAST_1, "error")
    assert eventually(lambda: serving(world, front) == EAST_2)
    connection = world.connect(front)
    assert ask(connection) == (200, EAST_2)
    world.outages.heal(EAST_1)
    assert eventually(lambda: serving(world, front) == EAST_1)

    assert ask(connection) == (200, EAST_2)


def test_an_open_connection_stays_in_a_region_that_turned_unhealthy(
    world: World, cells: tuple[Cell, Cell], front: tuple[str, int]
) -> None:
    connection = world.connect(front)
    assert ask(connection) == (200, EAST_1)
    world.answer_with(cells[0], 503)
    assert eventually(lambda: serving(world, front) == EAST_2)

    assert ask(connection) == (503, EAST_1)


def test_an_endpoint_of_weight_0_gets_nothing_even_in_a_failover(world: World, cells: tuple[Cell, Cell]) -> None:
    _, name = world.accelerator((cells[0], 100, 128), (cells[1], 100, 0))
    address = world.address(name)
    world.answer_with(cells[0], 503)
    world.await_target(cells[0], "unhealthy")

    answers = {world.get(address) for _ in range(10)}

    assert answers == {(503, EAST_1)}, "it must fail open to the nearest group rather than use weight 0"
    assert world.target_states(cells[1]) == ["healthy"]


def test_with_every_region_unhealthy_the_accelerator_fails_open_to_the_nearest(
    world: World, cells: tuple[Cell, Cell], front: tuple[str, int]
) -> None:
    for cell in cells:
        world.answer_with(cell, 503)
    for cell in cells:
        world.await_target(cell, "unhealthy")

    assert {world.get(front) for _ in range(5)} == {(503, EAST_1)}


def test_a_load_balancer_without_a_registered_target_is_no_healthy_endpoint(
    world: World, own_cell: Cell, cells: tuple[Cell, Cell]
) -> None:
    _, name = world.accelerator((own_cell, 100, 128), (cells[1], 0, 128))
    address = world.address(name)
    assert serving(world, address) == EAST_1
    world.client("elbv2").deregister_targets(
        TargetGroupArn=own_cell.target_group, Targets=[{"Id": own_cell.alb, "Port": 443}]
    )

    assert eventually(lambda: serving(world, address) == EAST_2)


def test_a_network_load_balancer_fails_open_when_no_target_is_healthy(world: World, cells: tuple[Cell, Cell]) -> None:
    world.answer_with(cells[0], 503)
    world.await_target(cells[0], "unhealthy")

    assert world.get(world.address(cells[0].nlb_name)) == (503, EAST_1)


def test_a_network_load_balancer_without_targets_resets(world: World, own_cell: Cell) -> None:
    address = world.address(own_cell.nlb_name)
    world.client("elbv2").deregister_targets(
        TargetGroupArn=own_cell.target_group, Targets=[{"Id": own_cell.alb, "Port": 443}]
    )

    assert eventually(lambda: serving(world, address) == "ConnectionResetError")


@pytest.mark.parametrize("kind", ["error", "reset", "hang"])
def test_refused_connections_are_counted_for_the_lost_region(
    world: World, slow_front: tuple[str, int], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "CONNECT_SECONDS", 0.1)
    before = world.outages.refused().get(EAST_1, {}).get("data:nlb", 0)
    opened = [world.connect(slow_front) for _ in range(2)]
    assert [ask(connection) for connection in opened] == [(200, EAST_1)] * 2
    world.lose(EAST_1, kind)
    fate_of_new(slow_front, "silent" if kind == "hang" else "closed")

    assert eventually(lambda: world.outages.refused()[EAST_1]["data:nlb"] >= before + 3)
