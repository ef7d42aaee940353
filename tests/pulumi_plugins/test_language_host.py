"""The language host as the engine uses it: it runs a program, which registers with a monitor of this test."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from localaws.pulumi_plugins import properties
from localaws.pulumi_plugins.language_host import LanguageHost


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Takes every registration, and keeps outputs and messages."""

    def __init__(self) -> None:
        self.outputs: dict[str, Any] = {}
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return resource_pb2.DeploymentInfo(supportedFeatures=[resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS])

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return resource_pb2.RegisterResourceResponse(urn=f"urn:pulumi:dev::p::{request.type}::{request.name}")

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        self.outputs = properties.read(request.outputs)
        return Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return Empty()

    def Log(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        if request.severity == engine_pb2.ERROR:
            with self._lock:
                self.errors.append(request.message)
        return Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return engine_pb2.GetRootResourceResponse()


@contextmanager
def _serving(add: Any, servicer: Any) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4))
    for each in add:
        each(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()


def run(program: str, folder: Path, monitor: Monitor) -> Any:
    """The host's answer to a run of `program` in a preview, with one setting and one secret one."""
    (folder / "__main__.py").write_text(program)
    monitors = (
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server,
        engine_pb2_grpc.add_EngineServicer_to_server,
    )
    with (
        _serving(monitors, monitor) as address,
        _serving([language_pb2_grpc.add_LanguageRuntimeServicer_to_server], LanguageHost(address)) as host,
        grpc.insecure_channel(host) as channel,
    ):
        return language_pb2_grpc.LanguageRuntimeStub(channel).Run(
            language_pb2.RunRequest(
                project="p",
                stack="dev",
                organization="organization",
                pwd=str(folder),
                config={"p:zones": "2", "p:key": "hidden"},
                configSecretKeys=["p:key"],
                dryRun=True,
                parallel=4,
                monitor_address=address,
                info=language_pb2.ProgramInfo(
                    root_directory=str(folder), program_directory=str(folder), entry_point="."
                ),
            )
        )


def test_a_program_gets_its_settings_and_exports_outputs(tmp_path: Path, monitor: Monitor) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    program = """
import pulumi
import beside
config = pulumi.Config()
pulumi.export("zones", config.require_int("zones"))
pulumi.export("key", config.require_secret("key"))
pulumi.export("names", [beside.NAME, pulumi.get_stack(), pulumi.get_project(), pulumi.get_organization()])
pulumi.export("preview", pulumi.runtime.is_dry_run())
"""
    answer = run(program, tmp_path, monitor)

    assert (answer.error, answer.bail, monitor.errors) == ("", False, [])
    assert monitor.outputs["zones"] == 2
    assert monitor.outputs["key"]["value"] == "hidden"
    assert monitor.outputs["names"] == ["beside", "dev", "p", "organization"]
    assert monitor.outputs["preview"] is True


def test_an_error_for_people_is_one_line(tmp_path: Path, monitor: Monitor) -> None:
    answer = run("import pulumi\nraise pulumi.RunError('dr:suffix is missing')", tmp_path, monitor)

    assert answer.bail
    assert monitor.errors == ["dr:suffix is missing"]


def test_an_error_that_several_outputs_raise_is_one_line_too(
    tmp_path: Path, monitor: Monitor, capfd: pytest.CaptureFixture[str]
) -> None:
    program = """
import pulumi
def refuse(_):
    raise pulumi.RunError("the primary has no such output")
class Reader(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Reader", name)
        self.register_outputs({"read": pulumi.Output.from_input(name).apply(refuse)})
for name in "abc":
    Reader(name)
    pulumi.export(name, pulumi.Output.from_input(name).apply(refuse))
"""
    answer = run(program, tmp_path, monitor)

    assert answer.bail
    assert monitor.errors == ["the primary has no such output"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_unexpected_error_comes_with_its_traceback(tmp_path: Path, monitor: Monitor) -> None:
    answer = run("raise KeyError('region')", tmp_path, monitor)

    assert answer.bail
    assert "__main__.py" in monitor.errors[0]
    assert "KeyError: 'region'" in monitor.errors[0]


def test_a_program_that_ends_by_itself_is_an_error(tmp_path: Path, monitor: Monitor) -> None:
    answer = run("import os\nos._exit(7)", tmp_path, monitor)

    assert answer.error == "the program ended with status 7"
