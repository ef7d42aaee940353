"""Bytes through load balancers, and the limits at which new connections are reset."""

import asyncio
import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from localaws import emulator
from localaws.core import saturation
from localaws.core.saturation import Saturation
from localaws.net import port
from tests.local.fronts import fate_of_new, front, serving
from tests.local.traffic_world import (
    EAST_1,
    INTERVAL,
    World,
    ask,
    cells,
    eventually,
    shared_world,
    world,
)

__all__ = ["cells", "front", "shared_world", "world"]


def send_and_finish(connection: socket.socket, content: bytes) -> None:
    connection.sendall(content)
    connection.shutdown(socket.SHUT_WR)


def everything_from(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@contextlib.contextmanager
def echo_server(delay: float = 0.0) -> Iterator[int]:
    """Echoes everything once its client has ended its stream; it starts to read after `delay` seconds."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = listener.accept()
                with connection:
                    time.sleep(delay)
                    connection.sendall(everything_from(connection))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def network_load_balancer(world: World, port: int, *targets: int) -> tuple[str, int]:
    """A network load balancer over IP targets of this machine."""
    elb, name = world.client("elbv2"), uuid.uuid4().hex[:8]
    group = elb.create_target_group(
        Name=f"ip-{name}",
        Protocol="TCP",
        Port=port,
        VpcId="vpc-1",
        TargetType="ip",
        HealthCheckIntervalSeconds=INTERVAL,
        HealthCheckTimeoutSeconds=INTERVAL,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(
        TargetGroupArn=group, Targets=[{"Id": f"127.0.0.{1 + i}", "Port": p} for i, p in enumerate(targets)]
    )
    balancer = elb.create_load_balancer(Name=f"nlb-{name}", Type="network")["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=port,
        Protocol="TCP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return world.address(balancer["DNSName"], port)


def test_bytes_pass_whole_while_the_target_is_slow_and_the_client_is_done_sending(world: World) -> None:
    sent = bytes(range(256)) * 20_000
    with (
        echo_server(delay=0.2) as target,
        contextlib.closing(socket.create_connection(network_load_balancer(world, 7000, target), 5)) as client,
    ):
        sender = threading.Thread(target=send_and_finish, args=(client, sent))
        sender.start()
        received = everything_from(client)
        sender.join()

    assert received == sent


def test_a_target_that_does_not_read_holds_its_client_back(world: World) -> None:
    chunk, far_too_much = bytes(1 << 20), 64
    with (
        echo_server(delay=3.0) as target,
        socket.create_connection(network_load_balancer(world, 7001, target), 5) as client,
    ):
        client.settimeout(0.4)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < far_too_much:
                client.sendall(chunk)
                sent += 1

    assert sent < far_too_much, "the front keeps in memory what the target does not take"


def test_connections_over_the_limit_of_a_front_are_reset(
    world: World, front: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "OPEN_CONNECTIONS", 5)
    opened = [socket.create_connection(front, 2) for _ in range(5)]
    with contextlib.ExitStack() as stack:
        for connection in opened:
            stack.enter_context(connection)
        assert eventually(lambda: fate_of_new(front, "reset") == "reset"), "five are accepted after a moment"

    assert eventually(lambda: serving(world, front) == EAST_1), "a closed connection makes room"


def test_a_blocked_emulator_does_not_stop_traffic(world: World, front: tuple[str, int]) -> None:
    world.get(front)
    answered = threading.Event()
    emulator.requests.main_loop().call_soon_threadsafe(answered.wait, 60)  # nothing else is done there meanwhile

    assert world.get(front) == (200, EAST_1)
    answered.set()


def test_a_saturated_machine_resets_most_new_connections_and_serves_open_ones(
    world: World, front: tuple[str, int]
) -> None:
    open_before = world.connect(front)
    assert ask(open_before) == (200, EAST_1)
    with keeping(world.saturation.throttled), contextlib.ExitStack() as silent:
        assert serving(world, front) == EAST_1, "one that comes alone is served"
        for _ in range(saturation.FEWEST_OPENING):
            silent.enter_context(socket.create_connection(front, 1))
        assert eventually(lambda: fate_of_new(front, "reset") == "reset")
        assert ask(open_before) == (200, EAST_1)

    assert eventually(lambda: serving(world, front) == EAST_1), "once that is over, clients are let in again"


@contextlib.contextmanager
def keeping(sign: Callable[[], None]) -> Iterator[None]:
    """Give a sign again and again while the block runs."""
    ending = threading.Event()

    def give() -> None:
        while not ending.wait(0.01):
            sign()

    giving = threading.Thread(target=give, daemon=True)
    sign()
    giving.start()
    try:
        yield
    finally:
        ending.set()
        giving.join()


def test_only_so_many_handshakes_are_open_at_the_same_time(
    world: World, front: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saturation, "LATEST", 60)  # this machine must not count as saturated, which lets in fewer
    assert eventually(lambda: not world.saturation.is_saturated)
    open_before = world.connect(front)
    with contextlib.ExitStack() as silent:
        opened = [silent.enter_context(socket.create_connection(front, 1)) for _ in range(saturation.MOST_OPENING)]

        assert eventually(lambda: fate_of_new(front, "reset") == "reset")
        assert ask(open_before) == (200, EAST_1)
        opened.pop().close()
        assert eventually(lambda: serving(world, front) == EAST_1), "there is room for one again"


def test_a_loop_that_runs_late_is_a_sign_of_saturation() -> None:
    async def run() -> tuple[bool, bool]:
        signs = Saturation()
        watching = asyncio.create_task(signs.watch())
        await asyncio.sleep(0)
        time.sleep(3 * saturation.LATEST)  # nothing else runs in the loop meanwhile
        late = signs.is_saturated
        while signs.is_saturated:
            await asyncio.sleep(0.01)
        watching.cancel()
        return late, signs.is_saturated

    assert asyncio.run(run()) == (True, False)
