"""Connections through accelerator, network and application load balancers, as clients see them."""

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from localaws import emulator
from localaws.core import saturation
from localaws.core.saturation import Saturation
from localaws.net import port, proxy
from tests.certificates import make_certificate
from tests.local.traffic_world import (
    EAST_1,
    EAST_2,
    INTERVAL,
    Cell,
    World,
    ask,
    cells,
    eventually,
    fixed_response,
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
    """Which region answers a new connection; what kept it from answering otherwise."""
    try:
        return world.get(address, timeout=2)[1]
    except OSError as problem:
        return type(problem).__name__


def test_a_new_connection_goes_to_the_region_nearest_to_the_client(world: World, front: tuple[str, int]) -> None:
    assert [world.get(front) for _ in range(5)] == [(200, EAST_1)] * 5


def test_an_application_load_balancer_answers_many_requests_on_one_connection(
    world: World, cells: tuple[Cell, Cell]
) -> None:
    connection = world.connect(world.address(cells[0].alb_name))

    assert [ask(connection, f"/{number}") for number in range(20)] == [(200, EAST_1)] * 20


def test_an_http_listener_redirects_without_tls(world: World, own_cell: Cell) -> None:
    action = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    world.client("elbv2").create_listener(
        LoadBalancerArn=own_cell.alb, Port=80, Protocol="HTTP", DefaultActions=[action]
    )
    host, port = world.address(own_cell.alb_name, 80)
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.request("GET", "/payments?a=b", headers={"Host": "pay.test"})

    answer = connection.getresponse()

    assert (answer.status, answer.getheader("Location")) == (301, "https://pay.test:443/payments?a=b")


def test_a_request_body_over_a_megabyte_is_refused_with_413(world: World, cells: tuple[Cell, Cell]) -> None:
    connection = world.connect(world.address(cells[0].alb_name))
    connection.request("POST", "/", body=b"x" * (1024 * 1024 + 1))

    assert connection.getresponse().status == 413


def test_a_client_that_does_not_speak_http_gets_400(world: World, cells: tuple[Cell, Cell]) -> None:
    connection = world.connect(world.address(cells[0].alb_name))
    connection.sock.sendall(b"not http at all\r\n\r\n")

    assert connection.sock.recv(100).startswith(b"HTTP/1.1 400 ")


def patience(expected: str) -> float:
    """Seconds to wait for something to happen to a connection."""
    return 0.3 if expected == "silent" else 30.0


def fate(connection: socket.socket, expected: str) -> str:
    """What becomes of an open connection on which the client sends something, below TLS."""
    connection.settimeout(patience(expected))
    try:
        connection.sendall(b"anybody there?")
        return "answered" if connection.recv(1) else "closed"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


def fate_of_new(address: tuple[str, int], expected: str) -> str:
    try:
        with socket.create_connection(address, patience(expected)) as connection:
            return fate(connection, expected)
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


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


def test_a_deleted_listener_closes_its_front(world: World, own_cell: Cell) -> None:
    address = world.address(own_cell.nlb_name)
    world.client("elbv2").delete_listener(ListenerArn=own_cell.nlb_listener)

    assert eventually(lambda: serving(world, address) == "ConnectionRefusedError")
    assert f"{own_cell.nlb_name}:443" not in world.traffic.addresses()


def test_a_listener_made_anew_serves_at_the_address_of_the_old_one(world: World, own_cell: Cell) -> None:
    elb, address = world.client("elbv2"), world.address(own_cell.nlb_name)
    elb.delete_listener(ListenerArn=own_cell.nlb_listener)
    forward = {"Type": "forward", "TargetGroupArn": own_cell.target_group}
    elb.create_listener(LoadBalancerArn=own_cell.nlb, Port=443, Protocol="TCP", DefaultActions=[forward])

    assert eventually(lambda: serving(world, world.address(own_cell.nlb_name)) == EAST_1), address


def test_an_accelerators_listener_made_anew_uses_its_own_endpoint_groups(
    world: World, cells: tuple[Cell, Cell]
) -> None:
    client = world.accelerator_client()
    arn, name = world.accelerator((cells[0], 100, 128))
    assert serving(world, world.address(name)) == EAST_1
    old = client.list_listeners(AcceleratorArn=arn)["Listeners"][0]["ListenerArn"]
    client.update_listener(ListenerArn=old, PortRanges=[{"FromPort": 444, "ToPort": 444}])
    new = client.create_listener(AcceleratorArn=arn, Protocol="TCP", PortRanges=[{"FromPort": 443, "ToPort": 443}])
    client.create_endpoint_group(
        ListenerArn=new["Listener"]["ListenerArn"],
        EndpointGroupRegion=EAST_2,
        EndpointConfigurations=[{"EndpointId": cells[1].nlb}],
    )

    assert eventually(lambda: serving(world, world.address(name)) == EAST_2)


def test_a_certificate_imported_again_is_served_at_the_same_address(world: World, own_cell: Cell) -> None:
    address = world.address(own_cell.alb_name)
    certificate, key = make_certificate("renewed.test")
    arn = world.client("elbv2").describe_listeners(ListenerArns=[own_cell.alb_listener])["Listeners"][0]["Certificates"]
    world.client("acm").import_certificate(
        CertificateArn=arn[0]["CertificateArn"], Certificate=certificate, PrivateKey=key
    )

    assert eventually(lambda: ssl.get_server_certificate(address, timeout=20) == certificate.decode())
    assert world.address(own_cell.alb_name) == address


def test_a_listener_with_a_certificate_without_a_key_is_not_opened(world: World) -> None:
    elb = world.client("elbv2")
    requested = world.client("acm").request_certificate(DomainName="requested.test")["CertificateArn"]
    balancer = elb.create_load_balancer(Name=f"alb-{uuid.uuid4().hex[:8]}")["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": requested}],
        DefaultActions=[fixed_response(200, "")],
    )
    time.sleep(0.3)

    assert f"{balancer['DNSName']}:443" not in world.traffic.addresses()


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
