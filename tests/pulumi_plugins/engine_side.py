"""The engine's side of the provider protocol: one provider over gRPC, called as the engine calls it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from localaws.provider.context import Caller
from localaws.pulumi_plugins import properties, serving

SEED = b"0123456789abcdef"


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:test::dr-primary::{type_}::{name}"


class EngineSide:
    """Calls of the engine with plain values for property maps."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub

    def configure(self, **settings: Any) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=properties.write(settings), acceptSecrets=True))

    def check(
        self, type_: str, name: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None, seed: bytes = SEED
    ) -> dict[str, Any]:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(type_, name),
                news=properties.write(news),
                olds=properties.write(olds or {}),
                randomSeed=seed,
            )
        )
        assert not answer.failures, answer.failures
        return properties.read(answer.inputs)

    def check_failures(self, type_: str, name: str, news: Mapping[str, Any]) -> list[str]:
        answer = self.stub.Check(provider_pb2.CheckRequest(urn=urn(type_, name), news=properties.write(news)))
        return [failure.reason for failure in answer.failures]

    def diff(
        self,
        type_: str,
        name: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        state: Mapping[str, Any],
        ignored: Sequence[str] = (),
    ) -> provider_pb2.DiffResponse:
        found: provider_pb2.DiffResponse = self.stub.Diff(
            provider_pb2.DiffRequest(
                id="id",
                urn=urn(type_, name),
                old_inputs=properties.write(old),
                news=properties.write(new),
                olds=properties.write(state),
                ignoreChanges=ignored,
            )
        )
        return found

    def create(
        self, type_: str, name: str, inputs: Mapping[str, Any], *, preview: bool = False
    ) -> tuple[str, dict[str, Any]]:
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn(type_, name), properties=properties.write(inputs), preview=preview)
        )
        return answer.id, properties.read(answer.properties)

    def update(
        self,
        type_: str,
        name: str,
        identity: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        state: Mapping[str, Any],
        *,
        preview: bool = False,
    ) -> dict[str, Any]:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=identity,
                urn=urn(type_, name),
                old_inputs=properties.write(old),
                news=properties.write(new),
                olds=properties.write(state),
                preview=preview,
            )
        )
        return properties.read(answer.properties)

    def read(
        self, type_: str, name: str, identity: str, inputs: Mapping[str, Any], state: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=identity,
                urn=urn(type_, name),
                inputs=properties.write(inputs),
                properties=properties.write(state),
            )
        )
        return answer.id, properties.read(answer.inputs), properties.read(answer.properties)

    def delete(self, type_: str, name: str, identity: str, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=identity,
                urn=urn(type_, name),
                old_inputs=properties.write(inputs),
                properties=properties.write(state),
            )
        )

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=properties.write(arguments)))
        return properties.read(getattr(answer, "return"))


@contextmanager
def connected(package: str, caller: Caller, folder: Path) -> Iterator[EngineSide]:
    """A provider of `package` and the engine's side of it; one of `aws` is configured for us-east-1."""
    server, port = serving.serve(package, caller, folder)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            side = EngineSide(provider_pb2_grpc.ResourceProviderStub(channel))
            if package == "aws":
                side.configure(region="us-east-1", defaultTags='{"tags": {"Application": "dr"}}')
            yield side
    finally:
        server.stop(None).wait()
