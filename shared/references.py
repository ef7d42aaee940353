"""Writing a stack's outputs, and reading another stack's, by the typed contract in `shared.outputs`.

References point one way: `global` reads `primary` and `secondary`; a region reads no other stack.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import TypeAlias

import pulumi

from shared.outputs import GlobalOutputs, RegionOutputs
from shared.places import PROJECTS, Place

TextInput: TypeAlias = pulumi.Input[str]
TextsInput: TypeAlias = "pulumi.Input[Sequence[str]] | list[pulumi.Output[str]]"
RegionExports: TypeAlias = RegionOutputs[TextInput, TextsInput]
GlobalExports: TypeAlias = GlobalOutputs[TextInput, TextsInput]
RegionReference: TypeAlias = RegionOutputs[pulumi.Output[str], pulumi.Output[list[str]]]


def export(outputs: RegionExports | GlobalExports) -> None:
    """Make every field of the contract an output of this stack."""
    for field in fields(outputs):
        pulumi.export(field.name, getattr(outputs, field.name))


def region_reference(place: Place) -> RegionReference:
    """The regional stack of the same environment. An output that is missing there fails the run (`require_output`).

    The organization is the backend's: the literal word `organization` on a self-managed one [PULUMI-1].
    """
    stack = pulumi.StackReference(f"{pulumi.get_organization()}/{PROJECTS[place]}/{pulumi.get_stack()}")
    return RegionOutputs(**{field.name: stack.require_output(field.name) for field in fields(RegionOutputs)})
