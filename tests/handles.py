"""Regional stacks as the global stack sees them, with outputs made by hand."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from shared.outputs import RegionOutputs
from shared.places import Place
from shared.references import RegionHandle

REGIONS = {Place.PRIMARY: "us-east-1", Place.SECONDARY: "us-east-2"}


def handles(
    known: Mapping[Place, Mapping[str, Any]], providers: Mapping[Place, aws.Provider] | None = None
) -> dict[Place, RegionHandle]:
    """Both regions. Outputs are those in `known`, by place and dotted name; the rest are their own names."""
    made = providers or {place: aws.Provider(str(place), region=region) for place, region in REGIONS.items()}
    return {place: _handle(place, made[place], known.get(place, {})) for place in Place}


def _handle(place: Place, provider: aws.Provider, known: Mapping[str, Any]) -> RegionHandle:
    def leaf(path: tuple[str, ...]) -> pulumi.Output[Any]:
        name = ".".join(path)
        return pulumi.Output.from_input(known.get(name, name))

    return RegionHandle(place=place, region=REGIONS[place], provider=provider, outputs=RegionOutputs.build(leaf))
