"""Pulumi's mock monitor, with the engine's own manners: real URNs, duplicates refused, everything recorded."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from localaws.engine import registration
from localaws.engine.project import Project
from localaws.engine.registration import Registration

REFERENCE = "pulumi:pulumi:StackReference"


class Engine(Protocol):
    """What decides about registrations: the deployment, or the graph."""

    def register(self, resource: Registration) -> tuple[str, dict[str, Any]]: ...

    def invoke(self, token: str, arguments: dict[str, Any], provider: str) -> dict[str, Any]: ...

    def reference(self, name: str) -> tuple[dict[str, Any], list[str]]: ...

    def fail(self, urn: str, code: str, message: str) -> Exception: ...


class Monitor(mocks.MockMonitor):
    """Receives a program's registrations, from several threads, and passes each to the engine."""

    def __init__(self, project: Project, engine: Engine) -> None:
        super().__init__(_Unused())
        self.project = project
        self.engine = engine
        self.registrations: dict[str, Registration] = {}
        self.stack_outputs: dict[str, Any] = {}
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        project = self.project
        resource = registration.read(request, project.stack, project.environment, project.name)
        with self._lock:
            if resource.urn in self.registrations:
                message = f"resource {resource.urn} registered twice; names must differ under one parent"
                raise self.engine.fail(resource.urn, "DuplicateUrn", message)
            self.registrations[resource.urn] = resource
        identity, outputs = self.engine.register(resource) if resource.custom else ("", {})
        resource.outputs.update(outputs | ({"id": identity} if resource.custom else {}))
        answer = _sync_await(rpc.serialize_properties(outputs, {}))
        return resource_pb2.RegisterResourceResponse(urn=resource.urn, id=identity, object=answer)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        with self._lock:
            resource = self.registrations[request.urn]
            resource.outputs.update(outputs)
            if resource.type == registration.STACK:
                self.stack_outputs = outputs
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        urn = registration.make_urn(
            self.project.environment, self.project.name, request.parent, request.type, request.name
        )
        if request.type != REFERENCE:
            raise self.engine.fail(
                urn, "UnknownRead", f"{request.type}: existing resources are not read here, only stack references"
            )
        outputs, secrets = self.engine.reference(request.id)
        state = {"name": request.id, "outputs": outputs, "secretOutputNames": secrets}
        answer = _sync_await(rpc.serialize_properties(state, {}))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=answer)

    def Invoke(self, request: Any) -> Any:
        _ensure_event_loop()  # type: ignore[no-untyped-call]
        arguments = rpc.deserialize_properties(request.args)
        result = self.engine.invoke(request.tok, arguments, request.provider.rpartition("::")[0])
        answer = _sync_await(rpc.serialize_properties(result, {}))
        fields: dict[str, Any] = {"return": answer}  # a word that Python keeps for itself
        return resource_pb2.ResourceInvokeResponse(**fields)

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: ARG002
        raise self.engine.fail("", "Unsupported", "stack transforms are not run here; use component arguments")

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: ARG002
        raise self.engine.fail("", "Unsupported", "invoke transforms are not run here")


class _Unused(mocks.Mocks):
    """The base class wants mocks; every method that would ask them is replaced above."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"{args.typ} bypassed the engine")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"{args.token} bypassed the engine")


def log_engine(write: Callable[[str], None]) -> mocks.MockEngine:
    """An engine service that hands the program's `pulumi.log` warnings and errors to `write`."""
    logger = logging.Logger("pulumi", logging.WARNING)
    handler = logging.Handler()
    handler.emit = lambda record: write(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    return mocks.MockEngine(logger)
