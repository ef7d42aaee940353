"""Listeners of load balancers and accelerators: answers over HTTP, and listeners that are deleted or made anew."""

import http.client
import ssl
import time
import uuid

from tests.certificates import make_certificate
from tests.local.fronts import own_cell, serving
from tests.local.traffic_world import (
    EAST_1,
    EAST_2,
    Cell,
    World,
    ask,
    cells,
    eventually,
    fixed_response,
    shared_world,
    world,
)

__all__ = ["cells", "own_cell", "shared_world", "world"]


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
