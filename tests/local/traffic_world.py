"""An embedded AWS inside the test process, with its traffic side: what the traffic tests deploy on and read through."""

import asyncio
import contextlib
import http.client
import io
import socket
import ssl
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config

from localaws import emulator
from localaws.core import environment, http_server
from localaws.core.clock import Clock
from localaws.core.outages import OutageKind, Outages
from localaws.core.saturation import Saturation
from localaws.net import probe
from localaws.server.traffic import Traffic
from tests.certificates import make_certificate
from tests.tiers import starts

EAST_1, EAST_2 = "us-east-1", "us-east-2"
SPEED = 50.0
SERVICE_NAME = "pay.test"
INTERVAL = 5  # AWS seconds: the least a target group allows
THRESHOLD = 2

Found = TypeVar("Found")


@dataclass(frozen=True)
class Cell:
    """One region's front endpoint: NLB, its alb target group, ALB with a fixed response."""

    region: str
    nlb: str
    nlb_name: str
    nlb_listener: str
    target_group: str
    alb: str
    alb_name: str
    alb_listener: str


@dataclass
class World:
    outages: Outages
    traffic: Traffic
    saturation: Saturation
    endpoint: str
    certificate: tuple[bytes, bytes]
    account: str = environment.ACCOUNT
    standing: tuple[Cell, ...] = ()  # stay from test to test
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = EAST_1, account: str | None = None) -> Any:
        key = (service, region, account or self.account)
        if key not in self._clients:
            self._clients[key] = boto3.client(  # type: ignore[call-overload]  # any service
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id=key[2],
                aws_secret_access_key="any",
                config=Config(retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=60),
            )
        return self._clients[key]

    def accelerator_client(self) -> Any:
        return self.client("globalaccelerator", "us-west-2")

    def address(self, name: str, port: int = 443) -> tuple[str, int]:
        """The address of a listener, once it is open."""
        found = eventually(lambda: self.traffic.addresses().get(f"{name}:{port}"))
        assert found, f"nothing is open for {name}:{port}"
        host, _, local = found.rpartition(":")
        return host, int(local)

    def import_certificate(self, region: str) -> str:
        certificate, key = self.certificate
        made = self.client("acm", region).import_certificate(Certificate=certificate, PrivateKey=key)
        return str(made["CertificateArn"])

    def cell(self, region: str, *, interval: int = INTERVAL) -> Cell:
        """Deploy load balancers whose ALB answers everything with the region; `interval` is of its health checks."""
        elb, name = self.client("elbv2", region), uuid.uuid4().hex[:10]
        alb = elb.create_load_balancer(Name=f"alb-{name}", Type="application", Scheme="internal")["LoadBalancers"][0]
        alb_listener = elb.create_listener(
            LoadBalancerArn=alb["LoadBalancerArn"],
            Port=443,
            Protocol="HTTPS",
            Certificates=[{"CertificateArn": self.import_certificate(region)}],
            DefaultActions=[fixed_response(200, region)],
        )["Listeners"][0]["ListenerArn"]
        group = elb.create_target_group(
            Name=f"front-{name}",
            Protocol="TCP",
            Port=443,
            VpcId="vpc-1",
            TargetType="alb",
            HealthCheckProtocol="HTTPS",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=interval,
            HealthCheckTimeoutSeconds=INTERVAL,
            HealthyThresholdCount=THRESHOLD,
            UnhealthyThresholdCount=THRESHOLD,
            Matcher={"HttpCode": "200"},
        )["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": alb["LoadBalancerArn"], "Port": 443}])
        nlb = elb.create_load_balancer(Name=f"nlb-{name}", Type="network")["LoadBalancers"][0]
        nlb_listener = elb.create_listener(
            LoadBalancerArn=nlb["LoadBalancerArn"],
            Port=443,
            Protocol="TCP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        return Cell(
            region=region,
            nlb=nlb["LoadBalancerArn"],
            nlb_name=nlb["DNSName"],
            nlb_listener=nlb_listener,
            target_group=group,
            alb=alb["LoadBalancerArn"],
            alb_name=alb["DNSName"],
            alb_listener=alb_listener,
        )

    def answer_with(self, cell: Cell, status: int, body: str = "") -> None:
        """Let a cell's ALB answer this from now on."""
        self.client("elbv2", cell.region).modify_listener(
            ListenerArn=cell.alb_listener, DefaultActions=[fixed_response(status, body or cell.region)]
        )

    def target_states(self, cell: Cell) -> list[str]:
        described = self.client("elbv2", cell.region).describe_target_health(TargetGroupArn=cell.target_group)
        return [found["TargetHealth"]["State"] for found in described["TargetHealthDescriptions"]]

    def await_target(self, cell: Cell, state: str, within: float = 60.0) -> None:
        assert eventually(lambda: self.target_states(cell) == [state], within=within), (
            f"the target in {cell.region} is {self.target_states(cell)}, not {state}"
        )

    def accelerator(self, *groups: tuple[Cell, float, int], port: int = 443) -> tuple[str, str]:
        """Deploy an accelerator over (cell, dial, weight); returns its ARN and DNS name."""
        client = self.accelerator_client()
        made = client.create_accelerator(Name="front", IdempotencyToken=uuid.uuid4().hex)["Accelerator"]
        listener = client.create_listener(
            AcceleratorArn=made["AcceleratorArn"],
            PortRanges=[{"FromPort": port, "ToPort": port}],
            Protocol="TCP",
            IdempotencyToken=uuid.uuid4().hex,
        )["Listener"]["ListenerArn"]
        for cell, dial, weight in groups:
            client.create_endpoint_group(
                ListenerArn=listener,
                EndpointGroupRegion=cell.region,
                EndpointConfigurations=[
                    {"EndpointId": cell.nlb, "Weight": weight, "ClientIPPreservationEnabled": False}
                ],
                TrafficDialPercentage=dial,
                IdempotencyToken=uuid.uuid4().hex,
            )
        return made["AcceleratorArn"], made["DnsName"]

    def lose(self, region: str, kind: str = "error") -> None:
        """Returns once the region's ports and open connections fail."""
        self.outages.lose(region, OutageKind(kind))
        applied = threading.Event()
        assert self.traffic._loop
        self.traffic._loop.call_soon_threadsafe(applied.set)  # after what the loss itself put there
        assert applied.wait(60)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.certificate[0].decode())

    def get(self, address: tuple[str, int], path: str = "/", timeout: float = 5.0) -> tuple[int, str]:
        """One request on a connection of its own, the certificate checked for the service's name."""
        with contextlib.closing(self.connect(address, timeout)) as connection:
            return ask(connection, path)

    def connect(self, address: tuple[str, int], timeout: float = 5.0) -> http.client.HTTPConnection:
        """An open HTTPS connection, to be kept."""
        plain = socket.create_connection(address, timeout)
        connection = http.client.HTTPConnection(SERVICE_NAME)
        try:
            connection.sock = self.tls().wrap_socket(plain, server_hostname=SERVICE_NAME)
        except BaseException:
            plain.close()
            raise
        return connection


