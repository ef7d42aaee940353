"""`python -m localaws up` as a person or a rehearsal uses it: the shared environment is one, looked at, then killed."""

import json
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from shared.concurrency import DEFAULT_LIMIT, reservations
from shared.local_endpoints import Endpoints
from tests.drill.shared_environment import SharedEnvironment
from tests.local.embedded import EAST_1, eventually

SPEED = 10.0


@dataclass
class Up:
    """A run while it is up."""

    folder: Path
    content: dict[str, Any] = field(repr=False)
    endpoints: Endpoints = field(init=False, repr=False)
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.endpoints = Endpoints.read(self.folder / "local" / "endpoints.json")
        self.key = self.endpoints.client_key.get_secret_value()

    def ask(self, method: str, path: str, *, key: str | None = None, body: object = None) -> httpx.Response:
        """Ask at the accelerator as a client would that resolved the service's name."""
        trust = ssl.create_default_context(cafile=self.content["ca_file"])
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with httpx.Client(verify=trust, trust_env=False) as client:
            return client.request(
                method,
                self.endpoints.accelerator.url + path,
                headers={"host": self.endpoints.service_name, **({"x-api-key": key} if key else {})},
                extensions={"sni_hostname": self.endpoints.service_name},
                json=body,
                timeout=60,
            )

    def ask_api(self, path: str, body: object, *, signed: bool) -> httpx.Response:
        url = self.endpoints.regions[EAST_1].api + path
        request = AWSRequest("POST", url, data=json.dumps(body))
        if signed:
            SigV4Auth(Credentials(self.content["account"], "any"), "execute-api", EAST_1).add_auth(request)
        return httpx.post(url, headers=dict(request.headers), content=request.data, timeout=300)

    def status(self, *words: str) -> str:
        command = [sys.executable, "-m", "localaws", "status", *words, "--directory", str(self.folder / "local")]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


RESERVED = reservations(DEFAULT_LIMIT)["payments"]


def payment(number: int) -> dict[str, str]:
    parties = {"debtor": "DE89370400440532013000", "creditor": "FR1420041010050500013M02606"}
    return {"id": f"order-{number:04d}", "amount": "12.50", "currency": "EUR", **parties}


@pytest.fixture
def up(environment: SharedEnvironment) -> Up:
    """Healthy: what starved this machine before may have left a target unhealthy for a moment."""
    found = Up(environment.file.parent.parent, json.loads(environment.file.read_text()))
    assert eventually(lambda: found.ask("GET", "/health").status_code == 200)
    return found


def test_up_serves_the_three_stacks(up: Up) -> None:
    assert "up" in psutil.Process(up.content["pid"]).cmdline()
    assert {found["name"] for found in up.content["regions"].values()} == {"primary", "secondary"}
    assert up.ask("GET", "/health").status_code == 200


def test_a_payment_through_the_accelerator_needs_the_clients_key(up: Up) -> None:
    refused = [up.ask("POST", "/payments", key=key, body=payment(1)) for key in (None, "x" * 40)]
    accepted = up.ask("POST", "/payments", key=up.key, body=payment(1))

    assert [(answer.status_code, answer.headers["www-authenticate"]) for answer in refused] == [(401, "ApiKey")] * 2
    assert (accepted.status_code, accepted.json()["durability"]) == (201, "both-regions")
    assert up.ask("GET", "/payments/order-0001").status_code == 401
    assert up.ask("GET", "/payments/order-0001", key=up.key).json()["id"] == "order-0001"


def test_a_workload_without_concurrency_left_leaves_health_as_it_is(up: Up) -> None:
    workload = {"FunctionName": "function-payments-primary-dev"}
    lambda_ = aws_client(up, "lambda")
    endpoints = {"accelerator": up.endpoints.accelerator.url, "api": up.endpoints.regions[EAST_1].api}
    lambda_.put_function_concurrency(**workload, ReservedConcurrentExecutions=0)
    try:
        refused = up.ask("POST", "/payments", key=up.key, body=payment(13))
        at_the_api = up.ask_api("/payments", payment(13), signed=True)
        with httpx.Client(verify=False, trust_env=False) as client:
            answers = {endpoint: client.get(f"{url}/health") for endpoint, url in endpoints.items()}
        time.sleep(4)  # forty AWS seconds, of which the load balancer needs twenty to call a target unhealthy
        states = {each["state"] for each in targets(up) if each["load_balancer"].startswith("nlb-")}
    finally:
        lambda_.put_function_concurrency(**workload, ReservedConcurrentExecutions=RESERVED)

    assert (refused.status_code, at_the_api.status_code) == (502, 500), refused.text
    assert at_the_api.json() == {"message": "Internal server error"}
    assert {
        endpoint: (answer.status_code, answer.json()["region"]) for endpoint, answer in answers.items()
    } == dict.fromkeys(endpoints, (200, EAST_1))
    assert states == {"healthy"}
    assert up.ask("POST", "/payments", key=up.key, body=payment(13)).status_code == 201


