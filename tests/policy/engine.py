"""A policy pack as the Pulumi engine runs it: started as a process, and called over gRPC with what `Check` returned."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc, provider_pb2

from localaws.engine.synthetic import Synthetic
from localaws.provider.calls import ACCOUNT
from localaws.provider.preparation import StackRun
from localaws.provider.resources import TABLE
from localaws.pulumi_plugins import properties
from localaws.pulumi_plugins.provider import ResourceProvider
from policy.rules.rows import Row, Rows
from policy.rules.tags import PROVIDER

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 30
_RUN = StackRun(caller=Synthetic(), account=ACCOUNT, folder=ROOT)


def checked(rows: Rows) -> list[Row]:
    """The rows with the inputs that the provider's `Check` returns, which the engine passes to a policy.

    The provider is the one of the embedded AWS, without its refusal of arguments that the embedded AWS has no call for.
    A type that it does not have keeps its inputs: that of the violation of `resource-type-denied`. It adds no region,
    which the real provider does: the pack takes that of the provider, which the engine passes with the resource.
    """
    providers = {row["urn"]: _provider(row["inputs"]) for row in rows if row["type"] == PROVIDER}
    none = ResourceProvider("aws", _RUN)
    return [
        {**row, "inputs": providers.get(row["provider"], none).filled_in(row["urn"], row["inputs"], {})}
        if row["type"].startswith("aws:") and row["type"] in TABLE
        else row
        for row in rows
    ]


def _provider(inputs: Mapping[str, Any]) -> ResourceProvider:
    provider = ResourceProvider("aws", _RUN)
    provider.Configure(provider_pb2.ConfigureRequest(args=properties.write(inputs)), None)
    return provider


@contextmanager
def serving(python: Path, config: Mapping[str, str] | None = None) -> Iterator["Pack"]:
    """Run the pack with this interpreter, and pass a stack's settings as the CLI does."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHONPATH"))}
    environment["PULUMI_CONFIG"] = json.dumps(config or {})
    process = subprocess.Popen(
        [python, "-u", "."],
        cwd=ROOT / "policy",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), f"the pack did not start: {process.stderr.read()}"
        with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_send_message_length", -1)]) as channel:
            yield Pack(analyzer_pb2_grpc.AnalyzerStub(channel))
    finally:
        process.kill()
        process.communicate()


class Pack:
    """A running policy pack."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def info(self) -> Any:
        return self._stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=_SECONDS)

    def resource(self, row: Row, rows: Rows) -> dict[str, list[str]]:
        """The violations of a resource before its creation: messages by policy. For `row` as `checked` returns it."""
        request = proto.AnalyzeRequest(
            type=row["type"], urn=row["urn"], name=row["name"], properties=_struct(row["inputs"]), options=_options(row)
        )
        _set_provider(request, row, rows)
        return _by_policy(self._stub.Analyze(request, timeout=_SECONDS))

    def stack(self, rows: Rows) -> dict[str, list[str]]:
        """The violations of a whole stack, after an update or a preview."""
        request = proto.AnalyzeStackRequest(resources=[_resource(row, rows) for row in rows])
        return _by_policy(self._stub.AnalyzeStack(request, timeout=_SECONDS))


def _struct(values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    json_format.ParseDict(values, made)
    return made


def _options(row: Row) -> proto.AnalyzerResourceOptions:
    options = row["options"]
    return proto.AnalyzerResourceOptions(protect=options["protect"], ignoreChanges=options["ignore_changes"])


def _set_provider(message: Any, row: Row, rows: Rows) -> None:
    if not row["provider"]:
        return
    inputs: Any = next((each["inputs"] for each in rows if each["urn"] == row["provider"]), {})
    urn = row["provider"]
    message.provider.CopyFrom(
        proto.AnalyzerProviderResource(type=PROVIDER, urn=urn, name=urn.rpartition("::")[2], properties=_struct(inputs))
    )


def _resource(row: Row, rows: Rows) -> proto.AnalyzerResource:
    """A resource as the engine passes it in AnalyzeStack: its outputs, with the inputs merged into them."""
    message = proto.AnalyzerResource(
        type=row["type"],
        urn=row["urn"],
        name=row["name"],
        properties=_struct({**row["outputs"], **row["inputs"]}),
        options=_options(row),
        dependencies=row["options"].get("depends_on", []),
        propertyDependencies={
            key: proto.AnalyzerPropertyDependencies(urns=urns)
            for key, urns in row.get("property_dependencies", {}).items()
        },
    )
    _set_provider(message, row, rows)
    return message


def _by_policy(answer: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in answer.diagnostics:
        found.setdefault(each.policyName, []).append(each.message)
    return found


def of_stack(rows: Rows, stack: str) -> Sequence[Row]:
    return [row for row in rows if row["stack"] == stack]
