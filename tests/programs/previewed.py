"""The first preview of an environment: every computed output is unknown, also inside the lists of a resource's inputs.

The provider answers so for what AWS decides, such as the stream of a DynamoDB replica (`replicas[].streamArn`). The SDK
does not show which of the attributes that a program leaves out are computed: here all of them are unknown.
"""

import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pulumi import _types
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from localaws.engine import program, project
from localaws.engine.engine import Progress, StackEngine
from localaws.engine.prepare import PREFIX
from localaws.engine.registration import STACK, Registration
from localaws.engine.state import State
from localaws.engine.synthetic import Synthetic
from localaws.provider import values
from localaws.provider.calls import ACCOUNT
from localaws.provider.preparation import StackRun
from policy.rules.rows import Row, Rows
from shared.local_aws import PROGRAMS
from tests.made_once import once
from tests.programs import sdk
from tests.programs.profiles import overrides, registered


@cache
def previewed(environment: str, *, references: bool = True) -> Rows:
    """The rows of a first preview, with the engine's sentinel in place of what is unknown, and each row's
    `property_dependencies`. With `references`, the regions are deployed when `global` is previewed; without, none of
    their outputs is known either. Raises what the program raises."""

    def make() -> Rows:
        return tuple(
            row for folder in PROGRAMS for row in _preview(folder, environment, _deployed(environment, references))
        )

    return once(f"preview-{environment}-{references}", make)


def _deployed(environment: str, known: bool) -> Mapping[str, dict[str, Any]]:
    """The outputs of the regional stacks by project."""
    stacks = [row for row in registered(environment) if row["type"] == STACK]
    return {
        row["urn"].split("::")[1]: dict(row["outputs"]) if known else dict.fromkeys(row["outputs"], UNKNOWN)
        for row in stacks
    }


def _preview(folder: Path, environment: str, deployed: Mapping[str, dict[str, Any]]) -> list[Row]:
    settings = project.load(folder, environment, overrides(environment).get(folder.name))
    engine = _FirstPreview(settings, deployed)
    monitor = program.run(settings, engine, preview=True, workers=1, warn=lambda _: None)
    return [_row(each, engine.regions.get(each.urn, ""), settings.folder) for each in monitor.registrations.values()]


def _row(resource: Registration, region: str, folder: Path) -> Row:
    if resource.custom and not resource.type.startswith(PREFIX):
        resource.outputs["id"] = UNKNOWN
    row: dict[str, Any] = _with_sentinels(resource.row(region, folder))
    return {**row, "property_dependencies": resource.property_dependencies}


def _with_sentinels(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_sentinels(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_sentinels(each) for each in value]
    return UNKNOWN if isinstance(value, Unknown) or value == values.UNKNOWN else value


class _FirstPreview(StackEngine):
    """Answers as the engine does for resources that do not exist yet: without an id."""

    def __init__(self, settings: project.Project, deployed: Mapping[str, dict[str, Any]]) -> None:
        run = StackRun(caller=Synthetic(), account=ACCOUNT, folder=settings.folder, seed="")
        super().__init__(settings, State(), run, Progress(settings.stack, None))
        self._deployed = deployed

    def register(self, resource: Registration) -> tuple[str, dict[str, Any]]:
        if resource.type.startswith(PREFIX):
            return self._provider(resource)
        self.regions[resource.urn] = str(resource.inputs.get("region") or self._provider_of(resource).region)
        return "", answered(resource)

    def reference(self, name: str) -> tuple[dict[str, Any], list[str]]:
        return self._deployed[name.split("/")[1]], []


def answered(resource: Registration) -> dict[str, Any]:
    """The inputs, and a sentinel for everything else that the resource's class declares, at any depth."""
    kind = _types.resource_types(sdk.resource_class(resource.type))
    inputs = {key: _completed(_with_sentinels(value), kind.get(key)) for key, value in resource.inputs.items()}
    return {**dict.fromkeys(kind, UNKNOWN), **inputs}


def _completed(value: Any, kind: Any) -> Any:
    """The value with a sentinel for each attribute that an output type declares and that is not given."""
    declared = _class_in(kind)
    if isinstance(value, list):
        return [_completed(each, declared) for each in value]
    if declared is None or not isinstance(value, dict) or values.is_secret(value):
        return value
    types = _types.output_type_types(declared)
    given = {key: _completed(each, types.get(key)) for key, each in value.items()}
    return {**dict.fromkeys(types, UNKNOWN), **given}


def _class_in(kind: Any) -> type | None:
    """The output type that an annotation such as Optional[Sequence[outputs.TableReplica]] contains."""
    if isinstance(kind, type) and _types.is_output_type(kind):
        return kind
    return next((found for part in typing.get_args(kind) if (found := _class_in(part))), None)
