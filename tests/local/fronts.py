"""Fronts that serve a cell or two, and what becomes of connections to them."""

import socket

import pytest

from tests.local.traffic_world import (
    EAST_1,
    Cell,
    World,
    cells,
    eventually,
    shared_world,
    world,
)

__all__ = ["cells", "shared_world", "world"]


@pytest.fixture
def own_cell(world: World) -> Cell:
    """A front endpoint that only this test uses and may take apart."""
    cell = world.cell(EAST_1)
    world.await_target(cell, "healthy")
    return cell


@pytest.fixture
def front(world: World, cells: tuple[Cell, Cell]) -> tuple[str, int]:
    """An accelerator over both cells, the second one at dial 0."""
    _, name = world.accelerator((cells[0], 100, 128), (cells[1], 0, 128))
    address = world.address(name)
    assert eventually(lambda: serving(world, address) == EAST_1), "another test's outage must end in the target health"
    return address


@pytest.fixture
def slow_front(world: World, cells: tuple[Cell, Cell]) -> tuple[str, int]:
    """As `front`, but health takes so long to notice that no test sees it turn."""
    slow = world.cell(EAST_1, interval=300)
    world.await_target(slow, "healthy")
    _, name = world.accelerator((slow, 100, 128), (cells[1], 0, 128))
    return world.address(name)


def serving(world: World, address: tuple[str, int]) -> str:
    """The region that answers a new connection; otherwise the obstacle."""
    try:
        return world.get(address, timeout=2)[1]
    except OSError as problem:
        return type(problem).__name__


def timeout(expected: str) -> float:
    """Seconds to wait for something to happen to a connection."""
    return 0.3 if expected == "silent" else 30.0


def fate(connection: socket.socket, expected: str) -> str:
    """The end of an open connection on which the client sends something, below TLS."""
    connection.settimeout(timeout(expected))
    try:
        connection.sendall(b"anybody there?")
        return "answered" if connection.recv(1) else "closed"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


def fate_of_new(address: tuple[str, int], expected: str) -> str:
    try:
        with socket.create_connection(address, timeout(expected)) as connection:
            return fate(connection, expected)
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"
