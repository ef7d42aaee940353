"""The server process: what it lets in, what its functions see, and that it leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from localaws import launch
from localaws.core.environment import ACCOUNT
from localaws.launch import StartError
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually

pytestmark = pytest.mark.emulator

BOGUS = {
    "AWS_ACCESS_KEY_ID": "AKIABOGUS",
    "AWS_SECRET_ACCESS_KEY": "bogus",
    "AWS_SESSION_TOKEN": "bogus",
    "AWS_PROFILE": "nobody",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "SECRET_THING": "hush",
}

SLEEP = """
    import os
    import pathlib
    import time

    def handler(event, context):
        pathlib.Path(event + ".part").write_text(str(os.getpid()))
        os.rename(event + ".part", event)
        time.sleep(60)
"""


@pytest.fixture
def temp_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which servers of this test make their run folders."""
    root = tmp_path / "tmp"
    root.mkdir()
    monkeypatch.setenv("TMPDIR", str(root))
    return root


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def _all_of(pid: int) -> list[psutil.Process]:
    """A server and what it started."""
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def _with_a_function_at_work(aws: LocalAws, pool: ThreadPoolExecutor, at_work: Path) -> None:
    deploy_function(aws, "sleep", SLEEP)
    invoke = aws.client("lambda", read_timeout=60).invoke
    pool.submit(invoke, FunctionName="sleep", Payload=json.dumps(str(at_work)))
    assert eventually(at_work.exists)
    assert int(at_work.read_text()) in {process.pid for process in _all_of(aws.server.process.pid)}


def test_nothing_of_the_users_environment_reaches_a_function(
    tmp_path: Path, temp_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
        import os
        import boto3

        def handler(event, context):
            account = boto3.client("sts").get_caller_identity()["Account"]
            return {"account": account, "environment": dict(os.environ)}
    """
    with monkeypatch.context() as user:
        for variable, value in BOGUS.items():
            user.setenv(variable, value)
        server = launch.start(log_file=tmp_path / "server.log", profile="minimal")
    with server:
        aws = LocalAws(server)
        deploy_function(aws, "look", code)
        seen = json.load(aws.client("lambda").invoke(FunctionName="look")["Payload"])
        reported = Path(f"/proc/{server.process.pid}/environ").read_text()

    environment = seen["environment"]
    assert seen["account"] == ACCOUNT, "calls of the function work"
    assert not {variable for variable in BOGUS if environment.get(variable) == BOGUS[variable]}
    of_every_function = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert not set(environment) & (set(BOGUS) - of_every_function)
    assert Path(environment["HOME"]).is_relative_to(temp_root)
    assert Path(environment["TMPDIR"]).is_relative_to(temp_root)
    assert not [variable for variable in BOGUS if variable in reported], "the server itself never saw them"


def test_a_server_that_is_started_by_hand_cleans_its_environment_itself(tmp_path: Path) -> None:
    code = (
        "import json, os, pathlib, sys; from localaws.core import environment;"
        "environment.apply(pathlib.Path(sys.argv[1]), 1, 'us-east-1'); print(json.dumps(dict(os.environ)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ran = subprocess.run(command, env={**os.environ, **BOGUS}, capture_output=True, text=True, check=True)

    assert not set(json.loads(ran.stdout)) & set(BOGUS)


def test_it_listens_on_loopback_only(aws: LocalAws) -> None:
    connections = psutil.Process(aws.server.process.pid).net_connections()

    listening = {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_it_stops_and_leaves_nothing_though_calls_are_under_way(tmp_path: Path, temp_root: Path) -> None:
    run_report = tmp_path / "endpoints.json"
    server = launch.start(log_file=tmp_path / "server.log", profile="minimal", remove_at_end=[run_report])
    run_report.write_text("{}")
    aws = LocalAws(server)
    with ThreadPoolExecutor() as pool:
        _with_a_function_at_work(aws, pool, tmp_path / "at-work")
        aws.lose(EAST_2, "hang")
        pool.submit(aws.client("dynamodb", EAST_2, read_timeout=60).list_tables)
        processes = _all_of(server.process.pid)

        server.stop()

    assert server.process.returncode == 0, "it was not killed"
    assert _gone(processes)
    assert list(temp_root.iterdir()) == []
    assert not run_report.exists()


def test_it_stops_when_the_control_api_asks(tmp_path: Path, temp_root: Path) -> None:
    with launch.start(log_file=tmp_path / "server.log", profile="minimal") as server:
        httpx.post(f"{server.control}/stop", json={}).raise_for_status()

        assert server.process.wait(timeout=60) == 0
    assert list(temp_root.iterdir()) == []


def test_a_killed_server_leaves_nothing(tmp_path: Path, temp_root: Path) -> None:
    run_report = tmp_path / "endpoints.json"
    server = launch.start(log_file=tmp_path / "server.log", profile="minimal", remove_at_end=[run_report])
    run_report.write_text("{}")
    with ThreadPoolExecutor() as pool:
        _with_a_function_at_work(LocalAws(server), pool, tmp_path / "at-work")
        processes = _all_of(server.process.pid)

        server.process.send_signal(signal.SIGKILL)

        assert eventually(lambda: _gone(processes[1:]))
    assert list(temp_root.iterdir()) == []
    assert not run_report.exists()
    server.stop()


def test_a_server_ends_with_its_killed_owner(tmp_path: Path, temp_root: Path) -> None:
    owner_code = """
        import sys, time
        from pathlib import Path
        from localaws import launch
        server = launch.start(log_file=Path(sys.argv[1]), profile="minimal")
        print(server.process.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(owner_code), str(tmp_path / "server.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        processes = _all_of(int(owner.stdout.readline()))

        owner.send_signal(signal.SIGKILL)

    assert eventually(lambda: _gone(processes))
    assert list(temp_root.iterdir()) == []


def test_a_server_that_cannot_start_reports_the_reason_and_leaves_nothing(tmp_path: Path, temp_root: Path) -> None:
    with pytest.raises(StartError, match=r"speed is 0; a positive factor is needed"):
        launch.start(log_file=tmp_path / "server.log", profile="minimal", speed=0)

    assert list(temp_root.iterdir()) == []


CONTROL_CALLS = (
    "GET /status, GET /addresses, POST /outage, POST /recover, POST /stop, POST /partition, POST /heal-partition, "
    "POST /isolate-functions, POST /reconnect-functions, POST /service, POST /degrade, GET /calls, POST /calls/mark, "
    "POST /items, POST /clock, POST /workers/recycle, POST /concurrency"
)


@pytest.mark.parametrize(
    ("path", "content", "status", "error"),
    [
        ("outage", {"region": "mars-1"}, 400, "region 'mars-1' is not on this machine; use us-east-1 or us-east-2"),
        ("outage", {"region": EAST_1, "kind": "fire"}, 400, "kind 'fire' is unknown; use error, reset, hang"),
        ("recover", {}, 400, "region None is not on this machine; use us-east-1 or us-east-2"),
        ("recover", ["us-east-1"], 400, 'send a JSON object, such as {"region": "us-east-1"}'),
        ("nonsense", {}, 404, f"the control API has {CONTROL_CALLS}"),
        ("partition", {"between": [EAST_1]}, 400, 'name two regions: {"between": ["us-east-1", "us-east-2"]}'),
        ("partition", {"between": [EAST_1, EAST_1]}, 400, "us-east-1 is one region; two are needed"),
        ("isolate-functions", {}, 400, "region None is not on this machine; it runs us-east-1, us-east-2"),
    ],
)
def test_the_error_of_an_invalid_control_call_names_valid_values(
    aws: LocalAws, path: str, content: Any, status: int, error: str
) -> None:
    answer = httpx.post(f"{aws.server.control}/{path}", json=content)

    assert (answer.status_code, answer.json()) == (status, {"error": error})


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 403), ({"content-type": "text/plain"}, 415)],
    ids=["another-name-for-this-machine", "a-form-of-a-web-page"],
)
def test_a_web_page_in_the_users_browser_cannot_change_anything(
    aws: LocalAws, headers: dict[str, str], status: int
) -> None:
    content = json.dumps({"region": EAST_1})

    given = {"content-type": "application/json", **headers}
    answer = httpx.post(f"{aws.server.control}/outage", content=content, headers=given)

    assert answer.status_code == status
    assert aws.status()["regions"][EAST_1]["outage"] is None


