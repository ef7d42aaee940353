"""Speaks to a policy pack as the Pulumi engine does: starts it, waits for its port, and asks over gRPC."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from policy.rules.rows import Row, Rows
from policy.rules.tags import PROVIDER

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # a string that a preview cannot know (pulumi_policy.proxy)
_SECONDS = 30


@contextmanager
def serving(python: Path, config: Mapping[str, str] | None = None) -> Iterator["Pack"]:
    """The pack, run by this interpreter and told the settings of a stack as the CLI tells them."""
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHONPATH"))}
    surroundings["PULUMI_CONFIG"] = json.dumps(config or {})
    process = subprocess.Popen(
        [python, "-u", "."],
        cwd=ROOT / "policy",
        env=surroundings,
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
        """What the pack says of a resource that is about to be made: messages by policy."""
        asked = proto.AnalyzeRequest(
            type=row["type"], urn=row["urn"], name=row["name"], properties=_struct(row["inputs"]), options=_options(row)
        )
        _tell_provider(asked, row, rows)
        return _by_policy(self._stub.Analyze(asked, timeout=_SECONDS))

    def stack(self, rows: Rows, *, first_preview: bool = False) -> dict[str, list[str]]:
        """What the pack says of a whole stack: after an update, or after a preview of nothing deployed yet."""
        asked = proto.AnalyzeStackRequest(resources=[_resource(row, rows, preview=first_preview) for row in rows])
        return _by_policy(self._stub.AnalyzeStack(asked, timeout=_SECONDS))


def _struct(values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    json_format.ParseDict(values, made)
    return made


def _options(row: Row) -> proto.AnalyzerResourceOptions:
    options = row["options"]
    return proto.AnalyzerResourceOptions(protect=options["protect"], ignoreChanges=options["ignore_changes"])


def _tell_provider(asked: Any, row: Row, rows: Rows) -> None:
    if not row["provider"]:
        return
    inputs: Any = next((each["inputs"] for each in rows if each["urn"] == row["provider"]), {})
    urn = row["provider"]
    asked.provider.CopyFrom(
        proto.AnalyzerProviderResource(type=PROVIDER, urn=urn, name=urn.rpartition("::")[2], properties=_struct(inputs))
    )


def _resource(row: Row, rows: Rows, *, preview: bool) -> proto.AnalyzerResource:
    """As the engine tells a resource in AnalyzeStack: its outputs, with what was given among them."""
    comes_from = _sources(row, rows)
    given = row["inputs"]
    if preview:
        given = {key: UNKNOWN if comes_from.get(key) else value for key, value in given.items()}
        computed = {key: UNKNOWN for key in row["outputs"] if key not in row["inputs"]}
    else:
        computed = {key: value for key, value in row["outputs"].items() if key not in row["inputs"]}
    told = proto.AnalyzerResource(
        type=row["type"],
        urn=row["urn"],
        name=row["name"],
        properties=_struct({**computed, **given}),
        options=_options(row),
        dependencies=row["options"].get("depends_on", []),
        propertyDependencies={
            key: proto.AnalyzerPropertyDependencies(urns=sorted(urns)) for key, urns in comes_from.items()
        },
    )
    _tell_provider(told, row, rows)
    return told


def _sources(row: Row, rows: Rows) -> dict[str, set[str]]:
    """Which resources of the stack each input comes from: those whose computed outputs occur in it."""
    depends_on = set(row["options"].get("depends_on", []))
    return {
        key: {
            other["urn"]
            for other in rows
            if other["urn"] in depends_on and any(text in str(value) for text in _computed(other))
        }
        for key, value in row["inputs"].items()
    }


def _computed(row: Row) -> list[str]:
    """What only AWS can tell of a resource."""
    return [
        value
        for key, value in row["outputs"].items()
        if key not in row["inputs"]
        and isinstance(value, str)
        and re.search(r"arn:|[a-z]-[0-9a-f]{8,}|https:|\.com", value)
    ]


def _by_policy(answer: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in answer.diagnostics:
        found.setdefault(each.policyName, []).append(each.message)
    return found


def of_stack(rows: Rows, stack: str) -> Sequence[Row]:
    return [row for row in rows if row["stack"] == stack]
