"""The provider of one package (`aws`, `random` or `tls`) over the types of `localaws.provider`, as a gRPC service.

One object serves one provider resource of a program: `Configure` gives it that resource's region and tags. Its methods
are called from several threads.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from localaws.core.errors import FAILURES, TableError, explain
from localaws.provider import execute, ignored, importing, invokes, preparation, reading, tagging, values
from localaws.provider.context import Context
from localaws.provider.preparation import Provider, StackRun
from localaws.provider.replacement import forced_by
from localaws.pulumi_plugins import difference, properties
from localaws.pulumi_plugins.properties import UNKNOWN

_DEFAULTED = "__defaults"
"""The argument in which the provider keeps the names of those that it filled in itself, as the real one does."""
_OWN = {_DEFAULTED, "tagsAll"}


class ResourceProvider(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, package: str, run: StackRun) -> None:
        self._package = package
        self._run = run
        self._provider = Provider()

    # The engine connects.

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """The version of the SDK, which the engine expects at least."""
        return plugin_pb2.PluginInfo(version=version(f"pulumi-{self._package}"))

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """Calls under way end by themselves, so that what they made is recorded."""
        return Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """Another region replaces the provider and all that was made through it, as with the real one."""
        old, new = _comparable(request.old_inputs), _comparable(request.news)
        return _diff_response(old, new, {"region"} & _changed(old, new))

    def Configure(self, request: Any, context: Any) -> Any:
        with self._failures(context, request.args):
            inputs = properties.opened(properties.read(request.args))
            if not values.is_unknown(inputs.get("region")):
                self._provider = preparation.read_provider(self._package, inputs, self._run.account)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # Resources.

    def Check(self, request: Any, context: Any) -> Any:
        """The arguments as `filled_in`, unless the embedded AWS has no call for one of them."""
        with self._failures(context, request.news):
            inputs, former = properties.read(request.news), properties.read(request.olds)
            checked = self.filled_in(request.urn, inputs, former, request.randomSeed)
            try:
                execute.check(self._context(request, properties.opened(_without_own(checked))))
            except TableError as error:
                return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
            return provider_pb2.CheckResponse(inputs=properties.write(checked))

    def filled_in(
        self, urn: str, given: Mapping[str, Any], former: Mapping[str, Any], seed: bytes = b""
    ) -> dict[str, Any]:
        """The `given` arguments of a resource with automatic name, defaults and all tags; `former` has its last ones.

        Raises TableError for a type that the table does not have.
        """
        inputs = {key: value for key, value in given.items() if key not in _OWN and value is not None}
        entry = preparation.entry_of(_type_in(urn))
        argument = entry.autoname.argument if entry.autoname else ""
        kept = former.get(argument) if argument in former.get(_DEFAULTED, ()) else None
        suffix = hashlib.sha256(seed or urn.encode()).hexdigest()[:7]
        filled = preparation.complete(entry, inputs, urn.rpartition("::")[2], suffix=suffix, former=kept)
        if entry.tags:
            filled["tagsAll"] = self._all_tags(filled.get("tags"))
        filled[_DEFAULTED] = sorted(filled.keys() - inputs.keys() - _OWN)
        return filled

    def Diff(self, request: Any, context: Any) -> Any:
        with self._failures(context, request.news):
            type_ = _type(request)
            old = _comparable(request.old_inputs)
            # A deployment has applied them before; a refresh leaves that to the provider.
            new = ignored.apply(_comparable(request.news), old, request.ignoreChanges)
            state = properties.read(request.olds)
            for each in (old, new):
                each.pop(_DEFAULTED, None)
            if "region" in state:
                entry = preparation.entry_of(type_)
                old["region"] = state["region"]
                new["region"] = preparation.region_of(entry, new, self._provider)
            replacing = forced_by(type_, _changed(old, new))
            return _diff_response(old, new, replacing, self._named_alike(request, type_, old, new))

    def Create(self, request: Any, context: Any) -> Any:
        given = properties.read(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=properties.write(self._planned(_type(request), given, {})))
        with self._failures(context, request.properties):
            found = self._context(request, properties.opened(given))
            made: list[str] = []
            try:
                execute.create(found, made.append)
            except FAILURES as error:
                if not made:
                    raise
                self._incomplete(context, made[0], self._outputs(found, given), given, error)
            return provider_pb2.CreateResponse(id=found.id, properties=properties.write(self._outputs(found, given)))

    def Update(self, request: Any, context: Any) -> Any:
        given, former = properties.read(request.news), properties.read(request.olds)
        if request.preview:
            planned = self._planned(_type(request), given, former)
            return provider_pb2.UpdateResponse(properties=properties.write(planned))
        with self._failures(context, request.news):
            before = _comparable(request.old_inputs)
            found = self._context(request, properties.opened(given), former)
            found.before = properties.opened(_without_own(properties.read(request.old_inputs)))
            found.out = {**properties.opened(former), **found.inputs}
            changed = _changed(_without_own(before), _without_own(properties.comparable(given)))
            execute.update(found, changed, properties.opened(former.get("tagsAll")) or {})
            return provider_pb2.UpdateResponse(properties=properties.write(self._outputs(found, given)))

    def Read(self, request: Any, context: Any) -> Any:
        """A resource that is gone has no id. What no call here reads back stays as it is in the state."""
        with self._failures(context, request.inputs):
            inputs, state = properties.read(request.inputs), properties.read(request.properties)
            if not state:
                return self._imported(request, inputs)
            found = self._context(request, properties.opened(inputs), state)
            found.out = {**found.inputs, **properties.opened(state)}
            there = reading.read(found)
            if there is None:
                return provider_pb2.ReadResponse()
            drifted = _as_secret_as(inputs, there.drifted)
            inputs |= drifted
            outputs = {**state, **drifted}
            answer = self._outputs(found, inputs)
            outputs |= {key: value for key, value in answer.items() if key in found.entry.outputs}
            return provider_pb2.ReadResponse(
                id=request.id, properties=properties.write(outputs), inputs=properties.write(inputs)
            )

    def _imported(self, request: Any, inputs: Mapping[str, Any]) -> Any:
        """The answer for a resource without outputs: adopted with the `inputs` of its creation, or imported without."""
        found = self._context(request, properties.opened(inputs))
        there = importing.read(found, request.id)
        if there is None:
            return provider_pb2.ReadResponse()
        left_out = {*there.unconfirmed, *(["tagsAll"] if "tags" in there.unconfirmed else [])}
        known = {key: value for key, value in inputs.items() if key not in left_out}
        known |= _as_secret_as(inputs, there.values)
        outputs = {key: value for key, value in self._outputs(found, known).items() if key not in left_out}
        return provider_pb2.ReadResponse(
            id=found.id, properties=properties.write(outputs), inputs=properties.write(known)
        )

    def Delete(self, request: Any, context: Any) -> Any:
        with self._failures(context, request.old_inputs):
            state = properties.read(request.properties)
            found = self._context(request, properties.opened(properties.read(request.old_inputs)), state)
            found.out = {**found.inputs, **properties.opened(state)}
            execute.delete(found)
            return Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        with self._failures(context, request.args):
            if not self._provider.region:
                raise TableError(f"{request.tok} has no provider; pass one in its options")
            arguments = properties.opened(properties.read(request.args))
            found = preparation.blank(self._run, request.tok, self._provider.region)
            answer = invokes.answer(request.tok, found, arguments)
            fields: Any = {"return": properties.write(answer)}  # a word that Python keeps for itself
            return provider_pb2.InvokeResponse(**fields)

    # What they share.

    def _context(self, request: Any, inputs: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> Context:
        """Of a resource whose arguments are `inputs`, opened; `state` has the outputs of a deployed one."""
        type_ = _type(request)
        entry = preparation.entry_of(type_)
        region = str((state or {}).get("region") or "") or preparation.region_of(entry, inputs, self._provider)
        found = preparation.blank(self._run, type_, region)
        found.entry, found.urn, found.name = entry, request.urn, request.urn.rpartition("::")[2]
        found.inputs = {key: value for key, value in inputs.items() if key not in _OWN and value is not None}
        found.id = getattr(request, "id", "")
        found.tags = dict(inputs.get("tagsAll") or {})
        return found

    def _all_tags(self, own: Any) -> Any:
        if values.is_secret(own):
            return values.secret(self._all_tags(own["value"]))
        if properties.is_unknown(own):
            return UNKNOWN
        return tagging.merge(own, dict(self._provider.default_tags))

    def _outputs(self, found: Context, given: Mapping[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in given.items() if key != _DEFAULTED}
        return {**shown, **preparation.computed(found, shown)}

    def _planned(self, type_: str, given: Mapping[str, Any], former: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs in a preview: what is computed stays as it was, and is unknown before there was any."""
        entry = preparation.entry_of(type_)
        planned = {key: value for key, value in former.items() if key in (*entry.outputs, "region")}
        planned |= {key: value for key, value in given.items() if key != _DEFAULTED}
        for key in entry.outputs:
            if planned.get(key) is None:
                planned[key] = values.secret(UNKNOWN) if key in entry.secret_outputs else UNKNOWN
        if entry.service and entry.regional:
            planned.setdefault("region", self._provider.region)
        for key, added in entry.nested_outputs.items():
            if isinstance(given.get(key), list):
                planned[key] = [_with_unknowns(item, former.get(key) or [], added) for item in given[key]]
        return planned

    def _named_alike(self, request: Any, type_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether a replacement would get the name of what it replaces, which therefore has to go first."""
        rule = preparation.entry_of(type_).autoname
        if rule is None or rule.argument in (properties.read(request.news).get(_DEFAULTED) or []):
            return False
        return bool(old.get(rule.argument) == new.get(rule.argument))

    @contextmanager
    def _failures(self, context: Any, inputs: Any) -> Iterator[None]:
        """A failure as the message of a gRPC error, without a secret of `inputs`."""
        try:
            yield
        except FAILURES as error:
            context.abort(grpc.StatusCode.UNKNOWN, _message(error, properties.read(inputs)))

    def _incomplete(
        self, context: Any, identity: str, outputs: Mapping[str, Any], given: Mapping[str, Any], error: Exception
    ) -> None:
        """A resource that exists, but whose creation failed later on: the engine records it with the reason."""
        message = _message(error, given)
        failed = provider_pb2.ErrorResourceInitFailed(
            id=identity, properties=properties.write(outputs), reasons=[message], inputs=properties.write(given)
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
        status.details.add().Pack(failed)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, message)


def _type(request: Any) -> str:
    return _type_in(request.urn)


def _type_in(urn: str) -> str:
    return str(urn.split("::")[2].rpartition("$")[2])


def _as_secret_as(inputs: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Values that AWS answers, secret where the argument was."""
    return {
        key: values.secret(value) if values.holds_secret(inputs.get(key)) else value for key, value in found.items()
    }


def _comparable(struct: Any) -> dict[str, Any]:
    found: dict[str, Any] = properties.comparable(properties.read(struct))
    return found


def _without_own(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in _OWN}


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    return {key for key in {*old, *new} if old.get(key) != new.get(key)}


def _diff_response(
    old: Mapping[str, Any], new: Mapping[str, Any], replacing: set[str], delete_first: bool = False
) -> provider_pb2.DiffResponse:
    changed = _changed(old, new)
    if not changed:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted(changed),
        replaces=sorted(replacing),
        deleteBeforeReplace=bool(replacing) and delete_first,
        detailedDiff=difference.detailed(old, new, replacing),
        hasDetailedDiff=True,
    )


def _with_unknowns(item: Any, former: list[Any], added: tuple[str, ...]) -> Any:
    """An element of a list argument with what AWS adds to it: as before where it did not change, else unknown."""
    same: Mapping[str, Any] = next(
        (old for old in former if all(old.get(key) == value for key, value in item.items())), {}
    )
    return {**item, **{key: same.get(key, UNKNOWN) for key in added}}


def _message(error: Exception, inputs: Mapping[str, Any]) -> str:
    code, message = explain(error)
    return values.redact(f"{code}: {message}", values.secret_texts(dict(inputs)))
