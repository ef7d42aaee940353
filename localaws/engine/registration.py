"""A resource registration: its inputs and options, as the engine would receive them."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc

from localaws.provider import values

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A resource as the program described it. `inputs` holds secrets in their envelopes."""

    stack: str
    urn: str
    type: str
    name: str
    parent: str
    provider: str  # URN of the provider resource; empty for a component or the default provider
    custom: bool
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    options: Mapping[str, Any]
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # input → URNs it comes from
    secret_outputs: tuple[str, ...] = ()
    alias_urns: tuple[str, ...] = ()
    outputs: dict[str, Any] = field(default_factory=dict)

    def row(self, region: str, folder: Path) -> dict[str, Any]:
        """The resource as JSON for people, policies and diagrams: no secret in it, no machine path."""
        return {
            "stack": self.stack,
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "parent": self.parent,
            "provider": self.provider,
            "region": region,
            "inputs": values.hide(dict(self.inputs), folder),
            "options": dict(self.options),
            "outputs": values.hide(self.outputs, folder),
        }


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN the real engine gives: the chain of the parents' types, without the stack's own."""
    chain = parent.split("::")[2] if parent else STACK
    qualified = type_ if chain == STACK else f"{chain}${type_}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def read(request: Any, stack: str, environment: str, project: str) -> Registration:
    """A RegisterResourceRequest as a Registration."""
    urn = make_urn(environment, project, request.parent, request.type, request.name)
    depends = {key: tuple(sorted(found.urns)) for key, found in request.propertyDependencies.items()}
    return Registration(
        stack=stack,
        urn=urn,
        type=request.type,
        name=request.name,
        parent=request.parent,
        provider=request.provider.rpartition("::")[0],
        custom=request.custom,
        inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
        dependencies=tuple(sorted({*request.dependencies, *itertools.chain(*depends.values())})),
        options=_options(request),
        property_dependencies={key: urns for key, urns in depends.items() if urns},
        secret_outputs=tuple(request.additionalSecretOutputs),
        alias_urns=tuple(_alias_urns(request, environment, project)),
    )


def _options(request: Any) -> dict[str, Any]:
    timeouts = MessageToDict(request.customTimeouts) if request.HasField("customTimeouts") else {}
    return {
        "aliases": [MessageToDict(alias) for alias in request.aliases],
        "custom_timeouts": timeouts,
        "delete_before_replace": request.deleteBeforeReplace,
        "deleted_with": request.deletedWith,
        "depends_on": sorted(request.dependencies),
        "ignore_changes": list(request.ignoreChanges),
        "import_id": request.importId,
        "protect": bool(request.protect),
        "replace_on_changes": list(request.replaceOnChanges),
        "retain_on_delete": bool(request.retainOnDelete),
        "version": request.version,
    }


def _alias_urns(request: Any, environment: str, project: str) -> list[str]:
    found = list(request.aliasURNs)
    for alias in request.aliases:
        if alias.urn:
            found.append(alias.urn)
            continue
        spec = alias.spec
        parent = "" if spec.noParent else (spec.parentUrn or request.parent)
        found.append(
            make_urn(
                spec.stack or environment,
                spec.project or project,
                parent,
                spec.type or request.type,
                spec.name or request.name,
            )
        )
    return found
