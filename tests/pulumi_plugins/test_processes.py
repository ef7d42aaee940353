"""The processes behind the plugins: one serves all, small clients start and end with what started them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, provider_pb2_grpc

from localaws.pulumi_plugins import environment, serving

_TIMEOUT = 60.0  # seconds; a second suffices on an idle machine


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a CLI, while the process that serves the providers runs."""
    command = [sys.executable, "-m", "localaws.pulumi_plugins.serving", "--endpoint", "http://127.0.0.1:9"]
    with subprocess.Popen(
        [*command, "--directory", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        changes = json.loads(process.stdout.readline())
        yield {**{name: value for name, value in os.environ.items() if name not in changes}, **_set(changes)}
        assert process.stdin
        process.stdin.close()
        assert process.wait(_TIMEOUT) == 0


def _set(changes: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in changes.items() if value is not None}


def start(name: str, variables: dict[str, str], stderr: int | None = None) -> "subprocess.Popen[str]":
    """A plugin as the engine starts it: with pipes, and in a process group of its own."""
    program = next(found for folder in variables["PATH"].split(os.pathsep) if (found := Path(folder) / name).is_file())
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [program, "127.0.0.1:1"], env=variables, stdin=pipe, stdout=pipe, stderr=stderr, text=True, process_group=0
    )


@pytest.mark.parametrize("package", environment.PACKAGES)
def test_a_plugin_prints_the_port_of_a_provider_and_ends_it_with_itself(
    package: str, variables: dict[str, str]
) -> None:
    with start(f"pulumi-resource-{package}", variables) as plugin:
        assert plugin.stdout
        port = int(plugin.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            assert stub.GetPluginInfo(Empty()).version
            plugin.kill()
            eventually(lambda: not _answers(stub))


def _answers(stub: provider_pb2_grpc.ResourceProviderStub) -> bool:
    try:
        stub.GetPluginInfo(Empty(), timeout=1)
    except grpc.RpcError:
        return False
    return True


def test_a_plugin_ends_when_its_engine_is_killed(variables: dict[str, str]) -> None:
    script = "pulumi-resource-aws address & exec sleep 600"
    engine = subprocess.Popen(["sh", "-c", script], env=variables, stdout=subprocess.PIPE, text=True)
    assert engine.stdout
    assert int(engine.stdout.readline())
    (plugin,) = psutil.Process(engine.pid).children()

    engine.send_signal(signal.SIGKILL)
    engine.wait()

    eventually(lambda: not plugin.is_running() or plugin.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("name", ["pulumi-resource-aws", environment.LANGUAGE_HOST])
def test_a_plugin_ends_without_a_word_when_the_engine_interrupts_it(name: str, variables: dict[str, str]) -> None:
    plugin = start(name, variables, stderr=subprocess.PIPE)
    assert plugin.stdout
    assert int(plugin.stdout.readline())

    plugin.send_signal(signal.SIGINT)

    assert plugin.communicate(timeout=_TIMEOUT) == ("", "")


def test_a_plugin_without_a_serving_process_names_the_variable(variables: dict[str, str], tmp_path: Path) -> None:
    alone = {name: value for name, value in variables.items() if name != "LOCALAWS_PROVIDERS"}
    program = tmp_path / "providers" / "pulumi-resource-tls"

    done = subprocess.run([program, "address"], env=alone, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "LOCALAWS_PROVIDERS is not set" in done.stderr


def test_an_endpoint_elsewhere_is_refused(variables: dict[str, str], tmp_path: Path) -> None:
    elsewhere = {**variables, "AWS_ENDPOINT_URL": "https://ec2.us-east-1.amazonaws.com"}
    program = tmp_path / "providers" / "pulumi-resource-aws"

    done = subprocess.run([program, "address"], env=elsewhere, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "serves an embedded AWS on this machine only" in done.stderr


@pytest.mark.parametrize(
    "endpoint", ["", "https://sts.amazonaws.com", "http://10.0.0.1:80", "http://127.0.0.1.example"]
)
def test_only_loopback_is_an_endpoint(endpoint: str) -> None:
    with pytest.raises(serving.NotLocalError):
        serving.check_endpoint(endpoint)


def test_the_language_host_answers_and_ends_with_its_engine(variables: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "host" / environment.LANGUAGE_HOST
    script = f'"{program}" 127.0.0.1:1 & exec sleep 600'
    with subprocess.Popen(["sh", "-c", script], env=variables, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout
        port = int(engine.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = language_pb2_grpc.LanguageRuntimeStub(channel)
            assert stub.About(language_pb2.AboutRequest()).executable == sys.executable
            engine.send_signal(signal.SIGKILL)
            eventually(lambda: not _host_answers(stub))


def _host_answers(stub: language_pb2_grpc.LanguageRuntimeStub) -> bool:
    try:
        stub.GetPluginInfo(Empty(), timeout=1)
    except grpc.RpcError:
        return False
    return True


def test_a_language_host_that_came_with_the_cli_is_preferred(tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    for name in ("pulumi", environment.LANGUAGE_HOST):
        (installed / name).write_text("#!/bin/sh\n")
        (installed / name).chmod(0o755)

    def path(before: str) -> str | None:
        return environment.variables("http://127.0.0.1:9", "0", tmp_path / "x", "address", {"PATH": before})["PATH"]

    assert str(tmp_path / "x" / "host") not in (path(str(installed)) or "")
    assert str(tmp_path / "x" / "host") in (path("/nowhere") or "")


def test_nothing_of_the_users_own_set_up_counts(tmp_path: Path) -> None:
    own = {"PATH": "/bin", "AWS_PROFILE": "work", "PULUMI_ACCESS_TOKEN": "pul-1", "NO_PROXY": "intranet"}

    found = environment.variables("http://127.0.0.1:9", "0", tmp_path, "address", own)

    assert found["AWS_PROFILE"] is found["PULUMI_ACCESS_TOKEN"] is None
    assert found["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert (tmp_path / "passphrase").stat().st_mode & 0o777 == 0o600


def test_the_real_aws_provider_is_used_where_the_user_installed_it(tmp_path: Path) -> None:
    own = {"PATH": "/bin", "PULUMI_HOME": str(tmp_path / "of the user")}
    installed = tmp_path / "of the user" / "plugins" / "resource-aws-v7.0.0"
    installed.mkdir(parents=True)

    def plugins(provider: str) -> tuple[set[str], bool]:
        """Ours, and whether the CLI finds what the user installed."""
        folder = tmp_path / "x"
        environment.variables("http://127.0.0.1:9", "0", folder, "address", {**own, environment.PROVIDER: provider})
        ours = {each.name for each in (folder / "providers").iterdir()}
        return ours, (folder / "home" / "plugins" / installed.name).is_dir()

    every = {f"pulumi-resource-{package}" for package in environment.PACKAGES}
    assert plugins("") == (every, False)
    assert plugins("aws") == plugins("aws") == (every - {"pulumi-resource-aws"}, True)
    assert plugins("localaws") == (every, False)
    assert installed.is_dir()
    with pytest.raises(ValueError, match="LOCALAWS_PROVIDER is gcp; use localaws or aws"):
        plugins("gcp")