def test_responses_that_are_lost_are_of_work_that_was_done(up: Up) -> None:
    urls = (up.endpoints.regions[EAST_1].api, up.endpoints.accelerator.url)

    def degrade(share: float) -> None:
        asked = {"region": EAST_1, "share": share}
        httpx.post(f"{up.endpoints.control}/degrade", json=asked, trust_env=False, timeout=60).raise_for_status()

    degrade(0.5)
    try:
        with httpx.Client(verify=False, trust_env=False, timeout=60) as client:
            seen = [{client.get(f"{url}/health").status_code for _ in range(40)} for url in urls]
        answers: list[int] = []
        while 502 not in answers:  # half of them, one after the other
            answers.append(up.ask("POST", "/payments", key=up.key, body=payment(100 + len(answers))).status_code)
    finally:
        degrade(0)

    assert seen == [{200, 500}, {200, 502}]
    lost = payment(100 + answers.index(502))
    assert up.ask("POST", "/payments", key=up.key, body=lost).status_code == 200, "it was accepted before"


def aws_client(up: Up, service: str) -> Any:
    make: Any = boto3.client  # the stubs know one overload a service
    return make(
        service,
        region_name=EAST_1,
        endpoint_url=up.content["aws"],
        aws_access_key_id=up.content["account"],
        aws_secret_access_key="any",
    )


def targets(up: Up) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{up.content['control']}/status").raise_for_status().json()["targets"]
    return found


def test_the_api_asks_for_a_signature_and_for_no_key(up: Up) -> None:
    assert up.ask_api("/payments", payment(2), signed=False).status_code == 403
    assert up.ask_api("/payments", payment(2), signed=True).status_code == 201


def test_the_programs_run_again_change_nothing(up: Up) -> None:
    command = [sys.executable, "-m", "localaws", "deploy", "--directory", str(up.folder / "local")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    stacks = json.loads(ran.stdout)["stacks"]
    assert list(stacks) == ["primary", "secondary", "global"]
    assert all(stack["registered"] > 20 for stack in stacks.values())
    words = ("created", "updated", "replaced", "deleted")
    assert [stack[word] for stack in stacks.values() for word in words] == [[]] * 12


def test_one_program_can_be_run_again_alone_and_an_unknown_one_is_refused(up: Up) -> None:
    command = [sys.executable, "-m", "localaws", "deploy", "--directory", str(up.folder / "local"), "--stack"]
    one, unknown = (
        subprocess.run([*command, stack], capture_output=True, text=True, check=False, timeout=300)
        for stack in ("secondary", "other")
    )

    assert (one.returncode, list(json.loads(one.stdout)["stacks"])) == (0, ["secondary"])
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "there is no stack other; use primary, secondary, global\n",
    )


def test_who_cannot_read_the_token_cannot_have_the_programs_run(up: Up) -> None:
    file = up.folder / "local" / "deployer.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with socket.create_connection(("127.0.0.1", json.loads(file.read_text())["port"]), timeout=300) as connection:
        connection.sendall(b'{"token": "guessed"}\n')
        answer = json.loads(connection.makefile().readline())

    assert answer == {"error": "this is not the token of the running deployment"}


def test_the_clients_key_is_readable_by_this_user_alone_and_nowhere_else(up: Up) -> None:
    assert up.ask("POST", "/payments", key=up.key, body=payment(3)).status_code == 201
    reported = up.folder / "local" / "endpoints.json"
    printed = {
        "status": up.status() + up.status("--json"),
        **{path.name: path.read_bytes().decode(errors="replace") for path in files(up.folder) if path != reported},
    }

    assert len(up.key) == 40
    assert stat.S_IMODE(reported.stat().st_mode) == 0o600
    assert {"out", "server.log"} <= printed.keys()
    assert not [where for where, text in printed.items() if up.key in text]


def files(folder: Path) -> list[Path]:
    """Every regular file, but for the databases' own."""
    return [path for path in folder.rglob("*") if path.is_file() and "pg_wal" not in path.parts]


def test_killed_it_leaves_nothing(environment: SharedEnvironment) -> None:
    file = environment.file
    process = psutil.Process(json.loads(file.read_text())["pid"])
    processes = process.children(recursive=True)
    assert len(processes) > 3, "a server, its reaper, databases, workers"

    process.send_signal(signal.SIGKILL)

    assert eventually(lambda: not any(found.is_running() for found in processes)), "a process is left"
    assert not file.exists()
    assert not list(file.parent.parent.glob("localaws-*"))
    environment.discard()