def ask(connection: http.client.HTTPConnection, path: str = "/") -> tuple[int, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def fixed_response(status: int, body: str) -> dict[str, Any]:
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": str(status), "ContentType": "text/plain", "MessageBody": body},
    }


def eventually(read: Callable[[], Found], *, within: float = 60.0) -> Found:
    """The result of `read` once that is true; its last one after `within` seconds."""
    deadline = time.monotonic() + within
    while not (found := read()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def zipped(code: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    return archive.getvalue()


@contextlib.contextmanager
def running_world(folder: Path, speed: float = SPEED, client_region: str = EAST_1) -> Iterator[World]:
    """The emulator and its traffic in threads of this process; it forgets everything at the end."""
    listener = http_server.loopback_socket(0)
    port = listener.getsockname()[1]
    (folder / "home").mkdir(exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.settings(folder, port, EAST_1).items():
            if name not in ("HOME", "TMPDIR"):
                patch.setenv(name, value)
        patch.setattr(probe, "LEAST_SECONDS", 0.5)  # hanging probes cost the tests most of their time
        outages = Outages((EAST_1, EAST_2))
        saturation = Saturation()
        traffic = Traffic(Clock(speed), outages, port, client_region, saturation)
        traffic.install()
        server = http_server.server(emulator.requests.emulator())
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        traffic.start()
        try:
            assert eventually(lambda: server.started), "the emulator does not start"
            yield World(outages, traffic, saturation, f"http://127.0.0.1:{port}", make_certificate(SERVICE_NAME))
        finally:
            traffic.stop()
            emulator.requests.reset_emulator()
            server.should_exit = True
            thread.join(5)
            listener.close()


@pytest.fixture(scope="module")
@starts("emulator")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("emulator")) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The module's embedded AWS, with both regions there at the start and at the end."""
    yield shared_world
    shared_world.traffic.global_accelerator.clear()
    for region in (EAST_1, EAST_2):
        shared_world.outages.heal(region)
        elb = shared_world.client("elbv2", region)
        kept = {arn for cell in shared_world.standing for arn in (cell.nlb, cell.alb)}
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            if balancer["LoadBalancerArn"] not in kept:  # else its probes go on
                elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


@pytest.fixture
def cells(world: World) -> tuple[Cell, Cell]:
    """Healthy load balancers in each region, shared by the tests of a module, which may change what they answer."""
    if not world.standing:
        world.standing = (world.cell(EAST_1), world.cell(EAST_2))
    one, other = world.standing
    for cell in (one, other):
        world.answer_with(cell, 200)
    for cell in (one, other):
        world.await_target(cell, "healthy")
    return one, other
