"""Writing a stack's outputs, and reading another stack's, by the typed contract in `shared.outputs`.

References point one way: `global` reads `primary` and `secondary`; a region reads no other stack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pulumi
import pulumi_aws as aws

from shared.outputs import GlobalOutputs, Path, RegionOutputs
from shared.places import PROJECTS, Place
from shared.providers import regional_provider
from shared.settings import EnvironmentSettings

TextInput: TypeAlias = pulumi.Input[str]
TextsInput: TypeAlias = "pulumi.Input[Sequence[str]] | list[pulumi.Output[str]]"
RegionExports: TypeAlias = RegionOutputs[TextInput, TextsInput]
GlobalExports: TypeAlias = GlobalOutputs[TextInput, TextsInput]
RegionReference: TypeAlias = RegionOutputs[pulumi.Output[str], pulumi.Output[list[str]]]


@dataclass(frozen=True, kw_only=True)
class RegionHandle:
    """A regional stack as the global stack uses it: its place and region, its provider, and its outputs."""

    place: Place
    region: str
    provider: aws.Provider
    outputs: RegionReference


Regions: TypeAlias = Mapping[Place, RegionHandle]


def export(outputs: RegionExports | GlobalExports) -> None:
    """Make every field of the contract an output of this stack."""
    for name, value in outputs.to_plain().items():
        pulumi.export(name, value)


def region_handles(settings: EnvironmentSettings) -> Regions:
    """Both regional stacks of the environment. An output that is missing there ends the run with one line.

    What an output has, such as the account, is taken from it: a call of STS in both regions would end the program as
    soon as one of them is lost.
    """
    return {
        place: RegionHandle(
            place=place,
            region=settings.region(place),
            provider=regional_provider(settings, place),
            outputs=_region_reference(place),
        )
        for place in Place
    }


def _region_reference(place: Place) -> RegionReference:
    """The organization is the backend's: the literal word `organization` on a self-managed one [PULUMI-1]."""
    stack = pulumi.StackReference(f"{pulumi.get_organization()}/{PROJECTS[place]}/{pulumi.get_stack()}")

    def leaf(path: Path) -> pulumi.Output[Any]:
        return stack.get_output(path[0]).apply(lambda value: _inside(value, path, place))

    return RegionOutputs.build(leaf)


def _inside(value: Any, path: Path, place: Place) -> Any:
    """Of an output, the value at the rest of `path`. Raises RunError, which Pulumi prints without a traceback."""
    for key in path[1:]:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None:
        environment = pulumi.get_stack()
        raise pulumi.RunError(
            f"stacks/{place}, stack {environment}, has no output {'.'.join(path)}: it is not deployed, or from an "
            f"older version; run make deploy-{place} ENV={environment}, then this command again"
        )
    return value