def test_the_status_has_each_region(aws: LocalAws) -> None:
    before = time.time()
    aws.lose(EAST_2, "reset")

    status = aws.status()

    assert status["speed"] == 1.0
    assert status["pid"] == aws.server.process.pid
    assert status["regions"][EAST_1]["outage"] is None
    assert status["regions"][EAST_2]["outage"]["kind"] == "reset"
    assert before <= status["regions"][EAST_2]["outage"]["since"] <= time.time()


def test_one_callers_account_does_not_leak_into_the_next_call_of_a_connection(aws: LocalAws, name: str) -> None:
    aws.client("s3").create_bucket(Bucket=name)
    other = "Credential=111111111111/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=any"
    with httpx.Client(base_url=aws.server.endpoint) as connection:
        # A body that does not fit into the server's buffer: it stops reading, and goes on from inside that call.
        large = b"x" * 2**20
        connection.put(f"/{name}/a", headers={"authorization": f"AWS4-HMAC-SHA256 {other}"}, content=large)

        assert connection.head(f"/{name}").status_code == 200


def test_a_server_is_small(tmp_path: Path) -> None:
    with launch.start(log_file=tmp_path / "server.log", profile="minimal") as server:
        memory = sum(process.memory_info().rss for process in _all_of(server.process.pid))

    assert memory < 200 * 2**20


def test_the_log_holds_no_request_and_no_secret(aws: LocalAws, name: str) -> None:
    aws.client("secretsmanager").create_secret(Name=name, SecretString="hush-hush")

    assert "hush-hush" not in aws.server.log_file.read_text()
